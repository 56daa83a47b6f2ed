"""Bookings in a room's calendar, without a booker."""

from typing import Any

from store.bookings import ACCEPTED, save_booking
from store.calendars import lock_calendar
from store.mailboxes import Mailbox
from store.occurrences import HeldTime, OccurrenceRow, add_occurrences, held_between
from store.schema import calendar
from tests.support.mailboxes import PostOffice


def book(office: PostOffice, room: Mailbox, uid: str, *spans: tuple[int, int], **more: Any) -> int:
    """Store an accepted booking that holds the spans; return its id."""
    values = {"uid": uid, "state": ACCEPTED, "summary": uid, **more}
    with office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        booking_id = save_booking(connection, locked, None, values)
        rows = [OccurrenceRow(start, end, str(start)) for start, end in spans]
        add_occurrences(connection, locked, booking_id, None, rows)
    return booking_id


def held(
    office: PostOffice, room: Mailbox, start: int, end: int, without: tuple[int, ...] = ()
) -> list[HeldTime]:
    """What holds the room at some instant of [start, end)."""
    with office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        return held_between(connection, locked, start, end, without)


def calendar_of(office: PostOffice, room: Mailbox) -> Any:
    """The row of the room's calendar."""
    return office.rows(calendar, calendar.c.store_id == room.id)[0]
