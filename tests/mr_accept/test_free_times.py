"""Free times to offer instead, against a count of every minute."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mr_accept.free_times import free_times
from mr_accept.model import Interval, Occurrence
from mr_accept.policy import BookingPolicy
from mr_accept.zones import UTC as UTC_ZONE
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")
ROOM = BookingPolicy()
NOW = int(datetime(2028, 11, 1, tzinfo=UTC).timestamp())
DAY_OFF = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20281122\r\n"
    "SUMMARY:Off\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def at(text, zone=BERLIN):
    """Epoch seconds of "20 10:30" in November 2028 on the zone's clock; 20 November is a Monday."""
    day, _, clock = text.partition(" ")
    hour, _, minute = (clock or "0:0").partition(":")
    return zone.to_utc(datetime(2028, 11, int(day), int(hour), int(minute)))


def span(text, zone=BERLIN):
    start, _, end = text.partition(" - ")
    return Interval(at(start, zone), at(end, zone))


def words(times, zone=BERLIN):
    walls = [(zone.from_utc(start), zone.from_utc(end)) for start, end in times]
    return [f"{begin:%d %H:%M} - {end:%d %H:%M}" for begin, end in walls]


def offered(asked, *busy, policy=ROOM, all_day=False, now=NOW, **more):
    wanted = Occurrence(*span(asked), "")
    return words(
        free_times(wanted, all_day, [span(one) for one in busy], policy, BERLIN, now, **more)
    )


MORNING = "20 09:00 - 20 10:00"
OFFICE = BookingPolicy(work_hours=(8 * 60, 17 * 60), work_days=frozenset(range(5)))
TABLE = [
    # asked, busy, policy, offered
    (MORNING, ["20 09:00 - 20 10:00"], ROOM,
     ["20 10:00 - 20 11:00", "20 11:00 - 20 12:00", "20 12:00 - 20 13:00"]),
    (MORNING, ["20 10:00 - 20 11:30"], ROOM,  # up to the minute when another begins
     ["20 09:00 - 20 10:00", "20 11:30 - 20 12:30", "20 12:30 - 20 13:30"]),
    (MORNING, ["20 09:30 - 20 10:10", "20 11:30 - 20 12:00"], ROOM,  # the minute when it gets free, then the grid
     ["20 10:10 - 20 11:10", "20 12:00 - 20 13:00", "20 13:00 - 20 14:00"]),
    (MORNING, ["20 08:00 - 20 18:00"], ROOM,  # no evening, where the day was asked for
     ["20 18:00 - 20 19:00", "21 07:00 - 21 08:00", "21 08:00 - 21 09:00"]),
    (MORNING, ["20 08:00 - 20 09:00"], ROOM,  # free as it was asked for
     ["20 09:00 - 20 10:00", "20 10:00 - 20 11:00", "20 11:00 - 20 12:00"]),
    ("24 17:00 - 24 18:00", ["24 17:00 - 24 20:00"], ROOM,  # a Friday
     ["27 07:00 - 27 08:00", "27 08:00 - 27 09:00", "27 09:00 - 27 10:00"]),
    ("24 19:00 - 24 20:00", ["24 18:00 - 25 00:15"], ROOM,  # an evening was asked for: any time will do
     ["25 00:15 - 25 01:15", "25 01:30 - 25 02:30", "25 02:30 - 25 03:30"]),
    ("25 10:00 - 25 11:00", ["25 00:00 - 25 23:00"], ROOM,  # so with a Saturday
     ["25 23:00 - 26 00:00", "26 00:00 - 26 01:00", "26 01:00 - 26 02:00"]),
    ("24 16:30 - 24 17:00", ["24 16:30 - 24 16:45"], OFFICE,
     ["27 08:00 - 27 08:30", "27 08:30 - 27 09:00", "27 09:00 - 27 09:30"]),
    ("20 18:00 - 20 19:00", ["20 18:00 - 20 19:00"], OFFICE,  # outside its hours, and offered what is within
     ["21 08:00 - 21 09:00", "21 09:00 - 21 10:00", "21 10:00 - 21 11:00"]),
    ("20 08:00 - 20 18:00", [], OFFICE, []),  # longer than a day's hours
    ("21 16:00 - 21 17:00", ["21 16:00 - 21 17:00"], BookingPolicy(holidays=DAY_OFF),
     ["21 17:00 - 21 18:00", "21 18:00 - 21 19:00", "23 07:00 - 23 08:00"]),
    (MORNING, ["20 09:00 - 20 10:00", "20 09:00 - 20 09:30"], BookingPolicy(capacity=2),
     ["20 09:30 - 20 10:30", "20 10:30 - 20 11:30", "20 11:30 - 20 12:30"]),
    (MORNING, ["20 09:00 - 20 10:00"], BookingPolicy(capacity=2),
     ["20 09:00 - 20 10:00", "20 10:00 - 20 11:00", "20 11:00 - 20 12:00"]),
    (MORNING, ["20 09:00 - 20 09:30", "20 09:30 - 20 10:00", "20 10:00 - 20 10:00"],
     BookingPolicy(capacity=2),  # never two at once
     ["20 09:00 - 20 10:00", "20 10:00 - 20 11:00", "20 11:00 - 20 12:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "busy", "policy", "times"), TABLE)
def test_times(asked, busy, policy, times):
    assert offered(asked, *busy, policy=policy) == times


DAYS = [
    ("20 - 21", ["20 09:00 - 20 10:00"], ROOM,
     ["21 00:00 - 22 00:00", "22 00:00 - 23 00:00", "23 00:00 - 24 00:00"]),
    ("23 - 24", ["23 - 25"], ROOM,  # no weekend, where none was asked for
     ["27 00:00 - 28 00:00", "28 00:00 - 29 00:00", "29 00:00 - 30 00:00"]),
    ("24 - 26", ["24 - 26"], ROOM,
     ["26 00:00 - 28 00:00", "28 00:00 - 30 00:00", "30 00:00 - 02 00:00"]),
    ("20 - 22", ["21 12:00 - 21 13:00"], ROOM,
     ["22 00:00 - 24 00:00", "27 00:00 - 29 00:00", "29 00:00 - 01 00:00"]),
    ("20 - 21", ["20 - 21"], BookingPolicy(holidays=DAY_OFF, work_days=frozenset({1, 2, 3})),
     ["21 00:00 - 22 00:00", "23 00:00 - 24 00:00", "28 00:00 - 29 00:00"]),
    ("20 - 21", ["20 - 21"], OFFICE,  # hours mean nothing for days
     ["21 00:00 - 22 00:00", "22 00:00 - 23 00:00", "23 00:00 - 24 00:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "busy", "policy", "times"), DAYS)
def test_days(asked, busy, policy, times):
    assert offered(asked, *busy, policy=policy, all_day=True) == times


def test_days_over_a_change_of_clocks():
    start, end = (BERLIN.to_utc(datetime(2028, 10, day)) for day in (27, 28))
    busy = [Interval(start, end)]
    times = free_times(Occurrence(start, end, ""), True, busy, OFFICE, BERLIN, start, most=2)
    assert [BERLIN.from_utc(start).day for start, _ in times] == [30, 31]
    week = Occurrence(start, BERLIN.to_utc(datetime(2028, 11, 3)), "")
    (first,) = free_times(week, True, busy, ROOM, BERLIN, start, most=1)
    assert words([first]) == ["28 00:00 - 04 00:00"]  # seven days, of which one has 25 hours


def test_nothing_without_a_length():
    assert offered("20 09:00 - 20 09:00") == []


def test_nothing_before_the_lead_time_is_over():
    policy = BookingPolicy(lead_time_minutes=24 * 60)
    assert offered(MORNING, MORNING, policy=policy, now=at("20 07:10"), most=1) == [
        "21 07:30 - 21 08:30"
    ]


def test_nothing_before_now():
    assert offered(MORNING, MORNING, now=at("22 13:01"), most=1) == ["22 13:30 - 22 14:30"]


def test_no_day_that_has_begun_and_none_beyond_the_booking_window():
    policy = BookingPolicy(booking_window_days=3)
    assert offered("20 - 21", policy=policy, all_day=True, now=at("20 12:00")) == [
        "21 00:00 - 22 00:00",
        "22 00:00 - 23 00:00",
    ]


def test_nothing_beyond_the_booking_window():
    now = at("20 06:00")
    policy = BookingPolicy(booking_window_days=1)
    night = "20 20:00 - 21 04:00"
    assert offered(night, night, policy=policy, now=now) == []
    assert offered("20 20:00 - 21 04:00", "20 20:00 - 20 22:00", policy=policy, now=now) == [
        "20 22:00 - 21 06:00"
    ]
    longer = BookingPolicy(booking_window_days=2)
    assert offered(night, night, policy=longer, now=now)[0] == "21 04:00 - 21 12:00"


def test_nothing_that_begins_later_than_the_days_that_are_searched():
    taken = "20 00:00 - 24 00:00"
    evening = "20 20:00 - 20 22:00"
    assert offered(evening, taken, days=3) == []
    assert offered(evening, taken, days=4, most=1) == ["24 00:00 - 24 02:00"]


def test_as_many_as_are_wanted():
    assert len(offered(MORNING, MORNING, most=5)) == 5
    assert offered(MORNING, MORNING, most=0) == []


def test_a_full_calendar_is_swept_once():
    """2,000 bookings, each leaving half an hour free: counting them for each start would take minutes."""
    start = at("6")
    busy = [Interval(start + n * 600, start + n * 600 + 540) for n in range(2000)]
    reads = 0

    def counted():
        nonlocal reads
        for one in busy:
            reads += 1
            yield one

    wanted = Occurrence(start, start + 1800, "")
    times = free_times(wanted, False, counted(), ROOM, BERLIN, NOW)
    assert reads == 2000
    assert times[0].start == busy[-1].end


MINUTE = 60
BEGIN = int(
    datetime(2028, 10, 27, 22, tzinfo=UTC).timestamp()
)  # clocks go back in the night to the 29th
minutes = st.integers(0, 3 * 24 * 60)
zones = st.sampled_from(
    [UTC_ZONE, BERLIN, IanaZone("Asia/Kathmandu"), IanaZone("Australia/Lord_Howe")]
)
busy_spans = st.lists(
    st.builds(
        lambda start, length: Interval(BEGIN + start * MINUTE, BEGIN + (start + length) * MINUTE),
        minutes,
        st.integers(0, 600),
    ),
    max_size=14,
)
policies = st.builds(
    BookingPolicy,
    capacity=st.integers(1, 3),
    work_hours=st.sampled_from([None, None, (0, 1440), (8 * 60, 17 * 60), (9 * 60 + 20, 24 * 60)]),
    work_days=st.sampled_from([frozenset(range(7)), frozenset(range(5)), frozenset({0, 5, 6})]),
    lead_time_minutes=st.sampled_from([0, 0, 90]),
    booking_window_days=st.sampled_from([0, 2, 730]),
)  # fmt: skip


@settings(deadline=None)  # the slow search is slow
@given(
    zone=zones,
    busy=busy_spans,
    policy=policies,
    start=minutes,
    length=st.integers(1, 300),
    now=st.integers(-600, 600),
)
def test_times_are_those_of_the_slow_search(zone, busy, policy, start, length, now):
    now = BEGIN + now * MINUTE
    asked = Occurrence(BEGIN + start * MINUTE, BEGIN + (start + length) * MINUTE, "")
    found = free_times(asked, False, busy, policy, zone, now, days=2)
    assert [tuple(one) for one in found] == slow_search(asked, busy, policy, zone, now, days=2)


def slow_search(asked, busy, policy, zone, now, days):
    """Every minute is looked at, and counted by itself."""
    length = asked.end - asked.start
    hours, work_days = policy.work_hours, policy.work_days
    if hours is None and is_open(asked, frozenset(range(5)), (420, 1140), zone):
        hours, work_days = (420, 1140), work_days & frozenset(range(5))
    first = max(asked.start, now + policy.lead_time_minutes * MINUTE)
    last = max(asked.start, now) + days * 86400
    if policy.booking_window_days:
        last = min(last, now + policy.booking_window_days * 86400 - length)
    users = {
        instant: sum(one.start <= instant < one.end for one in busy)
        for instant in range(first - MINUTE, last + length + MINUTE, MINUTE)
    }
    found: list[tuple[int, int]] = []
    for start in range(first, last + 1, MINUTE):
        freed = users[start - MINUTE] >= policy.capacity > users[start]
        on_the_grid = zone.from_utc(start).minute % 30 == 0
        if not (freed or on_the_grid or start == asked.start):
            continue
        if found and start < found[-1][1]:
            continue
        if any(users[one] >= policy.capacity for one in range(start, start + length, MINUTE)):
            continue
        if is_open(Interval(start, start + length), work_days, hours, zone):
            found.append((start, start + length))
            if len(found) == 3:
                break
    return found


def is_open(span, work_days, hours, zone):
    walls = [zone.from_utc(instant) for instant in range(span.start, span.end, MINUTE)]
    if any(wall.weekday() not in work_days for wall in walls):
        return False
    if hours is None:
        return True
    clock = [wall.hour * 60 + wall.minute for wall in walls]
    end = zone.from_utc(span.end)  # on a changed clock, the end counts as it is shown
    closes = datetime.combine(walls[0].date(), time()) + timedelta(minutes=hours[1])
    return len({wall.date() for wall in walls}) == 1 and clock[0] >= hours[0] and end <= closes


@given(busy=busy_spans, zone=zones, first=st.integers(0, 3), count=st.integers(1, 3))
def test_days_are_those_of_the_slow_search(busy, zone, first, count):
    days = [date(2028, 10, 28) + timedelta(days=n) for n in range(25)]
    midnights = [zone.to_utc(datetime.combine(day, time())) for day in days]
    asked = Occurrence(midnights[first], midnights[first + count], "")
    policy = BookingPolicy(work_hours=(60, 120))  # with hours, no weekend is left out
    found = free_times(asked, True, busy, policy, zone, midnights[0])
    slow: list[tuple[int, int]] = []
    for n in range(first, len(midnights) - count):
        start, end = midnights[n], midnights[n + count]
        free = not any(
            max(one.start, start) < min(one.end, end) for one in busy if one.start < one.end
        )
        if free and (not slow or start >= slow[-1][1]):
            slow.append((start, end))
    assert [tuple(one) for one in found] == slow[:3]
