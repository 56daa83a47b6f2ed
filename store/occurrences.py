"""Busy time: when each booking holds its resource.

The table is a cache that can be made anew from the bookings' sources; reading it whole or not at all is what keeps
a room from being booked twice.  Instants are epoch seconds (UTC), intervals half-open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, case, delete, func, insert, select, update

from store.calendars import LockedCalendar
from store.schema import booking, calendar, occurrence

BUSY = "busy"

CLASH = "clash"  # found when an endless series was extended; holds nothing


class HeldTime(NamedTuple):
    """One occurrence that holds the resource."""

    start: int
    end: int
    booking_id: int


class OccurrenceRow(NamedTuple):
    """An occurrence to be stored; `busy_type` is BUSY or CLASH."""

    start: int
    end: int
    recurrence_id: str
    busy_type: str = BUSY


@dataclass(frozen=True, slots=True)
class ListedBooking:
    """One occurrence of a booking, for people; `start` and `end` in epoch seconds."""

    uid: str
    recurrence_id: str
    sequence: int
    organizer: str
    summary: str
    start: int
    end: int
    status: str
    recurring: bool


def held_between(
    connection: Connection,
    locked: LockedCalendar,
    start: int,
    end: int,
    without: Sequence[int] = (),
) -> list[HeldTime]:
    """Everything that holds the resource at some instant of [start, end), bookings in `without` left out."""
    # Read anew: this transaction may have stored a longer occurrence since it took the lock.
    longest = select(calendar.c.longest).where(calendar.c.id == locked.id).scalar_subquery()
    query = select(occurrence.c.starts_at, occurrence.c.ends_at, occurrence.c.booking_id).where(
        occurrence.c.calendar_id == locked.id,
        occurrence.c.starts_at < end,
        occurrence.c.starts_at > start - longest,
        occurrence.c.ends_at > start,
        occurrence.c.busy_type == BUSY,
    )
    return [
        HeldTime(row.starts_at, row.ends_at, row.booking_id)
        for row in connection.execute(query)
        if row.booking_id not in without
    ]


def held_by(
    connection: Connection, booking_ids: Sequence[int], recurrence_ids: Sequence[str] | None = None
) -> list[HeldTime]:
    """What lineages hold, or what they hold as instances with these ids."""
    query = select(occurrence.c.starts_at, occurrence.c.ends_at, occurrence.c.booking_id).where(
        occurrence.c.booking_id.in_(booking_ids), occurrence.c.busy_type == BUSY
    )
    if recurrence_ids is not None:
        query = query.where(occurrence.c.recurrence_id.in_(recurrence_ids))
    return [HeldTime(*row) for row in connection.execute(query)]


def all_held(connection: Connection, calendar_id: int) -> list[HeldTime]:
    """Everything that holds the resource, by start; for an audit."""
    query = (
        select(occurrence.c.starts_at, occurrence.c.ends_at, occurrence.c.booking_id)
        .where(occurrence.c.calendar_id == calendar_id, occurrence.c.busy_type == BUSY)
        .order_by(occurrence.c.starts_at)
    )
    return [HeldTime(*row) for row in connection.execute(query)]


def load_clashes(connection: Connection, booking_id: int) -> set[str]:
    """The recurrence ids of a lineage's occurrences that hold nothing."""
    query = select(occurrence.c.recurrence_id).where(
        occurrence.c.booking_id == booking_id, occurrence.c.busy_type == CLASH
    )
    return set(connection.execute(query).scalars())


def _farthest() -> Select[int]:
    other = occurrence.alias()
    last = (
        select(func.max(other.c.starts_at))
        .where(other.c.calendar_id == calendar.c.id)
        .scalar_subquery()
    )
    reached = case((booking.c.recurring, occurrence.c.starts_at + 1), else_=occurrence.c.ends_at)
    return (
        select(func.max(reached))
        .select_from(occurrence)
        .join(booking, booking.c.id == occurrence.c.booking_id)
        .join(calendar, calendar.c.id == occurrence.c.calendar_id)
        .where(
            calendar.c.store_id == bindparam("store_id"),
            occurrence.c.starts_at > bindparam("beyond") - calendar.c.longest,
            # What starts earlier ends before the last one starts, so few rows are looked at.
            occurrence.c.starts_at >= last - calendar.c.longest,
        )
    )


_FARTHEST = _farthest()  # made once: building it takes longer than running it


def farthest_booked(connection: Connection, store_id: int, beyond: int) -> int:
    """How far beyond an instant a resource is booked, in epoch seconds; 0 where it is not.

    Of a series only the last start counts: were it the end, holding every series up to there would move it on.
    """
    asked = {"store_id": store_id, "beyond": beyond}
    return int(connection.execute(_FARTHEST, asked).scalar() or 0)


def replace_occurrences(
    connection: Connection,
    locked: LockedCalendar,
    booking_id: int,
    object_id: int | None,
    rows: Iterable[OccurrenceRow],
) -> None:
    """Give a lineage the time it holds from now on, instead of what it held."""
    connection.execute(delete(occurrence).where(occurrence.c.booking_id == booking_id))
    add_occurrences(connection, locked, booking_id, object_id, rows)


def add_occurrences(
    connection: Connection,
    locked: LockedCalendar,
    booking_id: int,
    object_id: int | None,
    rows: Iterable[OccurrenceRow],
) -> None:
    """Let a lineage hold more time."""
    values: list[dict[str, Any]] = [
        {
            "calendar_id": locked.id,
            "object_id": object_id,
            "booking_id": booking_id,
            "recurrence_id": row.recurrence_id,
            "starts_at": row.start,
            "ends_at": row.end,
            "busy_type": row.busy_type,
        }
        for row in rows
        if row.end > row.start
    ]
    if not values:
        return
    connection.execute(insert(occurrence), values)
    longest = max(v["ends_at"] - v["starts_at"] for v in values)
    connection.execute(
        update(calendar)
        .where(calendar.c.id == locked.id, calendar.c.longest < longest)
        .values(longest=longest)
    )


def drop_occurrence(connection: Connection, booking_id: int, recurrence_id: str) -> int:
    """Free the time of one occurrence of a lineage; return how many there were, 0 or 1."""
    gone = connection.execute(
        delete(occurrence).where(
            occurrence.c.booking_id == booking_id, occurrence.c.recurrence_id == recurrence_id
        )
    )
    return gone.rowcount


def list_bookings(
    connection: Connection, store_id: int, since: int | None = None, until: int | None = None
) -> list[ListedBooking]:
    """The occurrences held (and clashes found later) between two instants, by start."""
    query = (
        select(booking, occurrence)
        .join_from(occurrence, booking, booking.c.id == occurrence.c.booking_id)
        .join(calendar, calendar.c.id == booking.c.calendar_id)
        .where(calendar.c.store_id == store_id)
        .order_by(occurrence.c.starts_at, occurrence.c.id)
    )
    if since is not None:
        query = query.where(occurrence.c.ends_at > since)
    if until is not None:
        query = query.where(occurrence.c.starts_at < until)
    return [
        ListedBooking(
            uid=row[booking.c.uid],
            recurrence_id=row[occurrence.c.recurrence_id],
            sequence=row[booking.c.sequence],
            organizer=row[booking.c.organizer],
            summary=row[booking.c.summary],
            start=row[occurrence.c.starts_at],
            end=row[occurrence.c.ends_at],
            status=CLASH if row[occurrence.c.busy_type] == CLASH else row[booking.c.state],
            recurring=row[booking.c.recurring],
        )
        for row in connection.execute(query).mappings()
    ]
