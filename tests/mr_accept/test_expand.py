"""From VEVENTs to busy time: RRULE, RDATE, EXDATE, overrides, zones, limits."""

import time
from datetime import UTC, datetime

import pytest

from mr_accept.expand import expand, occurrences_of
from mr_accept.limits import Limits
from mr_accept.model import Lineage, LineageState, UnreadableError

A_DAY = {
    "DTSTART": "DTSTART;VALUE=DATE:20260328",
    "DTEND": "DTEND;VALUE=DATE:20260329",
}  # the day before the clocks go forward in Berlin


def instant(text):
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


HORIZON = instant("2028-01-01 00:00")


def shown(occurrences):
    return [
        f"{datetime.fromtimestamp(start, UTC):%m-%d %H:%M}+{(end - start) // 60}"
        for start, end, _, _ in occurrences
    ]


EVENTS = [
    # changed properties, further lines, the occurrences in UTC with minutes
    ({}, [], ["01-05 08:00+60"]),
    ({"DTEND": "DURATION:PT90M"}, [], ["01-05 08:00+90"]),
    ({"DTEND": None}, [], ["01-05 08:00+0"]),
    ({"DTEND": "DTEND:20260105T093000Z"}, [], ["01-05 08:00+90"]),
    ({"DTEND": "DTEND;TZID=America/New_York:20260105T040000"}, [], ["01-05 08:00+60"]),
    ({"DTSTART": "DTSTART:20260105T090000", "DTEND": "DURATION:PT1H"}, [], ["01-05 08:00+60"]),
    ({"DTSTART": "DTSTART:20260105T090000Z", "DTEND": "DURATION:PT1H"}, [], ["01-05 09:00+60"]),
    (A_DAY, [], ["03-27 23:00+1440"]),
    ({"DTSTART": "DTSTART;VALUE=DATE:20260329", "DTEND": None}, [], ["03-28 23:00+1380"]),
    ({"DTSTART": "DTSTART;VALUE=DATE:20261025", "DTEND": None}, [], ["10-24 22:00+1500"]),
    ({"DTSTART": "DTSTART;VALUE=DATE:20260328", "DTEND": "DURATION:P2D"}, [], ["03-27 23:00+2820"]),
    ({"DTSTART": "DTSTART;VALUE=DATE:20260328", "DTEND": "DTEND;VALUE=DATE:20260328"}, [],
     ["03-27 23:00+1440"]),
    # a nominal day over the change of clocks has 23 hours, 24 exact hours have 24
    ({"DTSTART": "DTSTART;TZID=Europe/Berlin:20260328T120000", "DTEND": "DURATION:P1D"}, [],
     ["03-28 11:00+1380"]),
    ({"DTSTART": "DTSTART;TZID=Europe/Berlin:20260328T120000", "DTEND": "DURATION:PT24H"}, [],
     ["03-28 11:00+1440"]),
    ({}, ["RRULE:FREQ=DAILY;COUNT=3"], ["01-05 08:00+60", "01-06 08:00+60", "01-07 08:00+60"]),
    # the wall clock keeps its time over the change of clocks
    ({"DTSTART": "DTSTART;TZID=Europe/Berlin:20260322T090000", "DTEND": "DURATION:PT1H"},
     ["RRULE:FREQ=WEEKLY;COUNT=3"], ["03-22 08:00+60", "03-29 07:00+60", "04-05 07:00+60"]),
    (A_DAY, ["RRULE:FREQ=DAILY;COUNT=3"],
     ["03-27 23:00+1440", "03-28 23:00+1380", "03-29 22:00+1440"]),
    (A_DAY, ["RRULE:FREQ=DAILY;COUNT=2;BYHOUR=9,14"], ["03-27 23:00+1440", "03-28 23:00+1380"]),
    ({}, ["RRULE:FREQ=DAILY;UNTIL=20260107T080000Z"],
     ["01-05 08:00+60", "01-06 08:00+60", "01-07 08:00+60"]),
    ({}, ["RRULE:FREQ=DAILY;UNTIL=20260107T075959Z"], ["01-05 08:00+60", "01-06 08:00+60"]),
    ({}, ["RRULE:FREQ=DAILY;UNTIL=20260107T090000"],
     ["01-05 08:00+60", "01-06 08:00+60", "01-07 08:00+60"]),
    ({}, ["RRULE:FREQ=DAILY;UNTIL=20260106"], ["01-05 08:00+60", "01-06 08:00+60"]),
    (A_DAY, ["RRULE:FREQ=DAILY;UNTIL=20260329"], ["03-27 23:00+1440", "03-28 23:00+1380"]),
    (A_DAY, ["RRULE:FREQ=DAILY;UNTIL=20260329T120000Z"], ["03-27 23:00+1440", "03-28 23:00+1380"]),
    ({}, ["RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260106T090000"],
     ["01-05 08:00+60", "01-07 08:00+60"]),
    ({}, ["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260105T080000Z,20260106T080000Z"],
     ["01-07 08:00+60"]),
    ({}, ["RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20260106"],
     ["01-05 08:00+60", "01-06 08:00+60"]),
    (A_DAY, ["RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20260328"], ["03-28 23:00+1380"]),
    ({}, ["RDATE;TZID=Europe/Berlin:20260108T090000,20260105T090000"],
     ["01-05 08:00+60", "01-08 08:00+60"]),
    ({}, ["RDATE;VALUE=PERIOD:20260108T090000Z/PT2H,20260109T090000Z/20260109T093000Z"],
     ["01-05 08:00+60", "01-08 09:00+120", "01-09 09:00+30"]),
    ({}, ["RRULE:FREQ=DAILY;COUNT=2", "RDATE;VALUE=PERIOD:20260106T080000Z/PT2H"],
     ["01-05 08:00+60", "01-06 08:00+120"]),
    (A_DAY, ["RDATE;VALUE=DATE:20260401"], ["03-27 23:00+1440", "03-31 22:00+1440"]),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "lines", "expected"), EVENTS)
def test_events(ics, changed, lines, expected):
    meeting = ics.meeting(*lines, **changed)
    assert shown(expand(meeting.instances, HORIZON, Limits())) == expected


def test_recurrence_ids_are_canonical(ics):
    daily = ics.meeting("RRULE:FREQ=DAILY;COUNT=2")
    found = expand(daily.instances, HORIZON, Limits())
    assert [item.recurrence_id for item in found] == ["20260105T080000Z", "20260106T080000Z"]
    all_day = ics.meeting("RRULE:FREQ=DAILY;COUNT=2", **A_DAY)
    found = expand(all_day.instances, HORIZON, Limits())
    assert [item.recurrence_id for item in found] == ["20260328", "20260329"]
    assert [item.recurrence_id for item in expand(ics.meeting().instances, 0, Limits())] == [""]


def override(ics, day, start, *lines):
    return ics.vevent(
        f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T090000",
        *lines,
        DTSTART=f"DTSTART:{start}",
        DTEND="DURATION:PT30M",
    )


def test_overrides_take_the_place_of_their_instances(ics):
    text = ics.vcalendar(
        ics.vevent("RRULE:FREQ=DAILY;COUNT=4"),
        override(ics, "20260106", "20260106T150000Z"),
        override(ics, "20260107", "20260107T150000Z", "STATUS:CANCELLED"),
        override(ics, "20270101", "20270101T150000Z"),
    )
    found = expand(ics.parse(text).instances, HORIZON, Limits())
    assert shown(found) == [
        "01-05 08:00+60",
        "01-06 15:00+30",
        "01-08 08:00+60",
        "01-01 15:00+30",  # of 2027: names no instance, and holds its time all the same
    ]
    assert found[1].recurrence_id == "20260106T080000Z"


def test_rows_of_a_booking(ics):
    text = ics.vcalendar(
        ics.vevent("RRULE:FREQ=DAILY;COUNT=4"),
        override(ics, "20260106", "20260106T150000Z"),
        override(ics, "20260107", "20260107T150000Z"),
    )
    master, moved, refused = ics.parse(text).instances
    rows = [
        Lineage("", LineageState.ACCEPTED, master),
        Lineage(moved.recurrence_id, LineageState.ACCEPTED, moved),
        Lineage(refused.recurrence_id, LineageState.DECLINED, refused),
        Lineage("20260108T080000Z", LineageState.CANCELLED, None),
    ]
    assert shown(occurrences_of(rows, HORIZON, Limits())) == ["01-05 08:00+60", "01-06 15:00+30"]
    gone = [Lineage("", LineageState.CANCELLED, master), *rows[1:]]
    assert shown(occurrences_of(gone, HORIZON, Limits())) == ["01-06 15:00+30"]


def test_horizon_and_since_cut_a_series_but_not_a_single_event(ics):
    daily = ics.meeting("RRULE:FREQ=DAILY").instances
    until, since = instant("2026-03-10 08:00"), instant("2026-03-07 08:30")
    assert shown(expand(daily, until, Limits(), since)) == [
        "03-07 08:00+60",
        "03-08 08:00+60",
        "03-09 08:00+60",
    ]
    single = ics.meeting().instances
    assert len(expand(single, instant("2020-01-01 00:00"), Limits())) == 1
    assert expand(single, HORIZON, Limits(), since) == ()


def test_since_gives_the_tail_of_the_whole(ics):
    for rule in ("FREQ=DAILY", "FREQ=DAILY;COUNT=500", "FREQ=MONTHLY;BYDAY=2TU"):
        meeting = ics.meeting(f"RRULE:{rule}", DTEND="DURATION:P2DT1H")
        since = instant("2027-03-28 00:30")
        whole = expand(meeting.instances, HORIZON, Limits())
        tail = expand(meeting.instances, HORIZON, Limits(), since)
        assert tail == tuple(item for item in whole if item.end > since)


def test_transparency_is_recorded(ics):
    assert not expand(ics.meeting("TRANSP:TRANSPARENT").instances, HORIZON, Limits())[0].busy
    assert expand(ics.meeting("TRANSP:OPAQUE").instances, HORIZON, Limits())[0].busy


@pytest.mark.parametrize(
    ("rule", "limits"),
    [
        ("FREQ=DAILY", Limits(max_occurrences=100)),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", Limits(max_candidates=100)),
        ("FREQ=DAILY", Limits(out_of_time=lambda: True)),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", Limits()),
        ("FREQ=HOURLY", Limits()),
        ("FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12", Limits()),
    ],
)
def test_costly_series_are_unreadable_at_once(ics, rule, limits):
    meeting = ics.meeting(f"RRULE:{rule}")
    began = time.perf_counter()
    with pytest.raises(UnreadableError):
        expand(meeting.instances, HORIZON, limits)
    assert time.perf_counter() - began < 5


def test_an_all_day_series_by_the_hour_is_unreadable(ics):
    meeting = ics.meeting("RRULE:FREQ=HOURLY;COUNT=3", **A_DAY)
    with pytest.raises(UnreadableError, match="all-day"):
        expand(meeting.instances, HORIZON, Limits())


def test_two_starts_at_one_instant_are_one_occurrence(ics):
    # 02:30 and 03:30 of the day when Berlin's clocks jump over the hour between
    meeting = ics.meeting(
        "RDATE;TZID=Europe/Berlin:20260329T023000,20260329T033000",
        DTSTART="DTSTART;TZID=Europe/Berlin:20260328T023000",
        DTEND="DURATION:PT10M",
    )
    found = expand(meeting.instances, HORIZON, Limits())
    assert shown(found) == ["03-28 01:30+10", "03-29 01:30+10"]


@pytest.mark.parametrize("rule", ["FREQ=DAILY;UNTIL=20261025T011500Z", "FREQ=DAILY"])
def test_an_end_in_the_hour_that_comes_twice_keeps_what_starts_before_it(ics, rule):
    # 01:15Z is the second 02:15 in Berlin; the instance at the first 02:30 is at 00:30Z, before it
    meeting = ics.meeting(
        f"RRULE:{rule}",
        DTSTART="DTSTART;TZID=Europe/Berlin:20261024T023000",
        DTEND="DURATION:PT10M",
    )
    until = instant("2026-10-25 01:15")
    found = expand(meeting.instances, HORIZON if "UNTIL" in rule else until, Limits())
    assert shown(found) == ["10-24 00:30+10", "10-25 00:30+10"]
