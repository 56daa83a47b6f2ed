"""Free/busy: when nothing more can be booked, and the VFREEBUSY that says so."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from mr_accept.free_busy import BusyType, Stretch, compose_free_busy, stretches
from mr_accept.model import Interval
from mr_accept.policy import BookingPolicy
from mr_accept.zones import UTC as UTC_ZONE
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")
BUSY, CLOSED = BusyType.BUSY, BusyType.UNAVAILABLE
ROOM = BookingPolicy()
OFFICE = BookingPolicy(work_days=frozenset(range(5)), work_hours=(8 * 60, 18 * 60))
SPANS = st.lists(
    st.builds(
        lambda start, length: Interval(start, start + length),
        st.integers(0, 40),
        st.integers(0, 15),
    ),
    max_size=8,
)
HOLIDAYS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Bank holiday
DTSTART;VALUE=DATE:20300506
END:VEVENT
END:VCALENDAR
"""


def at(text: str) -> int:
    """Epoch seconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def spans(*pairs: tuple[int, int]) -> list[Interval]:
    return [Interval(*pair) for pair in pairs]


@pytest.mark.parametrize(
    ("held", "capacity", "taken"),
    [
        ([], 1, []),
        (spans((10, 20), (20, 30)), 1, [(10, 30)]),  # merged
        (spans((10, 20), (15, 30)), 1, [(10, 30)]),  # overbooked is no more than booked
        (spans((10, 20), (22, 30)), 1, [(10, 20), (22, 30)]),
        (spans((0, 15), (95, 120)), 1, [(5, 15), (95, 100)]),  # clipped to 5..100
        (spans((0, 5), (100, 110), (50, 50)), 1, []),
        (spans((10, 20), (15, 30)), 2, [(15, 20)]),  # a piece is left otherwise
        (spans((10, 20), (20, 30), (10, 30)), 2, [(10, 30)]),
        (spans((10, 20), (10, 20)), 3, []),
    ],
)
def test_what_is_taken(held: list[Interval], capacity: int, taken: list[tuple[int, int]]) -> None:
    found = stretches(held, BookingPolicy(capacity=capacity), UTC_ZONE, 5, 100)
    assert found == tuple(Stretch(*one, BUSY) for one in taken)


@given(SPANS, st.integers(1, 3))
def test_taken_is_exactly_where_every_place_is(held: list[Interval], capacity: int) -> None:
    found = stretches(held, BookingPolicy(capacity=capacity), UTC_ZONE, 3, 45)
    covered = [i for one in found for i in range(one.start, one.end)]
    full = [i for i in range(3, 45) if sum(one.start <= i < one.end for one in held) >= capacity]
    assert covered == full
    assert all(a.end < b.start for a, b in itertools.pairwise(found))  # merged


def test_closed_hours_and_days_are_unavailable() -> None:
    # From Friday noon to Tuesday noon, in summer time.
    start, end = at("2030-05-03T10:00"), at("2030-05-07T10:00")
    meeting = Interval(at("2030-05-03T15:00"), at("2030-05-03T17:00"))  # until 19:00 in Berlin
    assert stretches([meeting], OFFICE, BERLIN, start, end) == (
        Stretch(meeting.start, meeting.end, BUSY),
        Stretch(meeting.end, at("2030-05-06T06:00"), CLOSED),
        Stretch(at("2030-05-06T16:00"), at("2030-05-07T06:00"), CLOSED),
    )


def test_a_holiday_is_unavailable_and_so_is_nothing_else() -> None:
    policy = BookingPolicy(holidays=HOLIDAYS.replace("\n", "\r\n"))
    start, end = at("2030-05-04T00:00"), at("2030-05-09T00:00")
    holiday = Stretch(at("2030-05-05T22:00"), at("2030-05-06T22:00"), CLOSED)
    assert stretches([], policy, BERLIN, start, end) == (holiday,)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2030-03-29", "07:00", "17:00"),  # Friday, winter time
        ("2030-04-01", "06:00", "16:00"),  # Monday after the change to summer time
    ],
)
def test_hours_are_on_the_clock_of_the_resource(day: str, opens: str, closes: str) -> None:
    start, end = at(f"{day}T00:00"), at(f"{day}T23:59")
    assert [(one.start, one.end) for one in stretches([], OFFICE, BERLIN, start, end)] == [
        (start, at(f"{day}T{opens}")),
        (at(f"{day}T{closes}"), end),
    ]


@given(SPANS)
def test_no_instant_is_busy_and_unavailable(hours: list[Interval]) -> None:
    start, end = at("2030-05-03T00:00"), at("2030-05-06T00:00")
    held = [Interval(start + one.start * 3600, start + one.end * 3600) for one in hours]
    found = stretches(held, OFFICE, BERLIN, start, end)
    assert all(a.start < a.end <= b.start for a, b in itertools.pairwise(found))
    closed = {i for one in found if one.kind is CLOSED for i in range(one.start, one.end, 1800)}
    busy = {i for one in found if one.kind is BUSY for i in range(one.start, one.end, 1800)}
    alone = stretches([], OFFICE, BERLIN, start, end)
    assert closed | busy == busy | {i for one in alone for i in range(one.start, one.end, 1800)}


def test_the_calendar_object() -> None:
    start, end = at("2030-05-01T22:00"), at("2030-05-08T22:00")
    found = (
        Stretch(start + 3600, start + 7200, BUSY),
        Stretch(start + 7200, start + 9000, CLOSED),
    )
    address = "the.room.with.the.view.of.the.harbour.and.the.sea@rooms.berlin.example.org"
    text = compose_free_busy(address, found, start, end, at("2030-05-02T12:00"))
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert all(len(line.encode()) <= 75 and "\n" not in line for line in lines)
    calendar = Calendar.from_ical(text)
    assert calendar["METHOD"] == "PUBLISH"
    (part,) = calendar.subcomponents
    assert part.name == "VFREEBUSY"
    assert part["ORGANIZER"] == f"mailto:{address}"
    assert part["UID"] == f"free-busy-{address}"
    assert [part.decoded(name) for name in ("DTSTAMP", "DTSTART", "DTEND")] == [
        datetime(2030, 5, 2, 12, tzinfo=UTC),
        datetime(2030, 5, 1, 22, tzinfo=UTC),
        datetime(2030, 5, 8, 22, tzinfo=UTC),
    ]
    assert text.count("\r\nFREEBUSY;FBTYPE=BUSY:20300501T230000Z/20300502T000000Z\r\n") == 1
    assert (
        text.count("\r\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20300502T000000Z/20300502T003000Z\r\n")
        == 1
    )


def test_nothing_taken_is_said_by_no_period() -> None:
    text = compose_free_busy("aurora@example.org", (), 0, 86_400, 0)
    assert "FREEBUSY:" not in text.replace("VFREEBUSY", "")
    (part,) = Calendar.from_ical(text).subcomponents
    assert "FREEBUSY" not in part
