"""Calendar objects, and what readers are told of changes."""

import pytest

from store.bookings import (
    DECLINED,
)
from store.calendar_objects import drop_object, save_object, save_range
from store.calendars import LockedCalendar, lock_calendar
from store.mailboxes import Mailbox
from store.occurrences import (
    OccurrenceRow,
    replace_occurrences,
)
from store.schema import booking, calendar_change, calendar_object
from tests.support.calendars import book, held
from tests.support.mailboxes import PostOffice


@pytest.fixture
def room(post_office: PostOffice) -> Mailbox:
    return post_office.mailbox()


def changes(office: PostOffice, locked: LockedCalendar) -> list[int]:
    rows = office.rows(calendar_change, calendar_change.c.calendar_id == locked.id)
    return [row.number for row in rows]


def test_an_object_follows_its_bookings(post_office: PostOffice, room: Mailbox) -> None:
    booking_id = book(post_office, room, "u\u00fc")
    book(post_office, room, "declined", state=DECLINED)
    objects = []
    for content in ("BEGIN:VCALENDAR one", "BEGIN:VCALENDAR two"):
        with post_office.database.write() as connection:
            locked = lock_calendar(connection, room.id)
            objects.append(save_object(connection, locked, "u\u00fc", content))
            rows = [OccurrenceRow(10, 20, "a"), OccurrenceRow(30, 45, "b")]
            replace_occurrences(connection, locked, booking_id, objects[-1], rows)
            save_range(connection, objects[-1])
    assert objects[0] == objects[1]
    assert changes(post_office, locked) == [locked.version]  # once, with the newest number
    (stored,) = post_office.rows(calendar_object, calendar_object.c.id == objects[0])
    assert (stored.content, stored.uid) == ("BEGIN:VCALENDAR two", "u\u00fc")
    assert (stored.range_start, stored.range_end, stored.component) == (10, 45, "VEVENT")
    (row,) = post_office.rows(booking, booking.c.id == booking_id)
    assert row.object_id == objects[0]
    with post_office.database.write() as connection:
        later = lock_calendar(connection, room.id)
        drop_object(connection, later, "u\u00fc")
        drop_object(connection, later, "declined")  # which has none
    assert not post_office.rows(calendar_object, calendar_object.c.id == objects[0])
    assert changes(post_office, later) == [later.version]
    (row,) = post_office.rows(booking, booking.c.id == booking_id)
    assert row.object_id is None
    assert len(held(post_office, room, 0, 100)) == 2  # the time is the booking's, not the object's


def test_an_etag_is_of_the_content(post_office: PostOffice, room: Mailbox) -> None:
    etags = []
    for content in ("one", "two", "one"):
        with post_office.database.write() as connection:
            locked = lock_calendar(connection, room.id)
            object_id = save_object(connection, locked, "u", content)
        (row,) = post_office.rows(calendar_object, calendar_object.c.id == object_id)
        etags.append(row.etag)
    assert etags[0] == etags[2] != etags[1]
