"""Retention: what is finished is kept for a while, then forgotten, a slice at a time so that nobody waits long."""

import logging

from sqlalchemy import ColumnElement, Table, delete, exists, select, tuple_

from mailcore.settings import RetentionSettings
from store.bookings import ACCEPTED, CANCELLED, DECLINED, KEPT
from store.engine import Database
from store.jobs import DONE
from store.outbox import QUEUED
from store.schema import (
    booking,
    directory_event,
    job,
    ledger,
    login_failure,
    oof_memory,
    outbox,
)

log = logging.getLogger(__name__)

_SLICE = 1000
_LOGIN_FAILURE = 86_400.0  # seconds; far beyond any pause after failed tries
_OOF_MEMORY = 90 * 86_400.0  # seconds; far beyond any time limit between two answers


def prune(database: Database, keep: RetentionSettings, now: float) -> int:
    """Drop what is older than its retention; return how many rows went.  Safe to run anywhere, any time."""
    standing = booking.alias()
    # As long as anything of a meeting is booked, all that was said about it counts for what its series holds.
    over = booking.c.state.in_((DECLINED, CANCELLED, KEPT)) & ~exists().where(
        standing.c.calendar_id == booking.c.calendar_id,
        standing.c.uid == booking.c.uid,
        standing.c.state == ACCEPTED,
    )
    due: tuple[tuple[Table, ColumnElement[bool]], ...] = (
        (job, (job.c.state == DONE) & (job.c.finished_at < now - keep.jobs)),
        (outbox, (outbox.c.state != QUEUED) & (outbox.c.finished_at < now - keep.outbox)),
        (directory_event, directory_event.c.finished_at < now - keep.jobs),  # NULL: unfinished
        (ledger, ledger.c.created_at < now - keep.dedup_window),
        (booking, over & (booking.c.updated_at < now - keep.tombstones)),
        (oof_memory, oof_memory.c.answered_at < now - _OOF_MEMORY),
        (login_failure, login_failure.c.last_at < now - _LOGIN_FAILURE),
    )
    total = 0
    for table, condition in due:
        gone = _drop(database, table, condition)
        if gone:
            log.info("upkeep: %d rows of %s were older than their retention", gone, table.name)
        total += gone
    return total


def _drop(database: Database, table: Table, condition: ColumnElement[bool]) -> int:
    """Delete the matching rows, a slice per transaction."""
    key = list(table.primary_key.columns)
    total = 0
    while True:
        some = select(*key).where(condition).limit(_SLICE)
        with database.write() as connection:
            rows = [tuple(row) for row in connection.execute(some)]
            if rows:
                connection.execute(delete(table).where(tuple_(*key).in_(rows), condition))
        total += len(rows)
        if len(rows) < _SLICE:
            return total
