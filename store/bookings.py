"""Bookings: one row for each lineage, the master of a series and each instance that was addressed on its own.

Instants are epoch seconds (UTC).  A booking outlives the time it held: a cancelled or declined one is remembered, so
that an older message which comes late changes nothing.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from mailcore.errors import TemporaryError
from store.calendars import LockedCalendar
from store.hot import HotStatement
from store.schema import booking, calendar, clean_text, occurrence

ACCEPTED = "accepted"

DECLINED = "declined"

CANCELLED = "cancelled"

KEPT = "kept"  # a change of this instance was declined, and its series still holds its time


@dataclass(frozen=True, slots=True)
class BookingRow:
    """One lineage of a booking, as stored."""

    id: int
    object_id: int | None
    uid: str
    recurrence_id: str
    state: str
    sequence: int
    dtstamp: int
    seen_sequence: int
    seen_dtstamp: int
    organizer: str
    sender: str
    invited: str
    summary: str
    recurring: bool
    materialised_until: int | None
    source: str
    reply: bytes | None
    reply_to: str
    reply_message_id: str
    silence: str
    places: int
    report_due: bool


_COLUMNS = [booking.c[name] for name in BookingRow.__slots__]

_LINEAGES = HotStatement(
    select(*_COLUMNS)
    .join(calendar, calendar.c.id == booking.c.calendar_id)
    .where(calendar.c.store_id == bindparam("store_id"), booking.c.uid == bindparam("meeting"))
    .order_by(booking.c.recurrence_id)
)

# In no order that an index has: SQLite would read the whole table in it rather than sort a few rows.
_SHORT_SERIES = HotStatement(
    select(*_COLUMNS).where(
        booking.c.calendar_id == bindparam("calendar_id"),
        booking.c.materialised_until < bindparam("until"),
    )
)


def load_lineages(connection: Connection, store_id: int, uid: str) -> list[BookingRow]:
    """Every lineage of a UID in a store's calendar, the master first."""
    asked = {"store_id": store_id, "meeting": clean_text(uid)}
    return [_bare(row) for row in _LINEAGES.rows(connection, asked)]


def load_all_lineages(connection: Connection, calendar_id: int) -> list[BookingRow]:
    """Every lineage of a calendar, by UID, masters first."""
    query = (
        select(*_COLUMNS)
        .where(booking.c.calendar_id == calendar_id)
        .order_by(booking.c.uid, booking.c.recurrence_id)
    )
    return [_booking(row) for row in connection.execute(query)]


def short_series(connection: Connection, calendar_id: int, until: int) -> list[BookingRow]:
    """The series that are not held up to `until` yet, oldest booking first."""
    rows = _SHORT_SERIES.rows(connection, {"calendar_id": calendar_id, "until": until})
    return sorted((_bare(row) for row in rows), key=lambda one: one.id)


def load_short_series(connection: Connection, calendar_id: int, until: int) -> list[BookingRow]:
    """Every lineage of the series that are not held up to `until`, by UID, masters first."""
    short = select(booking.c.uid).where(
        booking.c.calendar_id == calendar_id, booking.c.materialised_until < until
    )
    query = (
        select(*_COLUMNS)
        .where(booking.c.calendar_id == calendar_id, booking.c.uid.in_(short))
        .order_by(booking.c.uid, booking.c.recurrence_id)
    )
    return [_booking(row) for row in connection.execute(query)]


def save_booking(
    connection: Connection, locked: LockedCalendar, existing: int | None, values: Mapping[str, Any]
) -> int:
    """Insert or change a lineage; return its id.  Raises TemporaryError where it is not there any more."""
    row = {**values, "updated_at": time.time()}
    if existing is not None:
        changed = connection.execute(update(booking).where(booking.c.id == existing).values(**row))
        if changed.rowcount != 1:
            raise TemporaryError(f"the booking {existing} is gone")
        return existing
    row |= {"calendar_id": locked.id, "created_at": row["updated_at"]}
    return int(connection.execute(insert(booking).returning(booking.c.id), row).scalar_one())


def save_declined_occurrence(
    connection: Connection, locked: LockedCalendar, series: BookingRow, recurrence_id: str
) -> int:
    """Let a series do without one of its occurrences, which its organizer has still to hear of; return the row's id."""
    return _save_part(connection, locked, series, recurrence_id, DECLINED, report_due=True)


def save_cancelled_occurrence(
    connection: Connection, locked: LockedCalendar, series: BookingRow, recurrence_id: str
) -> int:
    """Remember that one occurrence of a series is cancelled; return the row's id."""
    return _save_part(connection, locked, series, recurrence_id, CANCELLED)


def _save_part(
    connection: Connection,
    locked: LockedCalendar,
    series: BookingRow,
    recurrence_id: str,
    state: str,
    **more: Any,
) -> int:
    """A lineage for an occurrence that nobody has named on its own: as new as its series."""
    names = ("uid", "sequence", "dtstamp", "organizer", "sender", "invited", "summary", "source")
    values = {name: getattr(series, name) for name in names}
    values |= {
        "recurrence_id": recurrence_id,
        "state": state,
        "seen_sequence": series.sequence,
        "seen_dtstamp": series.dtstamp,
        "silence": series.silence,
        **more,
    }
    return save_booking(connection, locked, None, values)


def load_bookings(connection: Connection, ids: Collection[int]) -> list[BookingRow]:
    """The lineages with these row ids."""
    query = select(*_COLUMNS).where(booking.c.id.in_(ids)).order_by(booking.c.id)
    return [_booking(row) for row in connection.execute(query)]


def reports_due(connection: Connection, store_id: int | None = None) -> list[tuple[int, str]]:
    """(store id, UID) of every meeting with an occurrence that its organizer has still to hear of."""
    query = (
        select(calendar.c.store_id, booking.c.uid)
        .distinct()
        .join(calendar, calendar.c.id == booking.c.calendar_id)
        .where(booking.c.report_due)
        .order_by(calendar.c.store_id, booking.c.uid)
    )
    if store_id is not None:
        query = query.where(calendar.c.store_id == store_id)
    return [(row.store_id, row.uid) for row in connection.execute(query)]


def drop_bookings(connection: Connection, ids: Sequence[int]) -> None:
    """Forget lineages and the time they held."""
    if ids:
        connection.execute(delete(occurrence).where(occurrence.c.booking_id.in_(ids)))
        connection.execute(delete(booking).where(booking.c.id.in_(ids)))


def _booking(row: Sequence[Any]) -> BookingRow:
    """A row of `_COLUMNS`."""
    return BookingRow(*row)


def _bare(row: Sequence[Any]) -> BookingRow:
    """The same from a `HotStatement`: SQLite's driver gives numbers for what is true or not."""
    one = BookingRow(*row)
    return replace(one, recurring=bool(one.recurring), report_due=bool(one.report_due))
