"""Calendars: the lock, and marks on them."""

import threading

import pytest

from mailcore.errors import TemporaryError
from store.bookings import ACCEPTED, save_booking
from store.calendars import calendar_ids, lock_calendar, set_zone_data, touch_store
from store.engine import Database
from store.mailboxes import Mailbox
from store.occurrences import (
    HeldTime,
    OccurrenceRow,
    add_occurrences,
    held_between,
)
from tests.support.calendars import calendar_of
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import PostOffice

HOUR = 3600


@pytest.fixture
def room(post_office: PostOffice) -> Mailbox:
    return post_office.mailbox()


def test_locking_raises_the_version(post_office: PostOffice, room: Mailbox) -> None:
    versions = []
    for _ in range(2):
        with post_office.database.write() as connection:
            versions.append(lock_calendar(connection, room.id).version)
    assert versions == [1, 2]


def test_a_store_without_a_calendar_is_not_a_free_one(post_office: PostOffice) -> None:
    no_calendar = pytest.raises(TemporaryError, match="mailbox -1 has no calendar")
    with no_calendar, post_office.database.write() as connection:
        lock_calendar(connection, -1)


def test_two_bookers_decide_one_after_the_other(post_office: PostOffice, room: Mailbox) -> None:
    """The second sees what the first has committed, although it began before."""
    other = Database(post_office.database.url.render_as_string(hide_password=False))
    begun = threading.Event()
    seen: list[list[HeldTime]] = []

    def second() -> None:
        begun.set()
        with other.write() as connection:
            locked = lock_calendar(connection, room.id)
            seen.append(held_between(connection, locked, 0, HOUR))

    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        thread = threading.Thread(target=second)
        thread.start()
        assert begun.wait(10)
        if not other.embedded:
            wait_for_a_waiting_lock(post_office.database)
        booking_id = save_booking(connection, locked, None, {"uid": "u", "state": ACCEPTED})
        add_occurrences(connection, locked, booking_id, None, [OccurrenceRow(0, HOUR, "")])
        assert not seen
    thread.join(30)
    other.close()
    assert seen == [[HeldTime(0, HOUR, booking_id)]]


def test_marks_on_calendar_and_store(post_office: PostOffice, room: Mailbox) -> None:
    before = post_office.store(room).change_number
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        assert locked.zone_data == ""
        set_zone_data(connection, locked, "2030a")
        touch_store(connection, room.id)
    assert calendar_of(post_office, room).zone_data == "2030a"
    assert post_office.store(room).change_number == before + 1


def test_calendars_are_found_by_store(post_office: PostOffice, room: Mailbox) -> None:
    calendar_id = calendar_of(post_office, room).id
    with post_office.database.read() as connection:
        assert (calendar_id, room.id) in calendar_ids(connection)
        assert calendar_ids(connection, room.id) == [(calendar_id, room.id)]
        assert calendar_ids(connection, -1) == []
