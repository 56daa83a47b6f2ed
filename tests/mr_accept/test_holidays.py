"""Days off from iCalendar files as people have them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.holidays import check_holidays, holidays_of
from mr_accept.model import UnreadableError

BERLIN = """BEGIN:VTIMEZONE
TZID:Berlin
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""


def file_of(*events: str) -> str:
    blocks = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{BERLIN}{blocks}END:VCALENDAR\n"


def days(text: str, first: int = 2026, last: int = 2027) -> list[str]:
    return [day.isoformat() for day in sorted(holidays_of(text, first, last))]


NEW_YEAR = "DTSTART;VALUE=DATE:20260101"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (NEW_YEAR, ["2026-01-01"]),
        (f"{NEW_YEAR}\nDTEND;VALUE=DATE:20260104", ["2026-01-01", "2026-01-02", "2026-01-03"]),
        (f"{NEW_YEAR}\nDURATION:P2D", ["2026-01-01", "2026-01-02"]),
        (f"{NEW_YEAR}\nDTEND;VALUE=DATE:20260101", ["2026-01-01"]),  # against the RFC, but common
        (f"{NEW_YEAR}\nTRANSP:TRANSPARENT", ["2026-01-01"]),
        (f"{NEW_YEAR}\nSTATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:20000101\nRRULE:FREQ=YEARLY", ["2026-01-01", "2027-01-01"]),
        ("DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY;UNTIL=20260601", ["2026-01-01"]),
        ("DTSTART;VALUE=DATE:20280101\nRRULE:FREQ=YEARLY", []),
        (
            "DTSTART;VALUE=DATE:20001123\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            ["2026-11-26", "2027-11-25"],
        ),
        (
            f"{NEW_YEAR}\nRDATE;VALUE=DATE:20260501,20271003",
            ["2026-01-01", "2026-05-01", "2027-10-03"],
        ),
        (
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260101",
            ["2027-01-01"],
        ),
        ("DTSTART;VALUE=DATE:20251231\nDTEND;VALUE=DATE:20260102", ["2026-01-01"]),
        ("DTSTART;VALUE=DATE:20271231\nDTEND;VALUE=DATE:20280103", ["2027-12-31"]),
        ("DTSTART;VALUE=DATE:20280229\nRRULE:FREQ=YEARLY", []),
        ("DTSTART;VALUE=DATE:20200229\nRRULE:FREQ=YEARLY", []),
        # from midnight to midnight, on whose wall clock ever
        ("DTSTART:20260506T000000\nDTEND:20260507T000000", ["2026-05-06"]),
        ("DTSTART:20260506T000000Z\nDTEND:20260508T000000Z", ["2026-05-06", "2026-05-07"]),
        (
            "DTSTART;TZID=Berlin:20260329T000000\nDTEND;TZID=Berlin:20260330T000000",
            ["2026-03-29"],  # a day of 23 hours
        ),
        (
            "DTSTART;TZID=America/New_York:20261225T000000\nDURATION:P1D\nRRULE:FREQ=YEARLY",
            ["2026-12-25", "2027-12-25"],
        ),
        # hours are no days
        ("DTSTART:20260506T090000\nDTEND:20260506T170000", []),
        ("DTSTART:20260506T000000\nDTEND:20260506T120000", []),
        ("DTSTART:20260506T000000\nDTEND:20260506T000000", []),
        ("DTSTART:20260506T120000\nDTEND:20260507T120000", []),
    ],
)
def test_what_an_event_takes(event: str, expected: list[str]) -> None:
    assert days(file_of(event)) == expected


def test_several_events_and_an_instance_that_is_moved() -> None:
    series = "UID:a\nDTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY"
    moved = "UID:a\nRECURRENCE-ID;VALUE=DATE:20260501\nDTSTART;VALUE=DATE:20260504"
    text = file_of(series, moved, NEW_YEAR, "UID:b\nDTSTART;VALUE=DATE:20261225")
    assert days(text) == ["2026-01-01", "2026-05-04", "2026-12-25", "2027-05-01"]


def test_the_years_are_those_asked_for() -> None:
    text = file_of("DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY")
    assert days(text, 2024, 2025) == ["2024-01-01", "2025-01-01"]
    assert days(text, 2019, 2020) == ["2020-01-01"]
    assert days("", 2024, 2025) == []


@given(st.dates(date(2025, 12, 1), date(2028, 1, 31)), st.integers(1, 800))
def test_each_day_of_an_event_is_off_within_the_years(first: date, length: int) -> None:
    after = first + timedelta(days=length)
    event = f"DTSTART;VALUE=DATE:{first:%Y%m%d}\nDTEND;VALUE=DATE:{after:%Y%m%d}"
    off = {first + timedelta(days=count) for count in range(length)}
    assert holidays_of(file_of(event), 2026, 2027) == {
        day for day in off if day.year in (2026, 2027)
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not hold exactly one complete VCALENDAR"),
        ("not a calendar", "not hold exactly one complete VCALENDAR"),
        (file_of(), "no event in it that lasts a whole day"),
        (file_of("DTSTART:20260506T090000\nDTEND:20260506T170000"), "lasts a whole day"),
        (file_of("SUMMARY:when?"), "no DTSTART"),
        (file_of(NEW_YEAR, "DTSTART;VALUE=DATE:20260230"), "20260230"),
        (file_of("DTSTART;TZID=Nowhere/City:20260101T000000\nDURATION:P1D"), "Nowhere/City"),
        (file_of(f"{NEW_YEAR}\nRRULE:FREQ=OFTEN"), "RRULE"),
    ],
)
def test_what_is_no_file_of_days_off(text: str, says: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        check_holidays(text)
    assert says in str(caught.value)
