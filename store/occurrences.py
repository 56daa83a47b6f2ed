"""Busy time: when each booking holds its resource.

The table is a cache that can be made anew from the bookings' sources; reading it whole or not at all is what keeps
a room from being booked twice.  Instants are epoch seconds (UTC), intervals half-open.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from store.calendars import LockedCalendar
from store.hot import HotStatement
from store.schema import booking, calendar, occurrence
from store.spans import SPANS, Span, span_values

BUSY = "busy"

CLASH = "clash"  # an occurrence that was declined; shown to people, holds nothing


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


class StoredOccurrence(NamedTuple):
    """An occurrence as it is stored; `busy_type` is BUSY or CLASH."""

    start: int
    end: int
    recurrence_id: str
    busy_type: str
    booking_id: int


def _held_during(spans: FromClause) -> HotStatement:
    # Read anew: this transaction may have stored a longer occurrence since it took the lock.
    longest = select(calendar.c.longest).where(calendar.c.id == _CALENDAR).scalar_subquery()
    meets = and_(
        occurrence.c.calendar_id == _CALENDAR,
        occurrence.c.starts_at < spans.c.last,
        occurrence.c.starts_at > spans.c.first - longest,
        occurrence.c.ends_at > spans.c.first,
        occurrence.c.busy_type == literal_column(f"'{BUSY}'"),
    )
    held = (occurrence.c.starts_at, occurrence.c.ends_at, occurrence.c.booking_id)
    # An outer join leaves no choice but one short look at the index for each span, whatever statistics say.
    return HotStatement(
        select(occurrence.c.id, *held).select_from(spans.outerjoin(occurrence, meets))
    )


_CALENDAR = bindparam("calendar_id", type_=BigInteger)
_HELD_DURING = {dialect: _held_during(spans) for dialect, spans in SPANS.items()}


def held_during(
    connection: Connection,
    locked: LockedCalendar,
    spans: Collection[Span],
    without: Collection[int] = (),
) -> list[HeldTime]:
    """Everything that holds the resource at some instant of the spans, each occurrence once, in no order.

    Bookings in `without` are left out.  One statement, however many spans there are.
    """
    if not spans:
        return []
    dialect = connection.dialect.name
    values = {"calendar_id": locked.id, **span_values(dialect, spans)}
    rows = _HELD_DURING[dialect].rows(connection, values)
    # By the row's id, because two occurrences of one booking may hold the same time.
    found = {row[0]: HeldTime(row[1], row[2], row[3]) for row in rows if row[0] is not None}
    return [one for one in found.values() if one.booking_id not in without]


def held_between(
    connection: Connection,
    locked: LockedCalendar,
    start: int,
    end: int,
    without: Collection[int] = (),
) -> list[HeldTime]:
    """Everything that holds the resource at some instant of [start, end), bookings in `without` left out."""
    return held_during(connection, locked, [HeldTime(start, end, 0)], without)


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


def declined_by(connection: Connection, booking_ids: Sequence[int]) -> list[StoredOccurrence]:
    """The occurrences of these lineages that were declined, by start; they hold nothing."""
    query = (
        select(
            occurrence.c.starts_at,
            occurrence.c.ends_at,
            occurrence.c.recurrence_id,
            occurrence.c.busy_type,
            occurrence.c.booking_id,
        )
        .where(occurrence.c.booking_id.in_(booking_ids), occurrence.c.busy_type == CLASH)
        .order_by(occurrence.c.starts_at)
    )
    return [StoredOccurrence(*row) for row in connection.execute(query)]


def all_held(connection: Connection, calendar_id: int) -> list[HeldTime]:
    """Everything that holds the resource, by start; for an audit."""
    query = (
        select(occurrence.c.starts_at, occurrence.c.ends_at, occurrence.c.booking_id)
        .where(occurrence.c.calendar_id == calendar_id, occurrence.c.busy_type == BUSY)
        .order_by(occurrence.c.starts_at)
    )
    return [HeldTime(*row) for row in connection.execute(query)]


def busy_between(connection: Connection, calendar_id: int, start: int, end: int) -> list[HeldTime]:
    """Everything that holds the resource at some instant of [start, end), by start; for free/busy.

    A series counts as far as it is held (see `short_series`), however long the range is.
    """
    longest = select(calendar.c.longest).where(calendar.c.id == calendar_id).scalar_subquery()
    query = (
        select(occurrence.c.starts_at, occurrence.c.ends_at, occurrence.c.booking_id)
        .where(
            occurrence.c.calendar_id == calendar_id,
            occurrence.c.starts_at < end,
            occurrence.c.starts_at > start - longest,
            occurrence.c.ends_at > start,
            occurrence.c.busy_type == BUSY,
        )
        .order_by(occurrence.c.starts_at)
    )
    return [HeldTime(*row) for row in connection.execute(query)]


def all_occurrences(connection: Connection, calendar_id: int) -> list[StoredOccurrence]:
    """Every occurrence of a calendar, clashes included, by start; for an audit."""
    query = (
        select(
            occurrence.c.starts_at,
            occurrence.c.ends_at,
            occurrence.c.recurrence_id,
            occurrence.c.busy_type,
            occurrence.c.booking_id,
        )
        .where(occurrence.c.calendar_id == calendar_id)
        .order_by(occurrence.c.starts_at, occurrence.c.id)
    )
    return [StoredOccurrence(*row) for row in connection.execute(query)]


def _farthest() -> HotStatement:
    other = occurrence.alias()
    last = (
        select(func.max(other.c.starts_at))
        .where(other.c.calendar_id == calendar.c.id)
        .scalar_subquery()
    )
    one: ColumnElement[int] = literal_column("1")
    reached = case((booking.c.recurring, occurrence.c.starts_at + one), else_=occurrence.c.ends_at)
    return HotStatement(
        select(func.max(reached))
        .select_from(occurrence)
        .join(booking, booking.c.id == occurrence.c.booking_id)
        .join(calendar, calendar.c.id == occurrence.c.calendar_id)
        .where(
            calendar.c.store_id == bindparam("store_id"),
            occurrence.c.starts_at > bindparam("beyond", type_=BigInteger) - calendar.c.longest,
            occurrence.c.ends_at > bindparam("beyond", type_=BigInteger),
            # What starts earlier ends before the last one starts, so few rows are looked at.
            occurrence.c.starts_at >= last - calendar.c.longest,
        )
    )


_FARTHEST = _farthest()


def farthest_booked(connection: Connection, store_id: int, beyond: int) -> int:
    """How far beyond an instant a resource is booked, in epoch seconds; 0 where it is not.

    Of a series only the last start counts: were it the end, holding every series up to there would move it on.
    """
    asked = {"store_id": store_id, "beyond": beyond}
    ((reached,),) = _FARTHEST.rows(connection, asked)
    return int(reached or 0)


_INSERT = HotStatement(insert(occurrence))
_DELETE = HotStatement(
    delete(occurrence).where(occurrence.c.booking_id == bindparam("lineage", type_=BigInteger))
)
_LENGTHEN = HotStatement(
    update(calendar)
    .where(calendar.c.id == _CALENDAR, calendar.c.longest < bindparam("length", type_=BigInteger))
    .values(longest=bindparam("length"))
)


def replace_occurrences(
    connection: Connection,
    locked: LockedCalendar,
    booking_id: int,
    object_id: int | None,
    rows: Iterable[OccurrenceRow],
) -> None:
    """Give a lineage the time it holds from now on, instead of what it held."""
    _DELETE.each(connection, [{"lineage": booking_id}])
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
    _INSERT.each(connection, values)
    longest = max(v["ends_at"] - v["starts_at"] for v in values)
    if longest > locked.longest:
        _LENGTHEN.each(connection, [{"calendar_id": locked.id, "length": longest}])


def drop_occurrence(connection: Connection, booking_id: int, recurrence_id: str) -> int:
    """Free the time of one occurrence of a lineage; return how many there were, 0 or 1."""
    gone = connection.execute(
        delete(occurrence).where(
            occurrence.c.booking_id == booking_id, occurrence.c.recurrence_id == recurrence_id
        )
    )
    return gone.rowcount


def drop_strays(connection: Connection, calendar_id: int) -> None:
    """Free the time of a calendar that no booking of it stands for; there is none unless somebody has tampered."""
    own = select(booking.c.id).where(booking.c.calendar_id == calendar_id)
    connection.execute(
        delete(occurrence).where(
            occurrence.c.calendar_id == calendar_id, occurrence.c.booking_id.not_in(own)
        )
    )


def drop_occurrences_from(
    connection: Connection, booking_id: int, recurrence_id: str, before: str | None = None
) -> None:
    """Free the time of one occurrence of a lineage and of all that follow it by their recurrence ids.

    With `before` only of those whose ids come before that one.
    """
    freed = delete(occurrence).where(
        occurrence.c.booking_id == booking_id, occurrence.c.recurrence_id >= recurrence_id
    )
    if before is not None:
        freed = freed.where(occurrence.c.recurrence_id < before)
    connection.execute(freed)
