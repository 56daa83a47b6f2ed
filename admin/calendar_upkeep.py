"""Repairing calendars: cancelling, rebuilding, and the audit of what is booked."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from admin.context import Installation
from admin.options import Options
from admin.output import counted, iso_time, print_json, print_table, say
from mr_accept.upkeep import Excess, audit, cancel_booking, rebuild_occurrences
from store.schema import booking, calendar, mailbox_store
from userstore.resolve import Recipient


def cancel(installation: Installation, options: Options) -> None:
    """Free a whole booking, or one occurrence of it; the organiser is not told."""
    assert options.cancel_booking is not None
    name, uid = options.cancel_booking
    recurrence_id = options.words[0] if options.words else ""
    store_id = installation.recipient(name).mailbox.id
    freed = cancel_booking(installation.database, store_id, uid, recurrence_id)
    say(f"Booking cancelled: {counted(freed, 'occurrence')} freed.")


def rebuild(installation: Installation, options: Options) -> None:
    """Work out the occurrences of one resource's bookings, or of everybody's; safe to repeat."""
    for recipient in _asked_for(installation, options.rebuild_occurrences):
        written = rebuild_occurrences(installation.database, recipient, installation.settings)
        say(f"{recipient.user.name}: {counted(written, 'occurrence')} written.")


def audit_bookings(installation: Installation, options: Options) -> int:
    """Print where more is booked than the capacity, and if that is allowed; 1 when there is such a time."""
    found = [
        (recipient, excess)
        for recipient in _asked_for(installation, options.audit_bookings)
        for excess in audit(installation.database, recipient)
    ]
    records = [_excess_record(installation, recipient, excess) for recipient, excess in found]
    if options.json:
        print_json(records)
    elif not records:
        say("Nothing is booked more often than it may be.")
    else:
        columns = ("resource", "start", "end", "use", "capacity")
        print_table(
            ("Resource", "Start", "End", "Booked", "Capacity", "Allowed", "Meetings"),
            [
                (
                    *(record[column] for column in columns),
                    "yes" if record["allowed"] else "NO",
                    "; ".join(record["summaries"]),
                )
                for record in records
            ],
        )
    return 1 if found else 0


def _asked_for(installation: Installation, name: str | None) -> Iterator[Recipient]:
    """The one resource named, or everybody whose calendar holds something."""
    if name:
        yield installation.recipient(name)
        return
    query = (
        select(mailbox_store.c.id)
        .where(
            mailbox_store.c.external_id.is_not(None),
            mailbox_store.c.id.in_(select(calendar.c.store_id).join(booking)),
        )
        .order_by(mailbox_store.c.owner_name)
    )
    with installation.database.read() as connection:
        stores = list(connection.execute(query).scalars())
    for store_id in stores:
        yield installation.directory.by_store(store_id)


def _excess_record(
    installation: Installation, recipient: Recipient, excess: Excess
) -> dict[str, Any]:
    zone = installation.zone_of(recipient)
    return {
        "resource": recipient.user.name,
        "start": iso_time(excess.start, zone),
        "end": iso_time(excess.end, zone),
        "use": excess.use,
        "capacity": excess.capacity,
        "allowed": excess.allowed,
        "summaries": list(excess.summaries),
    }
