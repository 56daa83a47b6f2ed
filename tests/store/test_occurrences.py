"""Busy time: ranges, clashes, and the list of what is booked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.bookings import ACCEPTED, save_booking
from store.calendars import lock_calendar
from store.listed_bookings import list_bookings
from store.mailboxes import Mailbox
from store.occurrences import (
    CLASH,
    HeldTime,
    OccurrenceRow,
    add_occurrences,
    all_held,
    declined_by,
    farthest_booked,
    held_between,
)
from store.schema import occurrence
from tests.support.calendars import book, calendar_of, held
from tests.support.mailboxes import PostOffice

HOUR = 3600


@pytest.fixture
def room(post_office: PostOffice) -> Mailbox:
    return post_office.mailbox()


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [
        (0, 10, False),  # ends where the booking begins
        (0, 11, True),
        (19, 30, True),
        (20, 30, False),  # begins where the booking ends
        (12, 15, True),
        (10, 20, True),
        (0, 100, True),
        (15, 15, True),  # an instant within it
        (10, 10, False),
    ],
)
def test_intervals_are_half_open(
    post_office: PostOffice, room: Mailbox, start: int, end: int, holds: bool
) -> None:
    book(post_office, room, "u", (10, 20))
    assert bool(held(post_office, room, start, end)) is holds


_SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), max_size=12)


@settings(max_examples=20, deadline=None)
@given(spans=_SPANS, start=st.integers(0, 100), length=st.integers(1, 30))
def test_a_range_finds_exactly_what_overlaps_it(
    post_office: PostOffice, spans: list[tuple[int, int]], start: int, length: int
) -> None:
    room = post_office.mailbox()
    times = [(first, first + span) for first, span in spans]
    book(post_office, room, "u", *times)
    found = held(post_office, room, start, start + length)
    expected = sorted((s, e) for s, e in times if s < start + length and e > start)
    assert sorted((one.start, one.end) for one in found) == expected


def test_a_long_booking_is_found_far_from_its_start(post_office: PostOffice, room: Mailbox) -> None:
    book(post_office, room, "short", *((day * 86_400, day * 86_400 + HOUR) for day in range(1, 30)))
    conference = book(post_office, room, "long", (0, 40 * 86_400))
    assert calendar_of(post_office, room).longest == 40 * 86_400
    found = held(post_office, room, 39 * 86_400, 39 * 86_400 + 1)
    assert [one.booking_id for one in found] == [conference]


def test_what_this_transaction_has_just_stored_is_found(
    post_office: PostOffice, room: Mailbox
) -> None:
    """It may be longer than anything that was there when the calendar was locked."""
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        booking_id = save_booking(connection, locked, None, {"uid": "u", "state": ACCEPTED})
        add_occurrences(connection, locked, booking_id, None, [OccurrenceRow(0, 100 * HOUR, "")])
        assert held_between(connection, locked, 99 * HOUR, 100 * HOUR)


def test_some_bookings_may_be_left_out(post_office: PostOffice, room: Mailbox) -> None:
    first = book(post_office, room, "a", (0, 10))
    second = book(post_office, room, "b", (5, 15))
    assert {one.booking_id for one in held(post_office, room, 0, 20)} == {first, second}
    found = held(post_office, room, 0, 20, (first,))
    assert [one.booking_id for one in found] == [second]


def test_rooms_do_not_see_each_other(post_office: PostOffice, room: Mailbox) -> None:
    book(post_office, post_office.mailbox(), "u", (0, 10))
    assert held(post_office, room, 0, 10) == []


def test_a_clash_and_an_empty_occurrence_hold_nothing(
    post_office: PostOffice, room: Mailbox
) -> None:
    booking_id = book(post_office, room, "u", (0, 10), (10, 10), (20, 15))
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        clash = OccurrenceRow(30, 40, "r30", CLASH)
        add_occurrences(connection, locked, booking_id, None, [clash])
        assert held_between(connection, locked, 0, 100) == [HeldTime(0, 10, booking_id)]
        assert all_held(connection, locked.id) == [HeldTime(0, 10, booking_id)]
        (shown,) = declined_by(connection, [booking_id, -1])
        assert (shown.start, shown.end, shown.recurrence_id) == (30, 40, "r30")
    assert len(post_office.rows(occurrence, occurrence.c.booking_id == booking_id)) == 2


def test_how_far_a_resource_is_booked(post_office: PostOffice, room: Mailbox) -> None:
    with post_office.database.read() as connection:
        assert farthest_booked(connection, room.id, 0) == 0
    book(post_office, room, "u", (0, 50), (100, 110))
    with post_office.database.read() as connection:
        assert farthest_booked(connection, room.id, 0) == 110
        assert farthest_booked(connection, room.id, 1000) == 0


def test_bookings_are_listed_by_their_time(post_office: PostOffice, room: Mailbox) -> None:
    series = book(post_office, room, "series", (30, 40), (10, 20), recurring=True)
    book(post_office, room, "single", (15, 25), organizer="anna@example.org", sequence=2)
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        clash = [OccurrenceRow(50, 60, "50", CLASH)]
        add_occurrences(connection, locked, series, None, clash)

    def listed(*window: int | None) -> list[tuple[str, int]]:
        with post_office.database.read() as connection:
            return [(one.uid, one.start) for one in list_bookings(connection, room.id, *window)]

    everything = [("series", 10), ("single", 15), ("series", 30), ("series", 50)]
    assert listed() == everything
    assert listed(20) == everything[1:]  # half-open, as everywhere
    assert listed(None, 30) == everything[:2]
    assert listed(25, 50) == everything[2:3]
    with post_office.database.read() as connection:
        found = list_bookings(connection, room.id)
    assert [one.status for one in found] == [ACCEPTED] * 3 + [CLASH]
    assert [one.recurring for one in found] == [True, False, True, True]
    assert (found[1].organizer, found[1].sequence, found[1].end) == ("anna@example.org", 2, 25)
