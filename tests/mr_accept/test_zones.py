"""Zones per message: own VTIMEZONE, IANA, Windows, else unreadable."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.grammar import parse_component
from mr_accept.limits import Limits
from mr_accept.model import UnreadableError
from mr_accept.zones import IanaZone, ZoneTable, named_zone, offset_text

BERLIN = IanaZone("Europe/Berlin")

OUTLOOK_BERLIN = """\
BEGIN:VTIMEZONE
TZID:{tzid}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
GOOGLE_NEW_YORK = """\
BEGIN:VTIMEZONE
TZID:America/New_York
X-LIC-LOCATION:America/New_York
BEGIN:DAYLIGHT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
TZNAME:EDT
DTSTART:19700308T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
TZNAME:EST
DTSTART:19701101T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE
"""


def fixed(tzid, offset):
    return (
        f"BEGIN:VTIMEZONE\nTZID:{tzid}\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
    )


def table(*timezones, limits=None):
    limits = limits or Limits()
    text = "BEGIN:VCALENDAR\n" + "".join(timezones) + "END:VCALENDAR\n"
    return ZoneTable(parse_component(text, limits).named("VTIMEZONE"), BERLIN, limits)


def instant(text):
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


WALLS = [
    ("2026-01-05 09:00", "2026-01-05 08:00"),
    ("2026-07-06 09:00", "2026-07-06 07:00"),
    ("2026-03-29 01:59", "2026-03-29 00:59"),
    ("2026-03-29 02:30", "2026-03-29 01:30"),  # in the gap: the offset before it, +01:00
    ("2026-03-29 03:00", "2026-03-29 01:00"),
    ("2026-10-25 02:30", "2026-10-25 00:30"),  # twice: the first, still summer time
    ("2026-10-25 03:00", "2026-10-25 02:00"),
    ("2027-10-31 02:59", "2027-10-31 00:59"),
]


@pytest.mark.parametrize(("wall", "utc"), WALLS)
@pytest.mark.parametrize("source", ["iana", "windows", "own"])
def test_walls_become_instants_alike_whatever_the_source(source, wall, utc):
    zone = {
        "iana": lambda: named_zone("Europe/Berlin"),
        "windows": lambda: named_zone("W. Europe Standard Time"),
        "own": lambda: table(OUTLOOK_BERLIN.format(tzid="Any")).resolve("Any"),
    }[source]()
    assert zone.to_utc(datetime.strptime(wall, "%Y-%m-%d %H:%M")) == instant(utc)


@given(st.datetimes(datetime(2010, 1, 1), datetime(2099, 1, 1)))
def test_a_google_vtimezone_is_the_iana_zone(wall):
    wall = wall.replace(microsecond=0)
    own = table(GOOGLE_NEW_YORK).resolve("America/New_York")
    real = IanaZone("America/New_York")
    assert own.to_utc(wall) == real.to_utc(wall)
    assert own.from_utc(own.to_utc(wall)) == real.from_utc(real.to_utc(wall))


@given(st.integers(0, 4_000_000_000))
def test_from_utc_is_zoneinfo(seconds):
    assert BERLIN.from_utc(seconds) == datetime.fromtimestamp(
        seconds, ZoneInfo("Europe/Berlin")
    ).replace(tzinfo=None)


def test_two_mails_with_one_tzid_and_different_rules_mean_different_times():
    first = table(fixed("Custom", "+0300")).resolve("Custom")
    second = table(fixed("Custom", "-0700")).resolve("Custom")
    wall = datetime(2026, 1, 5, 12)
    assert first.to_utc(wall) == instant("2026-01-05 09:00")
    assert second.to_utc(wall) == instant("2026-01-05 19:00")


def test_the_message_s_own_vtimezone_goes_before_the_iana_name():
    zone = table(fixed("Europe/Berlin", "+0500")).resolve("Europe/Berlin")
    assert zone.to_utc(datetime(2026, 1, 5, 12)) == instant("2026-01-05 07:00")


@pytest.mark.parametrize(
    ("tzid", "utc"),
    [
        ("Europe/London", "2026-07-06 08:00"),
        ("UTC", "2026-07-06 09:00"),
        ("tzone://Microsoft/Utc", "2026-07-06 09:00"),
        ("Eastern Standard Time", "2026-07-06 13:00"),
        ("tokyo standard time", "2026-07-06 00:00"),
        ('"W. Europe Standard Time"', "2026-07-06 07:00"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "2026-07-06 07:00"),
        ("/mozilla.org/20070129_1/America/Argentina/Buenos_Aires", "2026-07-06 12:00"),
    ],
)
def test_names(tzid, utc):
    assert table().resolve(tzid).to_utc(datetime(2026, 7, 6, 9)) == instant(utc)


@pytest.mark.parametrize(
    "tzid",
    ["Nowhere/Nothing", "", "localtime", "Factory", "../../etc/passwd", "/etc/passwd", "Europe",
     "Berlin", "x" * 5000, "nul\x00", "(UTC+01:00) Amsterdam, Berlin"],
)  # fmt: skip
def test_unknown_names_are_unreadable(tzid):
    with pytest.raises(UnreadableError, match="not known"):
        table().resolve(tzid)


def test_an_empty_shell_of_a_vtimezone_leaves_it_to_the_name():
    zone = table("BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nEND:VTIMEZONE\n").resolve("Europe/Berlin")
    assert zone.to_utc(datetime(2026, 7, 6, 9)) == instant("2026-07-06 07:00")


def observance(*lines, tzid="Odd"):
    body = "\n".join(lines)
    return f"BEGIN:VTIMEZONE\nTZID:{tzid}\nBEGIN:STANDARD\n{body}\nEND:STANDARD\nEND:VTIMEZONE\n"


OFFSETS = ("TZOFFSETFROM:+0200", "TZOFFSETTO:+0100")


def test_rdates_and_until_are_followed():
    zone = table(
        observance(*OFFSETS, "DTSTART:20251026T030000", "RDATE:20261025T030000"),
    ).resolve("Odd")
    assert offset_text(zone, instant("2025-10-26 00:59")) == "+02:00"
    assert offset_text(zone, instant("2025-10-26 01:00")) == "+01:00"
    ended = table(
        "BEGIN:VTIMEZONE\nTZID:Odd\nBEGIN:DAYLIGHT\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"
        "DTSTART:20240331T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20250330T010000Z\n"
        "END:DAYLIGHT\nBEGIN:STANDARD\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n"
        "DTSTART:20241027T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\n"
        "END:VTIMEZONE\n"
    ).resolve("Odd")
    assert offset_text(ended, instant("2025-07-01 00:00")) == "+02:00"
    assert offset_text(ended, instant("2026-07-01 00:00")) == "+01:00"


@pytest.mark.parametrize(
    "timezone",
    [
        observance("DTSTART:19700101T000000", "TZOFFSETFROM:+0100"),
        observance("TZOFFSETFROM:+0100", "TZOFFSETTO:+0100"),
        observance("DTSTART:19700101T000000", "TZOFFSETFROM:+9900", "TZOFFSETTO:+0100"),
        observance("DTSTART:19700101T000000", "TZOFFSETFROM:1", "TZOFFSETTO:+0100"),
        observance("DTSTART:yesterday", *OFFSETS),
        observance("DTSTART:19700101T000000", *OFFSETS, "RRULE:FREQ=SOMETIMES"),
        observance("DTSTART:19700101T000000", *OFFSETS, "RDATE:never"),
    ],
)
def test_broken_vtimezones_are_unreadable(timezone):
    with pytest.raises(UnreadableError):
        table(timezone).resolve("Odd")


@pytest.mark.parametrize(
    "timezone",
    [
        observance("DTSTART:19700101T000000", *OFFSETS, "RRULE:FREQ=SECONDLY"),
        observance(
            "DTSTART:19700101T000000", *OFFSETS, "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"
        ),
        observance("DTSTART:19700101T000000", *OFFSETS, "RRULE:FREQ=DAILY"),
        observance("DTSTART:19700101T000000", *OFFSETS,
                   "RRULE:FREQ=YEARLY;BYHOUR=" + ",".join(map(str, range(24)))
                   + ";BYMINUTE=" + ",".join(map(str, range(60)))
                   + ";BYSECOND=" + ",".join(map(str, range(60)))),
        "BEGIN:VTIMEZONE\nTZID:Odd\n" + "".join(
            f"BEGIN:STANDARD\nDTSTART:19700101T{n // 60:02}{n % 60:02}00\nTZOFFSETFROM:+0100\n"
            "TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=1MO\nEND:STANDARD\n"
            for n in range(990)
        ) + "END:VTIMEZONE\n",
        "BEGIN:VTIMEZONE\nTZID:Odd\n" + "BEGIN:STANDARD\nEND:STANDARD\n" * 2000 + "END:VTIMEZONE\n",
    ],
)  # fmt: skip
def test_hostile_vtimezones_end_soon(timezone):
    began = time.perf_counter()
    with pytest.raises(UnreadableError):
        table(timezone).resolve("Odd")
    assert time.perf_counter() - began < 5


def test_two_different_vtimezones_of_one_name_are_unreadable():
    with pytest.raises(UnreadableError, match="two different"):
        table(fixed("Odd", "+0100"), fixed("Odd", "+0200"))
    assert table(fixed("Odd", "+0100"), fixed("Odd", "+0100")).resolve("Odd").name == "Odd"
