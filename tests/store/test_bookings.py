"""Bookings: the lineages of a UID."""

import pytest

from store.bookings import (
    ACCEPTED,
    DECLINED,
    drop_bookings,
    load_all_lineages,
    load_lineages,
    save_booking,
    short_series,
)
from store.calendars import lock_calendar
from store.mailboxes import Mailbox
from store.occurrences import (
    HeldTime,
    OccurrenceRow,
    drop_occurrence,
    held_between,
    replace_occurrences,
)
from store.schema import booking
from tests.support.calendars import book, calendar_of, held
from tests.support.mailboxes import PostOffice


@pytest.fixture
def room(post_office: PostOffice) -> Mailbox:
    return post_office.mailbox()


def test_lineages_come_master_first(post_office: PostOffice, room: Mailbox) -> None:
    for recurrence_id in ("20300102T090000Z", "", "20300101T090000Z"):
        book(post_office, room, "series", recurrence_id=recurrence_id, sequence=3)
    book(post_office, room, "another")
    with post_office.database.read() as connection:
        found = load_lineages(connection, room.id, "series")
        everything = load_all_lineages(connection, calendar_of(post_office, room).id)
        assert load_lineages(connection, -1, "series") == []
    keys = ["", "20300101T090000Z", "20300102T090000Z"]
    assert [one.recurrence_id for one in found] == keys
    assert {(one.uid, one.state, one.sequence) for one in found} == {("series", ACCEPTED, 3)}
    assert [one.uid for one in everything] == ["another", *["series"] * 3]


def test_a_lineage_is_changed_in_place(post_office: PostOffice, room: Mailbox) -> None:
    booking_id = book(post_office, room, "u", (0, 10))
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        values = {"state": DECLINED, "reply": b"\0\xff", "source": "BEGIN"}
        assert save_booking(connection, locked, booking_id, values) == booking_id
        replace_occurrences(connection, locked, booking_id, None, [OccurrenceRow(50, 60, "x")])
        assert held_between(connection, locked, 0, 100) == [HeldTime(50, 60, booking_id)]
        assert drop_occurrence(connection, booking_id, "x") == 1
        assert drop_occurrence(connection, booking_id, "x") == 0
        assert held_between(connection, locked, 0, 100) == []
        (found,) = load_lineages(connection, room.id, "u")
    assert (found.state, found.reply, found.source) == (DECLINED, b"\0\xff", "BEGIN")
    (row,) = post_office.rows(booking, booking.c.id == booking_id)
    assert row.updated_at > row.created_at


def test_dropped_bookings_hold_nothing_any_more(post_office: PostOffice, room: Mailbox) -> None:
    gone = [book(post_office, room, uid, (0, 10)) for uid in "ab"]
    stays = book(post_office, room, "c", (0, 10))
    with post_office.database.write() as connection:
        drop_bookings(connection, gone)
        drop_bookings(connection, [])
    assert [one.booking_id for one in held(post_office, room, 0, 10)] == [stays]
    assert not post_office.rows(booking, booking.c.id.in_(gone))


def test_the_series_that_are_not_held_far_enough(post_office: PostOffice, room: Mailbox) -> None:
    for uid, until in (("ends", None), ("near", 100), ("far", 200), ("nearer", 50)):
        book(post_office, room, uid, materialised_until=until)
    with post_office.database.read() as connection:
        found = short_series(connection, calendar_of(post_office, room).id, 200)
    assert [one.uid for one in found] == ["near", "nearer"]  # oldest booking first
