"""Bookings: one row for each lineage, the master of a series and each instance that was addressed on its own.

Instants are epoch seconds (UTC).  A booking outlives the time it held: a cancelled or declined one is remembered, so
that an older message which comes late changes nothing.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from store.calendars import LockedCalendar
from store.schema import booking, calendar, occurrence

ACCEPTED = "accepted"

DECLINED = "declined"

CANCELLED = "cancelled"


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


def load_lineages(connection: Connection, store_id: int, uid: str) -> list[BookingRow]:
    """Every lineage of a UID in a store's calendar, the master first."""
    query = (
        select(booking)
        .join(calendar, calendar.c.id == booking.c.calendar_id)
        .where(calendar.c.store_id == store_id, booking.c.uid == uid)
        .order_by(booking.c.recurrence_id)
    )
    return [_booking(row) for row in connection.execute(query)]


def load_all_lineages(connection: Connection, calendar_id: int) -> list[BookingRow]:
    """Every lineage of a calendar, by UID, masters first."""
    query = (
        select(booking)
        .where(booking.c.calendar_id == calendar_id)
        .order_by(booking.c.uid, booking.c.recurrence_id)
    )
    return [_booking(row) for row in connection.execute(query)]


def short_series(connection: Connection, calendar_id: int, until: int) -> list[BookingRow]:
    """The series that are not held up to `until` yet, oldest booking first."""
    query = (
        select(booking)
        .where(booking.c.calendar_id == calendar_id, booking.c.materialised_until < until)
        .order_by(booking.c.id)
    )
    return [_booking(row) for row in connection.execute(query)]


def save_booking(
    connection: Connection, locked: LockedCalendar, existing: int | None, values: Mapping[str, Any]
) -> int:
    """Insert or change a lineage; return its id."""
    row = {**values, "updated_at": time.time()}
    if existing is not None:
        connection.execute(update(booking).where(booking.c.id == existing).values(**row))
        return existing
    row |= {"calendar_id": locked.id, "created_at": row["updated_at"]}
    return int(connection.execute(insert(booking).returning(booking.c.id), row).scalar_one())


def drop_bookings(connection: Connection, ids: Sequence[int]) -> None:
    """Forget lineages and the time they held."""
    if ids:
        connection.execute(delete(occurrence).where(occurrence.c.booking_id.in_(ids)))
        connection.execute(delete(booking).where(booking.c.id.in_(ids)))


def _booking(row: Row[Any]) -> BookingRow:
    return BookingRow(**{name: getattr(row, name) for name in BookingRow.__slots__})
