"""Series through the changes of clocks, leap days, odd ends, overrides with odd SEQUENCEs, and zones of every kind."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mr_accept.expand import expand
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import UnreadableError
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")


def instant(text):
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


HORIZON = instant("2036-01-01 00:00")


def shown(occurrences, form="%m-%d %H:%M"):
    return [f"{datetime.fromtimestamp(item.start, UTC):{form}}" for item in occurrences]


def of(ics, rule, start, *lines, length="PT30M", zone="Europe/Berlin"):
    begins = f"DTSTART;TZID={zone}:{start}" if zone else f"DTSTART:{start}"
    return ics.meeting(
        f"RRULE:{rule}", *lines, DTSTART=begins, DTEND=f"DURATION:{length}"
    ).instances


SERIES = [
    # zone, start, rule, the occurrences in UTC
    # in the hour that is jumped over, the offset before it counts; the days around keep their time
    ("Europe/Berlin", "20260328T023000", "FREQ=DAILY;COUNT=3", "03-28 01:30, 03-29 01:30, 03-30 00:30"),
    ("Europe/Berlin", "20261024T023000", "FREQ=DAILY;COUNT=3", "10-24 00:30, 10-25 00:30, 10-26 01:30"),
    ("Europe/Berlin", "20260322T090000", "FREQ=WEEKLY;COUNT=2", "03-22 08:00, 03-29 07:00"),
    ("America/New_York", "20260307T023000", "FREQ=DAILY;COUNT=3", "03-07 07:30, 03-08 07:30, 03-09 06:30"),
    ("Australia/Lord_Howe", "20260404T120000", "FREQ=DAILY;COUNT=2", "04-04 01:00, 04-05 01:30"),
    ("Asia/Kathmandu", "20260404T120000", "FREQ=DAILY;COUNT=2", "04-04 06:15, 04-05 06:15"),
    ("Pacific/Apia", "20111228T120000", "FREQ=DAILY;COUNT=4", "12-28 22:00, 12-29 22:00, 12-30 22:00"),
    ("", "20260328T023000Z", "FREQ=DAILY;COUNT=2", "03-28 02:30, 03-29 02:30"),
    ("", "20260328T090000", "FREQ=DAILY;COUNT=2", "03-28 08:00, 03-29 07:00"),  # floating: the resource's
    # hours on the wall clock: the one that is jumped over falls on the next, the doubled one comes once
    ("Europe/Berlin", "20260329T010000", "FREQ=HOURLY;COUNT=4", "03-29 00:00, 03-29 01:00, 03-29 02:00"),
    ("Europe/Berlin", "20261025T010000", "FREQ=HOURLY;COUNT=3", "10-24 23:00, 10-25 00:00, 10-25 02:00"),
    # the 29th of February comes in leap years only, the last of February always
    ("", "20240229T090000Z", "FREQ=YEARLY;COUNT=3", "24-02-29, 28-02-29, 32-02-29"),
    ("", "20240229T090000Z", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=3", "24-02-29, 25-02-28, 26-02-28"),
    ("", "20240229T090000Z", "FREQ=YEARLY;INTERVAL=3;COUNT=2", "24-02-29"),
    ("", "20240229T090000Z", "FREQ=YEARLY;BYYEARDAY=60;COUNT=3", "24-02-29, 25-03-01, 26-03-01"),
    ("", "20241231T090000Z", "FREQ=YEARLY;BYYEARDAY=366;COUNT=2", "24-12-31, 28-12-31"),
    ("", "20240131T090000Z", "FREQ=MONTHLY;COUNT=3", "24-01-31, 24-03-31, 24-05-31"),
    # the day of UNTIL is one of the zone's where UNTIL is a date, an instant where it is in UTC
    ("America/New_York", "20260105T200000", "FREQ=DAILY;UNTIL=20260106", "26-01-06, 26-01-07"),
    ("America/New_York", "20260105T200000", "FREQ=DAILY;UNTIL=20260107T010000Z", "26-01-06, 26-01-07"),
    ("America/New_York", "20260105T200000", "FREQ=DAILY;UNTIL=20260107T005959Z", "26-01-06"),
    ("Asia/Tokyo", "20260105T080000", "FREQ=DAILY;UNTIL=20260105T230000Z", "26-01-04, 26-01-05"),
    # COUNT counts DTSTART, also off the rule, and an UNTIL before DTSTART leaves it
    ("", "20260106T090000Z", "FREQ=WEEKLY;BYDAY=MO;COUNT=2", "26-01-06, 26-01-12"),
    ("", "20260106T090000Z", "FREQ=DAILY;UNTIL=20250101T000000Z", "26-01-06"),
    ("", "20260106T090000Z", "FREQ=DAILY;UNTIL=20250101", "26-01-06"),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "start", "rule", "expected"), SERIES)
def test_series(ics, zone, start, rule, expected):
    wanted = expected.split(", ")
    form = "%m-%d %H:%M" if ":" in expected else "%y-%m-%d"
    found = expand(of(ics, rule, start, zone=zone), HORIZON, Limits())
    assert shown(found, form)[: len(wanted)] == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260330", "20260330"),
        ("20260330T000000", "20260330"),
        ("20260330T235959Z", "20260330"),
        ("20260329T220000Z", "20260330"),  # midnight of the 30th in Berlin
        ("20260329T210000Z", "20260329"),
    ],
)
def test_the_last_day_of_an_all_day_series(ics, until, last):
    meeting = ics.meeting(
        f"RRULE:FREQ=DAILY;UNTIL={until}", DTSTART="DTSTART;VALUE=DATE:20260328", DTEND=None
    )
    assert expand(meeting.instances, HORIZON, Limits())[-1].recurrence_id == last


def test_count_counts_what_is_excluded_or_replaced(ics):
    master = ics.vevent(
        "RRULE:FREQ=DAILY;COUNT=4",
        "EXDATE;TZID=Europe/Berlin:20260105T090000",
        "EXDATE;TZID=America/New_York:20260107T030000",  # the 7th at 09:00 in Berlin
        "EXDATE:20260301T080000Z",
    )
    moved = ics.vevent(
        "RECURRENCE-ID:20260108T080000Z", DTSTART="DTSTART:20260120T080000Z", DTEND="DURATION:PT5M"
    )
    found = expand(ics.parse(ics.vcalendar(master, moved)).instances, HORIZON, Limits())
    assert shown(found) == ["01-06 08:00", "01-20 08:00"]


def test_an_override_with_a_lower_sequence_than_its_master_stands(ics):
    master = ics.vevent("RRULE:FREQ=DAILY;COUNT=3", "SEQUENCE:7")
    early = {"DTSTAMP": "DTSTAMP:20250101T000000Z"}
    moved = ics.vevent(
        "RECURRENCE-ID:20260106T080000Z",
        "SEQUENCE:1",
        DTSTART="DTSTART:20260106T130000Z",
        DTEND="DURATION:PT1H",
        **early,
    )
    gone = ics.vevent("RECURRENCE-ID:20260107T080000Z", "STATUS:CANCELLED", "SEQUENCE:0", **early)
    meeting = ics.parse(ics.vcalendar(gone, master, moved))
    assert [item.sequence for item in meeting.instances] == [7, 1, 0]
    assert shown(expand(meeting.instances, HORIZON, Limits())) == ["01-05 08:00", "01-06 13:00"]


def test_an_override_may_become_an_all_day_one_and_the_other_way(ics):
    whole_day = ics.vevent(
        "RECURRENCE-ID:20260106T080000Z", DTSTART="DTSTART;VALUE=DATE:20260107", DTEND=None
    )
    master = ics.vevent("RRULE:FREQ=DAILY;COUNT=2")
    found = expand(ics.parse(ics.vcalendar(master, whole_day)).instances, HORIZON, Limits())
    assert shown(found) == ["01-05 08:00", "01-06 23:00"]
    assert found[1].end - found[1].start == 86_400


def test_orphans_hold_their_own_time(ics):
    one = ics.vevent(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260106T090000", DTSTART="DTSTART:20260106T130000Z",
        DTEND="DTEND:20260106T140000Z",
    )  # fmt: skip
    two = ics.vevent("RECURRENCE-ID:20260105T080000Z")
    found = expand(ics.parse(ics.vcalendar(one, two)).instances, HORIZON, Limits())
    assert shown(found) == ["01-05 08:00", "01-06 13:00"]
    assert [item.recurrence_id for item in found] == ["20260105T080000Z", "20260106T080000Z"]


LENGTHS = [
    # DTSTART, DTEND or DURATION, the lengths in minutes of two daily occurrences about the last Sunday of March
    ("DTSTART;TZID=Europe/Berlin:20260328T120000", "DTEND;TZID=Europe/Berlin:20260329T120000", [1380, 1380]),
    ("DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D", [1380, 1440]),
    ("DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1DT1H", [1440, 1500]),
    ("DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1W", [10020, 10080]),
    ("DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT24H", [1440, 1440]),
    ("DTSTART;TZID=Europe/Berlin:20260328T120000", "DTEND;TZID=Europe/Berlin:20260328T120000", [0, 0]),
    ("DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT0S", [0, 0]),
    ("DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260330", [2820, 2820]),
    ("DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260331", [4260, 4260]),
    ("DTSTART;VALUE=DATE:20260328", "DURATION:P1W", [10020, 10020]),
    ("DTSTART;VALUE=DATE:20260328", None, [1440, 1380]),
]  # fmt: skip


@pytest.mark.parametrize(("start", "end", "minutes"), LENGTHS)
def test_lengths_over_a_change_of_clocks(ics, start, end, minutes):
    meeting = ics.meeting("RRULE:FREQ=DAILY;COUNT=2", DTSTART=start, DTEND=end)
    found = expand(meeting.instances, HORIZON, Limits())
    assert [(item.end - item.start) // 60 for item in found] == minutes


@pytest.mark.parametrize(
    "tzid", ["Europe/Berlin", "W. Europe Standard Time", "/citadel.org/20250101/Europe/Berlin"]
)
def test_names_for_one_zone_make_one_series(ics, tzid):
    found = expand(
        of(ics, "FREQ=WEEKLY;COUNT=200", "20260105T090000", zone=tzid), HORIZON, Limits()
    )
    plain = expand(of(ics, "FREQ=WEEKLY;COUNT=200", "20260105T090000"), HORIZON, Limits())
    assert found == plain


def fixed(tzid, offset):
    return (
        f"BEGIN:VTIMEZONE\r\nTZID:{tzid}\r\nBEGIN:STANDARD\r\nDTSTART:00010101T000000\r\n"
        f"TZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    )


def test_a_zone_that_begins_in_the_year_1(ics):
    counted = fixed("Odd", "+0100").replace(
        "END:STANDARD", "RRULE:FREQ=YEARLY;BYWEEKNO=1;WKST=TU;COUNT=5\r\nEND:STANDARD"
    )
    meeting = ics.parse(ics.vcalendar(counted, ics.vevent(
        DTSTART="DTSTART;TZID=Odd:20260105T090000", DTEND="DURATION:PT1H"
    )))  # fmt: skip
    assert shown(expand(meeting.instances, HORIZON, Limits())) == ["01-05 08:00"]


@pytest.mark.parametrize(
    ("offset", "expected"), [("+0500", "01-05 04:00"), ("-0800", "01-05 17:00")]
)
def test_a_series_in_a_zone_of_the_mail_s_own(ics, offset, expected):
    event = ics.vevent("RRULE:FREQ=DAILY;COUNT=2", "EXDATE;TZID=Europe/Berlin:20260106T090000")
    for _ in range(2):  # the second reading knows nothing of the first
        meeting = ics.parse(ics.vcalendar(fixed("Europe/Berlin", offset), event))
        assert shown(expand(meeting.instances, HORIZON, Limits())) == [expected]
    other = ics.parse(ics.vcalendar(event))
    assert shown(expand(other.instances, HORIZON, Limits())) == ["01-05 08:00"]


def test_floating_series_follow_the_resource(ics):
    text = ics.vcalendar(
        ics.vevent(
            "RRULE:FREQ=DAILY;COUNT=2",
            "EXDATE:20260106T090000",
            DTSTART="DTSTART:20260105T090000",
            DTEND="DURATION:PT1H",
        )
    )
    for zone, expected in [("Europe/Berlin", "01-05 08:00"), ("Asia/Tokyo", "01-05 00:00")]:
        meeting = ics.parse(text, zone=IanaZone(zone))
        assert shown(expand(meeting.instances, HORIZON, Limits())) == [expected]


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from([1, 7]),
)
def test_the_wall_clock_stands_still(name, start, days):
    """Each occurrence is at DTSTART's wall-clock time by zoneinfo, gaps and overlaps included."""
    start = start.replace(microsecond=0)
    text = (
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n"
        f"ORGANIZER:mailto:a@example.org\nDTSTART;TZID={name}:{start:%Y%m%dT%H%M%S}\n"
        f"RRULE:FREQ=DAILY;INTERVAL={days};COUNT=60\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    walls = [start + timedelta(days=days * number) for number in range(60)]
    expected = {int(wall.replace(tzinfo=ZoneInfo(name)).timestamp()) for wall in walls}
    found = expand(parse_meeting(text, BERLIN, Limits()).instances, HORIZON, Limits())
    assert [item.start for item in found] == sorted(expected)


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({"DTEND": "DURATION:P36601D"}, []),
        ({"DTEND": "DURATION:P999999W"}, []),
        ({"DTEND": "DTEND:90000101T000000Z"}, []),
        ({"DTSTART": "DTSTART:00010101T000000Z", "DTEND": None}, []),
        ({"DTSTART": "DTSTART;VALUE=DATE:16001231", "DTEND": None}, []),
        ({}, ["RDATE:99990101T000000Z"]),
        ({}, ["RDATE;VALUE=PERIOD:20260101T000000Z/P999999D"]),
    ],
)
def test_times_that_cannot_be_reckoned_with_are_unreadable(ics, changed, lines):
    with pytest.raises(UnreadableError, match=r"too (far|long)"):
        ics.meeting(*lines, **changed)
