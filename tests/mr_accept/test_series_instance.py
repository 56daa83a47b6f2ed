"""The VEVENT of one occurrence of a series, in the form that the series has."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.expand import expand
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import ONWARDS, Duration, Form, Occurrence
from mr_accept.series_instance import instance_for, line_of, series_instance
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")
OWN_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Half Past\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\nEND:VTIMEZONE"
)


def at(*when):
    return int(datetime(*when, tzinfo=UTC).timestamp())


def series(ics, start, end="DURATION:PT1H", *lines, rule="RRULE:FREQ=WEEKLY;COUNT=60"):
    event = ics.vevent(rule, "SEQUENCE:3", "LOCATION:North", *lines, DTSTART=start, DTEND=end)
    return ics.parse(ics.vcalendar(OWN_ZONE, event))


WEEK_LATER = [
    # DTSTART, DTEND or DURATION, occurrence (start, end, id), the lines of its times
    ("DTSTART:20260105T090000Z", "DTEND:20260105T100000Z",
     (at(2026, 1, 12, 9), at(2026, 1, 12, 10), "20260112T090000Z"),
     ["RECURRENCE-ID:20260112T090000Z", "DTSTART:20260112T090000Z", "DTEND:20260112T100000Z"]),
    ("DTSTART;TZID=Europe/Berlin:20260105T090000", "DTEND;TZID=Europe/Berlin:20260105T100000",
     (at(2026, 7, 6, 7), at(2026, 7, 6, 8), "20260706T070000Z"),  # the wall clock stays
     ["RECURRENCE-ID;TZID=Europe/Berlin:20260706T090000", "DTSTART;TZID=Europe/Berlin:20260706T090000",
      "DTEND;TZID=Europe/Berlin:20260706T100000"]),
    ('DTSTART;TZID="W. Europe Standard Time":20260105T090000', "DURATION:PT1H",
     (at(2026, 1, 12, 8), at(2026, 1, 12, 9), "20260112T080000Z"),
     ['RECURRENCE-ID;TZID="W. Europe Standard Time":20260112T090000',
      'DTSTART;TZID="W. Europe Standard Time":20260112T090000', "DURATION:PT1H"]),
    ("DTSTART;TZID=Half Past:20260105T090000", "DURATION:PT1H",
     (at(2026, 1, 12, 7, 30), at(2026, 1, 12, 8, 30), "20260112T073000Z"),
     ["RECURRENCE-ID;TZID=Half Past:20260112T090000", "DTSTART;TZID=Half Past:20260112T090000", "DURATION:PT1H"]),
    ("DTSTART:20260105T090000", "DTEND:20260105T100000",
     (at(2026, 1, 12, 8), at(2026, 1, 12, 9), "20260112T080000Z"),
     ["RECURRENCE-ID:20260112T090000", "DTSTART:20260112T090000", "DTEND:20260112T100000"]),
    ("DTSTART;VALUE=DATE:20260105", "DTEND;VALUE=DATE:20260107",
     (at(2026, 1, 11, 23), at(2026, 1, 13, 23), "20260112"),
     ["RECURRENCE-ID;VALUE=DATE:20260112", "DTSTART;VALUE=DATE:20260112", "DTEND;VALUE=DATE:20260114"]),
    ("DTSTART;VALUE=DATE:20260105", None, (at(2026, 1, 11, 23), at(2026, 1, 12, 23), "20260112"),
     ["RECURRENCE-ID;VALUE=DATE:20260112", "DTSTART;VALUE=DATE:20260112"]),
    ("DTSTART:20260105T090000Z", None, (at(2026, 1, 12, 9), at(2026, 1, 12, 9), "20260112T090000Z"),
     ["RECURRENCE-ID:20260112T090000Z", "DTSTART:20260112T090000Z"]),
]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "occurrence", "times"), WEEK_LATER)
def test_times_are_written_as_the_series_writes_them(ics, start, end, occurrence, times):
    master = series(ics, start, end).instances[0]
    single = series_instance(master, Occurrence(*occurrence))
    assert single.lines == (
        "UID:meeting-1@example.org",
        *times,
        "SUMMARY:Planning",
        "LOCATION:North",
        "ORGANIZER;CN=Anna Berg:mailto:anna@example.org",
        "SEQUENCE:3",
    )


MOVED = [
    # DTSTART, DURATION, occurrence, the lines of its times
    ("DTSTART;TZID=Europe/Berlin:20260105T090000", "DURATION:PT1H",
     (at(2026, 1, 13, 13), at(2026, 1, 13, 15), "20260112T080000Z"),
     ["RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000", "DTSTART;TZID=Europe/Berlin:20260113T140000",
      "DTEND;TZID=Europe/Berlin:20260113T160000"]),
    ("DTSTART;VALUE=DATE:20260105", "DURATION:P1D",
     (at(2026, 1, 12, 23), at(2026, 1, 15, 23), "20260112"),
     ["RECURRENCE-ID;VALUE=DATE:20260112", "DTSTART;VALUE=DATE:20260113", "DTEND;VALUE=DATE:20260116"]),
]  # fmt: skip


@pytest.mark.parametrize(("start", "length", "occurrence", "times"), MOVED)
def test_one_that_was_moved_keeps_the_id_of_its_start_by_the_rule(
    ics, start, length, occurrence, times
):
    master = series(ics, start, length).instances[0]
    single = series_instance(master, Occurrence(*occurrence))
    assert list(single.lines[1:4]) == times
    assert single.recurrence_id == occurrence[2]
    assert single.start.epoch == occurrence[0]


def test_a_vevent_for_one_and_all_after_it_serves_as_well(ics):
    meeting = ics.meeting("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260105T080000")
    onwards = meeting.instances[0]
    assert onwards.recurrence_id == "20260105T070000Z" + ONWARDS
    occurrence = Occurrence(at(2026, 1, 12, 8), at(2026, 1, 12, 9), "20260112T070000Z")
    assert series_instance(onwards, occurrence).lines[1:3] == (
        "RECURRENCE-ID;TZID=Europe/Berlin:20260112T080000",
        "DTSTART;TZID=Europe/Berlin:20260112T090000",
    )


def test_the_second_of_two_hours_of_one_name_is_in_utc(ics):
    master = series(
        ics, "DTSTART;TZID=Europe/Berlin:20261018T023000", "DURATION:PT10M", "RDATE:20261025T013000Z"
    ).instances[0]  # fmt: skip
    first, second = (
        series_instance(master, Occurrence(start, start + 600, f"20261025T0{hour}3000Z"))
        for hour, start in [(0, at(2026, 10, 25, 0, 30)), (1, at(2026, 10, 25, 1, 30))]
    )
    assert line_of(first, "DTSTART") == "DTSTART;TZID=Europe/Berlin:20261025T023000"
    assert line_of(second, "RECURRENCE-ID") == "RECURRENCE-ID:20261025T013000Z"
    assert line_of(second, "DTSTART") == "DTSTART:20261025T013000Z"
    assert second.start.form is Form.UTC
    assert second.start.epoch == at(2026, 10, 25, 1, 30)


def test_all_but_its_time_is_the_series(ics):
    meeting = series(
        ics, "DTSTART:20260105T090000Z", "DURATION:PT1H",
        "EXDATE:20260119T090000Z", "RDATE:20260120T090000Z", "TRANSP:TRANSPARENT", "DESCRIPTION:secret",
    )  # fmt: skip
    master = meeting.instances[0]
    occurrence = Occurrence(at(2026, 1, 12, 9), at(2026, 1, 12, 10), "20260112T090000Z")
    single = series_instance(master, occurrence)
    assert not single.recurring
    assert not single.excluded
    assert (single.uid, single.version, single.organizer, single.attendees, single.transparent) == (
        master.uid, master.version, master.organizer, master.attendees, True
    )  # fmt: skip
    assert single.duration == Duration(0, 3600)
    assert not line_of(single, "DESCRIPTION")


def test_a_vevent_of_the_meeting_s_own_goes_first(ics):
    master = ics.vevent("RRULE:FREQ=WEEKLY")
    override = ics.vevent(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000", "SEQUENCE:7",
        DTSTART="DTSTART;TZID=Europe/Berlin:20260112T150000", DTEND="DURATION:PT1H",
    )  # fmt: skip
    meeting = ics.parse(ics.vcalendar(master, override))
    there = Occurrence(at(2026, 1, 12, 14), at(2026, 1, 12, 15), "20260112T080000Z")
    missing = Occurrence(at(2026, 1, 19, 8), at(2026, 1, 19, 9), "20260119T080000Z")
    assert instance_for(meeting, meeting.instances[0], there) is meeting.instances[1]
    made = instance_for(meeting, meeting.instances[0], missing)
    assert (made.recurrence_id, made.sequence) == ("20260119T080000Z", 0)


def test_a_property_is_found_by_its_whole_name(ics):
    instance = replace(ics.meeting().instances[0], lines=("UID-X:1", "UIDS:2", "uid:3", "UID:4"))
    assert line_of(instance, "UID") == "uid:3"
    assert line_of(instance, "DTSTART") == ""


STARTS = [
    "DTSTART:{time}Z",
    "DTSTART:{time}",
    "DTSTART;TZID=Europe/Berlin:{time}",
    "DTSTART;TZID=America/New_York:{time}",
    "DTSTART;TZID=Australia/Lord_Howe:{time}",
    "DTSTART;TZID=Half Past:{time}",
    "DTSTART;VALUE=DATE:{date}",
]
TIMED_LENGTHS = ["DURATION:PT1H", "DURATION:P1DT1H", "DURATION:PT25H", ""]
DAY_LENGTHS = ["DURATION:P3D", ""]


@given(
    start=st.sampled_from(STARTS),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
        lambda when: when.replace(second=0, microsecond=0)
    ),
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]),
    length=st.data(),
    extra=st.sampled_from(["", "RDATE:20261025T013000Z/PT2H", "RDATE:20261025T013000Z"]),
)
def test_read_again_it_is_the_occurrence(start, moment, frequency, length, extra):
    all_day = "VALUE=DATE" in start
    lasts = length.draw(st.sampled_from(DAY_LENGTHS if all_day else TIMED_LENGTHS))
    lines = [
        start.format(time=f"{moment:%Y%m%dT%H%M%S}", date=f"{moment:%Y%m%d}"),
        f"RRULE:FREQ={frequency};COUNT=20",
        lasts,
        ""
        if all_day
        else extra.replace("RDATE:", "RDATE;VALUE=PERIOD:")
        if "/" in extra
        else extra,
    ]
    people = [
        "ORGANIZER:mailto:anna@example.org",
        "ATTENDEE:mailto:room-aurora@example.org",
        "DTSTAMP:20260101T000000Z",
    ]
    master = parse(["UID:1", *filter(None, lines), *people]).instances[0]
    for occurrence in expand([master], at(2031, 1, 1), Limits()):
        single = series_instance(master, occurrence)
        written = [line for line in single.lines if not line.startswith("ORGANIZER")]
        read = parse([*written, *people])
        assert expand(read.instances, 0, Limits()) == (occurrence,)
        assert expand([single], 0, Limits()) == (occurrence,)


def parse(lines):
    body = "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])
    text = f"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n{OWN_ZONE}\r\n{body}\r\nEND:VCALENDAR\r\n"
    return parse_meeting(text, BERLIN, Limits())
