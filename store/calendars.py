"""Calendars: collections, their objects, the bookings behind them, and busy time by range.

`occurrence` is a cache that can be rebuilt from the bookings' sources; reading it whole or not at all is what keeps
a room from being booked twice.  Instants are epoch seconds (UTC), intervals half-open.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from mailcore.errors import TemporaryError
from store.mailboxes import DEFAULT_CALENDAR
from store.schema import (
    booking,
    calendar,
    calendar_change,
    calendar_object,
    mailbox_store,
    occurrence,
)

ACCEPTED = "accepted"
DECLINED = "declined"
CANCELLED = "cancelled"
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
class LockedCalendar:
    """A calendar whose version the current transaction has raised: nobody else can book until it ends."""

    id: int
    store_id: int
    version: int
    longest: int
    zone_data: str


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


def lock_calendar(connection: Connection, store_id: int) -> LockedCalendar:
    """Raise the calendar's version: the first statement of every transaction that books or frees."""
    row = connection.execute(
        update(calendar)
        .where(calendar.c.store_id == store_id, calendar.c.name == DEFAULT_CALENDAR)
        .values(version=calendar.c.version + 1)
        .returning(calendar)
    ).first()
    if row is None:
        raise TemporaryError(f"mailbox {store_id} has no calendar")
    return LockedCalendar(row.id, row.store_id, row.version, row.longest, row.zone_data)


def calendar_ids(connection: Connection, store_id: int | None = None) -> list[tuple[int, int]]:
    """(calendar id, store id) of one store or of every store that somebody owns."""
    query = select(calendar.c.id, calendar.c.store_id).join(
        mailbox_store, mailbox_store.c.id == calendar.c.store_id
    )
    if store_id is not None:
        query = query.where(calendar.c.store_id == store_id)
    return [(row.id, row.store_id) for row in connection.execute(query.order_by(calendar.c.id))]


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


def farthest_booked(connection: Connection, store_id: int, beyond: int) -> int:
    """How far beyond an instant a resource is booked, in epoch seconds; 0 where it is not.

    Of a series only the last start counts: were it the end, holding every series up to there would move it on.
    """
    reached = case((booking.c.recurring, occurrence.c.starts_at + 1), else_=occurrence.c.ends_at)
    query = (
        select(func.max(reached))
        .select_from(occurrence)
        .join(booking, booking.c.id == occurrence.c.booking_id)
        .join(calendar, calendar.c.id == occurrence.c.calendar_id)
        .where(
            calendar.c.store_id == store_id, occurrence.c.starts_at > beyond - calendar.c.longest
        )
    )
    return int(connection.execute(query).scalar() or 0)


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


def save_object(connection: Connection, locked: LockedCalendar, uid: str, content: str) -> int:
    """Write the calendar object of a UID, as CalDAV readers will see it; return its id."""
    values = {
        "etag": hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32],
        "component": "VEVENT",
        "content": content,
    }
    href = hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest()[:40] + ".ics"
    object_id = connection.execute(
        update(calendar_object)
        .where(calendar_object.c.calendar_id == locked.id, calendar_object.c.href == href)
        .values(**values)
        .returning(calendar_object.c.id)
    ).scalar()
    if object_id is None:
        row = {**values, "calendar_id": locked.id, "href": href, "uid": uid}
        object_id = connection.execute(
            insert(calendar_object).returning(calendar_object.c.id), row
        ).scalar_one()
    connection.execute(
        update(booking)
        .where(
            booking.c.calendar_id == locked.id, booking.c.uid == uid, booking.c.state == ACCEPTED
        )
        .values(object_id=object_id)
    )
    _note_change(connection, locked, href)
    return int(object_id)


def save_range(connection: Connection, object_id: int) -> None:
    """Write the range that encloses the object's occurrences, once these are written."""
    ends = connection.execute(
        select(func.min(occurrence.c.starts_at), func.max(occurrence.c.ends_at)).where(
            occurrence.c.object_id == object_id
        )
    ).one()
    connection.execute(
        update(calendar_object)
        .where(calendar_object.c.id == object_id)
        .values(range_start=ends[0], range_end=ends[1])
    )


def drop_object(connection: Connection, locked: LockedCalendar, uid: str) -> None:
    """Remove the calendar object of a UID; its bookings stay, for the lineage."""
    found = connection.execute(
        select(calendar_object.c.id, calendar_object.c.href).where(
            calendar_object.c.calendar_id == locked.id, calendar_object.c.uid == uid
        )
    ).first()
    if found is None:
        return
    connection.execute(
        update(booking).where(booking.c.object_id == found.id).values(object_id=None)
    )
    connection.execute(
        update(occurrence).where(occurrence.c.object_id == found.id).values(object_id=None)
    )
    connection.execute(delete(calendar_object).where(calendar_object.c.id == found.id))
    _note_change(connection, locked, found.href)


def set_zone_data(connection: Connection, locked: LockedCalendar, version: str) -> None:
    """Remember which time-zone data the occurrences were made with."""
    connection.execute(update(calendar).where(calendar.c.id == locked.id).values(zone_data=version))


def touch_store(connection: Connection, store_id: int) -> None:
    """Raise the store's change number; the last statement of a change that files no mail."""
    connection.execute(
        update(mailbox_store)
        .where(mailbox_store.c.id == store_id)
        .values(change_number=mailbox_store.c.change_number + 1)
    )


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


def _note_change(connection: Connection, locked: LockedCalendar, href: str) -> None:
    gone = (
        calendar_change.c.calendar_id == locked.id,
        calendar_change.c.href == href,
    )
    connection.execute(delete(calendar_change).where(*gone))
    row = {"calendar_id": locked.id, "number": locked.version, "href": href}
    connection.execute(insert(calendar_change), [row])


def _booking(row: Row[Any]) -> BookingRow:
    return BookingRow(**{name: getattr(row, name) for name in BookingRow.__slots__})
