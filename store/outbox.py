"""The outbox: mail that leaves, written in the transaction of what caused it and sent by the spooler afterwards."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from mailcore.address import address_key
from mailcore.outgoing import OutgoingMail
from store.engine import Database, db_now
from store.plan import Outgoing
from store.schema import outbox

_CLOCK_STEP = 0.01
"""Seconds by which the database's clock may be coarser than ours: a mail just queued is due."""

QUEUED = "queued"
SENT = "sent"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A mail in the outbox; times in epoch seconds.  One without a store only passes through."""

    id: int
    store_id: int | None
    job_id: int | None
    kind: str
    subject: str
    mail: OutgoingMail
    state: str
    attempts: int
    next_attempt_at: float
    last_reply: str
    created_at: float
    finished_at: float | None
    lease_token: str


def add_outgoing(
    connection: Connection, store_id: int | None, leaving: Outgoing, now: float
) -> int:
    """Put one mail of a store, or one that only passes through, into the outbox; return its id."""
    row = {
        "store_id": store_id,
        "job_id": leaving.job_id,
        "kind": leaving.kind,
        "mail_from": leaving.mail.mail_from,
        "rcpt_to": leaving.mail.rcpt_to,
        "rcpt_key": address_key(leaving.mail.rcpt_to),
        "message_id": leaving.mail.message_id,
        "subject": leaving.subject,
        "content": leaving.mail.content,
        "state": QUEUED,
        "next_attempt_at": max(now, leaving.not_before),
        "created_at": now,
    }
    return int(connection.execute(insert(outbox).returning(outbox.c.id), row).scalar_one())


def lease_due(database: Database, limit: int, seconds: float) -> list[OutboxEntry]:
    """Take mails that are due, oldest first, for `seconds`."""
    due = (
        select(outbox.c.id)
        .where(
            outbox.c.state == QUEUED,
            outbox.c.next_attempt_at <= db_now() + _CLOCK_STEP,
            outbox.c.lease_until <= db_now(),
        )
        .order_by(outbox.c.next_attempt_at, outbox.c.id)
        .limit(limit)
    )
    with database.read() as connection:
        if connection.execute(due).first() is None:
            return []
    with database.write() as connection:
        locked = due if database.embedded else due.with_for_update(skip_locked=True)
        ids = list(connection.execute(locked).scalars())
        if not ids:
            return []
        rows = connection.execute(
            update(outbox)
            .where(outbox.c.id.in_(ids))
            .values(lease_token=secrets.token_hex(8), lease_until=db_now() + seconds)
            .returning(outbox)
        ).all()
    return [_entry(row) for row in sorted(rows, key=lambda row: int(row.id))]


def renew_lease(database: Database, batch: Sequence[OutboxEntry], seconds: float) -> bool:
    """Hold mails taken together for `seconds` from now on; False when any of them is not ours any more."""
    with database.write() as connection:
        renewed = connection.execute(
            update(outbox).where(*_held(batch)).values(lease_until=db_now() + seconds)
        )
    return renewed.rowcount == len(batch)


def release_untried(database: Database, untried: Sequence[OutboxEntry]) -> None:
    """Give mails taken together back that were not tried: they are due as before."""
    if not untried:
        return
    with database.write() as connection:
        connection.execute(
            update(outbox).where(*_held(untried)).values(lease_token="", lease_until=0)
        )


def mark_sent(database: Database, sent: Sequence[tuple[OutboxEntry, str]]) -> None:
    """The MTA has taken these; each with what it replied."""
    with database.write() as connection:
        for entry, reply in sent:
            _end(connection, entry, SENT, reply)


def mark_failed(connection: Connection, entry: OutboxEntry, reply: str) -> bool:
    """It will never leave; within the caller's transaction, which also tells the owner.  False: not ours now."""
    return _end(connection, entry, FAILED, reply)


def mark_deferred(database: Database, entry: OutboxEntry, seconds: float, reply: str) -> None:
    """Try again in `seconds`."""
    with database.write() as connection:
        connection.execute(
            update(outbox)
            .where(outbox.c.id == entry.id, outbox.c.lease_token == entry.lease_token)
            .values(
                attempts=outbox.c.attempts + 1,
                next_attempt_at=db_now() + seconds,
                last_reply=reply,
                lease_token="",
                lease_until=0,
            )
        )


def reply_times(connection: Connection, kind: str, rcpt_to: str, since: float) -> list[float]:
    """When mails of a kind to one address left or will leave, from `since` on, in order (epoch seconds)."""
    query = (
        select(outbox.c.next_attempt_at)
        .where(
            outbox.c.kind == kind,
            outbox.c.rcpt_key == address_key(rcpt_to),
            outbox.c.next_attempt_at >= since,
        )
        .order_by(outbox.c.next_attempt_at)
    )
    return list(connection.execute(query).scalars())


def count_queued(database: Database) -> int:
    """How many mails have not left yet, due or not."""
    query = select(func.count()).select_from(outbox).where(outbox.c.state == QUEUED)
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def list_outbox(connection: Connection) -> list[OutboxEntry]:
    """Everything in the outbox, by id."""
    return [_entry(row) for row in connection.execute(select(outbox).order_by(outbox.c.id))]


def _held(entries: Sequence[OutboxEntry]) -> tuple[ColumnElement[bool], ...]:
    """The condition that these mails, taken together, are still ours."""
    return (
        outbox.c.id.in_([entry.id for entry in entries]),
        outbox.c.lease_token == entries[0].lease_token,
        outbox.c.state == QUEUED,
    )


def _end(connection: Connection, entry: OutboxEntry, state: str, reply: str) -> bool:
    ended = connection.execute(
        update(outbox)
        .where(outbox.c.id == entry.id, outbox.c.lease_token == entry.lease_token)
        .values(
            state=state,
            attempts=outbox.c.attempts + 1,
            last_reply=reply,
            finished_at=time.time(),
            lease_token="",
            lease_until=0,
        )
    )
    return ended.rowcount == 1


def _entry(row: Row[Any]) -> OutboxEntry:
    return OutboxEntry(
        id=row.id,
        store_id=row.store_id,
        job_id=row.job_id,
        kind=row.kind,
        subject=row.subject,
        mail=OutgoingMail(row.mail_from, row.rcpt_to, row.content, row.message_id),
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        last_reply=row.last_reply,
        created_at=row.created_at,
        finished_at=row.finished_at,
        lease_token=row.lease_token,
    )
