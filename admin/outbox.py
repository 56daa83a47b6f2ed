"""Mail that leaves: what is in the outbox, and the bytes of one."""

from typing import Any

from sqlalchemy import select

from admin.context import Installation
from admin.jobs import owner_names
from admin.options import Options
from admin.output import iso_time, print_json, print_raw, print_table
from mailcore.errors import UsageError
from store.outbox import QUEUED, OutboxEntry, list_outbox
from store.schema import outbox


def list_all(installation: Installation, options: Options) -> None:
    """Print the outbox, mail that has left (or never will) included, by id."""
    with installation.database.read() as connection:
        entries = list_outbox(connection)
        owners = owner_names(connection)
    records = [_entry_record(entry, owners) for entry in entries]
    if options.json:
        print_json(records)
        return
    columns = ("id", "kind", "owner", "rcpt_to", "subject", "state", "attempts", "last_reply")
    print_table(
        ("ID", "Kind", "Owner", "To", "Subject", "State", "Attempts", "Last reply"),
        [[record[column] for column in columns] for record in records],
    )


def show(installation: Installation, options: Options) -> None:
    """Write the bytes of one mail in the outbox to standard output."""
    query = select(outbox.c.content).where(outbox.c.id == options.show_outbox)
    with installation.database.read() as connection:
        content = connection.execute(query).scalar()
    if content is None:
        raise UsageError(
            f"no mail {options.show_outbox} in the outbox; --list-outbox shows what there is"
        )
    print_raw(bytes(content))


def _entry_record(entry: OutboxEntry, owners: dict[int, str]) -> dict[str, Any]:
    queued = entry.state == QUEUED
    return {
        "id": entry.id,
        "kind": entry.kind,
        "owner": owners.get(entry.store_id or 0, ""),
        "mail_from": entry.mail.mail_from,
        "rcpt_to": entry.mail.rcpt_to,
        "subject": entry.subject,
        "message_id": entry.mail.message_id,
        "state": entry.state,
        "attempts": entry.attempts,
        "last_reply": entry.last_reply,
        "created_at": iso_time(entry.created_at),
        "next_attempt_at": iso_time(entry.next_attempt_at) if queued else None,
    }
