"""What holds a resource at any of many times: all of it, each occurrence once."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.calendars import lock_calendar
from store.mailboxes import Mailbox
from store.occurrences import (
    CLASH,
    HeldTime,
    OccurrenceRow,
    add_occurrences,
    held_between,
    held_during,
)
from tests.support.calendars import book
from tests.support.mailboxes import PostOffice


class Asked(NamedTuple):
    start: int
    end: int


@pytest.fixture
def room(post_office: PostOffice) -> Mailbox:
    return post_office.mailbox()


def found(
    office: PostOffice,
    room: Mailbox,
    spans: Sequence[tuple[int, int]],
    without: Sequence[int] = (),
) -> list[HeldTime]:
    with office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        return sorted(held_during(connection, locked, [Asked(*span) for span in spans], without))


def clash(office: PostOffice, room: Mailbox, booking_id: int, start: int, end: int) -> None:
    with office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        row = OccurrenceRow(start, end, "clash", CLASH)
        add_occurrences(connection, locked, booking_id, None, [row])


_HELD = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), max_size=12)
_ASKED = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30)), max_size=12)


@settings(max_examples=30, deadline=None)
@given(held=_HELD, asked=_ASKED)
def test_exactly_what_overlaps_any_of_the_spans_is_found(
    post_office: PostOffice, held: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    room = post_office.mailbox()
    times = [(start, start + length) for start, length in held]
    spans = [(start, start + length) for start, length in asked]
    booking_id = book(post_office, room, "u", *times)
    clash(post_office, room, booking_id, 0, 200)
    book(post_office, post_office.mailbox(), "u", (0, 200))
    expected = sorted(
        HeldTime(start, end, booking_id)
        for start, end in times
        if any(start < last and first < end for first, last in spans)
    )
    assert found(post_office, room, spans) == expected


@pytest.mark.parametrize("spans", [[(5, 15)], [(0, 7), (5, 15), (11, 30)]])
def test_two_occurrences_at_the_same_time_count_as_two(
    post_office: PostOffice, room: Mailbox, spans: list[tuple[int, int]]
) -> None:
    """A series has them where one of its occurrences is moved onto another; they need two of an equipment."""
    booking_id = book(post_office, room, "u", (10, 20), (10, 20))
    assert found(post_office, room, spans) == [HeldTime(10, 20, booking_id)] * 2


def test_some_bookings_may_be_left_out(post_office: PostOffice, room: Mailbox) -> None:
    first = book(post_office, room, "a", (0, 10), (100, 110))
    second = book(post_office, room, "b", (5, 15), (105, 115))
    spans = [(0, 20), (100, 120)]
    everything = [(0, first), (5, second), (100, first), (105, second)]
    assert [(one.start, one.booking_id) for one in found(post_office, room, spans)] == everything
    assert [one.booking_id for one in found(post_office, room, spans, (first,))] == [second] * 2
    assert found(post_office, room, spans, (first, second)) == []


def test_a_thousand_spans_are_asked_for_at_once(post_office: PostOffice, room: Mailbox) -> None:
    times = [(hour * 3600, hour * 3600 + 1800) for hour in range(1000)]
    booking_id = book(post_office, room, "u", *times)
    assert found(post_office, room, times) == [HeldTime(*time, booking_id) for time in times]
    free = [(end, end + 1800) for _, end in times]
    assert found(post_office, room, free) == []


def test_a_longer_occurrence_of_this_transaction_is_found(
    post_office: PostOffice, room: Mailbox
) -> None:
    """It may be longer than anything that was there when the calendar was locked."""
    booking_id = book(post_office, room, "u", (0, 10))
    with post_office.database.write() as connection:
        locked = lock_calendar(connection, room.id)
        for length in (1000, 500):
            rows = [OccurrenceRow(100, 100 + length, str(length))]
            add_occurrences(connection, locked, booking_id, None, rows)
        assert held_between(connection, locked, 1090, 1091) == [HeldTime(100, 1100, booking_id)]
