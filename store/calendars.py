"""Calendars: which there are, and the lock that every decision about one takes.

The bookings of a calendar are in `store/bookings.py`, the time they hold in `store/occurrences.py`, the objects that
CalDAV readers see in `store/calendar_objects.py`.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from mailcore.errors import TemporaryError
from store.mailboxes import DEFAULT_CALENDAR
from store.schema import calendar, mailbox_store


@dataclass(frozen=True, slots=True)
class LockedCalendar:
    """A calendar whose version the current transaction has raised: nobody else can book until it ends."""

    id: int
    store_id: int
    version: int
    longest: int
    zone_data: str


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
