"""Every example of RFC 5545 section 3.8.5.3, from the VEVENT to the times, in New York as it has them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mr_accept.expand import expand
from mr_accept.limits import Limits

NEW_YORK = ZoneInfo("America/New_York")
FAR = int(datetime(2007, 6, 1, tzinfo=NEW_YORK).timestamp())
WEEKDAYS = "MO,TU,WE,TH,FR"


def run(first, last):
    return " ".join(str(day) for day in range(first, last + 1))


# DTSTART's date (at 09:00), rule, the first instances as "YYYYMM: days", whether there are more
EXAMPLES = [
    ("19970902", "FREQ=DAILY;COUNT=10", f"199709: {run(2, 11)}", False),
    ("19970902", "FREQ=DAILY;UNTIL=19971224T000000Z",
     f"199709: {run(2, 30)}, 199710: {run(1, 31)}, 199711: {run(1, 30)}, 199712: {run(1, 23)}", False),
    ("19970902", "FREQ=DAILY;INTERVAL=2",
     "199709: 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30, 199710: 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30, "
     "199711: 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29, 199712: 1 3", True),
    ("19970902", "FREQ=DAILY;INTERVAL=10;COUNT=5", "199709: 2 12 22, 199710: 2 12", False),
    ("19980101", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
     f"199801: {run(1, 31)}, 199901: {run(1, 31)}, 200001: {run(1, 31)}", False),
    ("19980101", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
     f"199801: {run(1, 31)}, 199901: {run(1, 31)}, 200001: {run(1, 31)}", False),
    ("19970902", "FREQ=WEEKLY;COUNT=10",
     "199709: 2 9 16 23 30, 199710: 7 14 21 28, 199711: 4", False),
    ("19970902", "FREQ=WEEKLY;UNTIL=19971224T000000Z",
     "199709: 2 9 16 23 30, 199710: 7 14 21 28, 199711: 4 11 18 25, 199712: 2 9 16 23", False),
    ("19970902", "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
     "199709: 2 16 30, 199710: 14 28, 199711: 11 25, 199712: 9 23, 199801: 6 20, 199802: 3 17", True),
    ("19970902", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
     "199709: 2 4 9 11 16 18 23 25 30, 199710: 2", False),
    ("19970902", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
     "199709: 2 4 9 11 16 18 23 25 30, 199710: 2", False),
    ("19970901", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
     "199709: 1 3 5 15 17 19 29, 199710: 1 3 13 15 17 27 29 31, 199711: 10 12 14 24 26 28, "
     "199712: 8 10 12 22", False),
    ("19970902", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
     "199709: 2 4 16 18 30, 199710: 2 14 16", False),
    ("19970905", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
     "199709: 5, 199710: 3, 199711: 7, 199712: 5, 199801: 2, 199802: 6, 199803: 6, 199804: 3, "
     "199805: 1, 199806: 5", False),
    ("19970905", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
     "199709: 5, 199710: 3, 199711: 7, 199712: 5", False),
    ("19970907", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
     "199709: 7 28, 199711: 2 30, 199801: 4 25, 199803: 1 29, 199805: 3 31", False),
    ("19970922", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
     "199709: 22, 199710: 20, 199711: 17, 199712: 22, 199801: 19, 199802: 16", False),
    ("19970928", "FREQ=MONTHLY;BYMONTHDAY=-3",
     "199709: 28, 199710: 29, 199711: 28, 199712: 29, 199801: 29, 199802: 26", True),
    ("19970902", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
     "199709: 2 15, 199710: 2 15, 199711: 2 15, 199712: 2 15, 199801: 2 15", False),
    ("19970930", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
     "199709: 30, 199710: 1 31, 199711: 1 30, 199712: 1 31, 199801: 1 31, 199802: 1", False),
    ("19970910", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
     f"199709: {run(10, 15)}, 199903: {run(10, 13)}", False),
    ("19970902", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
     "199709: 2 9 16 23 30, 199711: 4 11 18 25, 199801: 6 13 20 27, 199803: 3 10 17 24 31", True),
    ("19970610", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
     ", ".join(f"{year}06: 10, {year}07: 10" for year in range(1997, 2002)), False),
    ("19970310", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
     "199703: 10, 199901: 10, 199902: 10, 199903: 10, 200101: 10, 200102: 10, 200103: 10, "
     "200301: 10, 200302: 10, 200303: 10", False),
    ("19970101", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
     "199701: 1, 199704: 10, 199707: 19, 200001: 1, 200004: 9, 200007: 18, 200301: 1, 200304: 10, "
     "200307: 19, 200601: 1", False),
    ("19970519", "FREQ=YEARLY;BYDAY=20MO", "199705: 19, 199805: 18, 199905: 17", True),
    ("19970512", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "199705: 12, 199805: 11, 199905: 17", True),
    ("19970313", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
     "199703: 13 20 27, 199803: 5 12 19 26, 199903: 4 11 18 25", True),
    ("19970605", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
     "199706: 5 12 19 26, 199707: 3 10 17 24 31, 199708: 7 14 21 28, 199806: 4 11 18 25, "
     "199807: 2 9 16 23 30, 199808: 6 13 20 27, 199906: 3 10 17 24, 199907: 1 8 15 22 29, "
     "199908: 5 12 19 26", True),
    ("19970913", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
     "199709: 13, 199710: 11, 199711: 8, 199712: 13, 199801: 10, 199802: 7, 199803: 7, 199804: 11, "
     "199805: 9, 199806: 13", True),
    ("19961105", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
     "199611: 5, 200011: 7, 200411: 2", False),
    ("19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
     "199709: 4, 199710: 7, 199711: 6", False),
    ("19970929", f"FREQ=MONTHLY;BYDAY={WEEKDAYS};BYSETPOS=-2",
     "199709: 29, 199710: 30, 199711: 27, 199712: 30, 199801: 29, 199802: 26, 199803: 30", True),
    ("19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "199708: 5 10 19 24", False),
    ("19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "199708: 5 17 19 31", False),
    ("20070115", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
     "200701: 15 30, 200702: 15, 200703: 15 30", False),
]  # fmt: skip


def starts(ics, day, rule, *lines):
    meeting = ics.meeting(
        f"RRULE:{rule}",
        *lines,
        DTSTART=f"DTSTART;TZID=America/New_York:{day}T090000",
        DTEND="DURATION:PT10M",
    )
    found = expand(meeting.instances, FAR, Limits())
    return [datetime.fromtimestamp(item.start, NEW_YORK) for item in found]


def days_of(text):
    for month in text.split(", "):
        prefix, _, days = month.partition(": ")
        yield from (f"{prefix}{int(day):02}" for day in days.split())


@pytest.mark.parametrize(("day", "rule", "expected", "more"), EXAMPLES)
def test_examples_by_the_day(ics, day, rule, expected, more):
    found = starts(ics, day, rule)
    wanted = list(days_of(expected))
    assert [f"{moment:%Y%m%d}" for moment in found[: len(wanted)]] == wanted
    assert (len(found) > len(wanted)) is more
    assert {f"{moment:%H%M%S}" for moment in found} == {"090000"}


def test_friday_the_thirteenth_without_the_day_on_which_it_is_told(ics):
    found = starts(
        ics,
        "19970902",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "EXDATE;TZID=America/New_York:19970902T090000",
    )
    assert [f"{moment:%Y%m%d}" for moment in found[:5]] == [
        "19980213",
        "19980313",
        "19981113",
        "19990813",
        "20001013",
    ]


ALL_DAY_LONG = [f"{hour:02}:{minute:02}" for hour in range(9, 17) for minute in (0, 20, 40)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z", ["09:00", "12:00", "15:00"]),  # by its erratum
        ("FREQ=MINUTELY;INTERVAL=15;COUNT=6", ["09:00", "09:15", "09:30", "09:45", "10:00", "10:15"]),
        ("FREQ=MINUTELY;INTERVAL=90;COUNT=4", ["09:00", "10:30", "12:00", "13:30"]),
        ("FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40;UNTIL=19970904T000000Z", ALL_DAY_LONG * 2),
        # these have no end in the RFC, and without one they are refused
        ("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16;UNTIL=19970904T000000Z", ALL_DAY_LONG * 2),
        ("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16;COUNT=30", (ALL_DAY_LONG * 2)[:30]),
    ],
)  # fmt: skip
def test_examples_by_the_hour(ics, rule, expected):
    assert [f"{moment:%H:%M}" for moment in starts(ics, "19970902", rule)] == expected
