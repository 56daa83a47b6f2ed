"""The calendar object that CalDAV readers will see: one UID, no METHOD, nothing twice."""

from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest

from mr_accept.calendar_object import compose_object
from tests.support.meetings import at, basic, calendar, event

ROOM = "aurora@example.org"
DAYS = [at(9, day=day) for day in range(4)]
IDS = [basic(day) for day in DAYS]
SERIES = event("u", DAYS[0], attendees=(ROOM,), rrule="FREQ=DAILY;COUNT=4")


def moved(day: int, hour: int, **details: Any) -> str:
    return event("u", at(hour, day=day), attendees=(ROOM,), recurrence_id=DAYS[day], **details)


def vtimezone(tzid: str, offset: str) -> str:
    lines = [
        "BEGIN:VTIMEZONE",
        f"TZID:{tzid}",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        f"TZOFFSETFROM:{offset}",
        f"TZOFFSETTO:{offset}",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]
    return "\r\n".join(lines)


def read(text: str) -> icalendar.Calendar:
    parsed = icalendar.Calendar.from_ical(text)
    assert isinstance(parsed, icalendar.Calendar)
    assert parsed.errors == []
    return parsed


def starts(text: str) -> dict[str, datetime]:
    """The starts of the VEVENTs by RECURRENCE-ID, none of which may come twice."""
    found: dict[str, datetime] = {}
    events: list[Any] = read(text).walk("VEVENT")
    for one in events:
        recurrence_id = one.get("RECURRENCE-ID")
        key = recurrence_id.to_ical().decode() if recurrence_id else ""
        assert key not in found
        found[key] = one["DTSTART"].dt
    return found


def excluded(text: str) -> list[str]:
    lines = [line for line in text.split("\r\n") if line.startswith("EXDATE")]
    return [line.rpartition(":")[2] for line in lines]


def test_a_single_request_is_kept_without_its_method() -> None:
    source = calendar(event("u", DAYS[0], attendees=(ROOM,), extra=("X-KEPT:yes",)))
    text = compose_object({"": source})
    assert text == source.replace("METHOD:REQUEST\r\n", "")


def test_long_lines_are_folded_again() -> None:
    source = calendar(event("u", DAYS[0], attendees=(ROOM,), summary="ä" * 100))
    text = compose_object({"": source})
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert str(read(text).walk("VEVENT")[0]["SUMMARY"]) == "ä" * 100


def test_an_instance_stands_beside_its_series() -> None:
    text = compose_object({"": calendar(SERIES), IDS[1]: calendar(moved(1, 15))})
    assert starts(text) == {"": DAYS[0], IDS[1]: at(15, day=1)}
    assert text.count("METHOD") == 0


def test_an_instance_replaces_what_the_series_said_about_it() -> None:
    whole = calendar(SERIES, moved(1, 15), moved(2, 15))
    text = compose_object({"": whole, IDS[1]: calendar(moved(1, 17, sequence=1)), IDS[2]: whole})
    assert starts(text) == {"": DAYS[0], IDS[1]: at(17, day=1), IDS[2]: at(15, day=2)}


def test_cancelled_instances_are_excluded() -> None:
    whole = calendar(SERIES, moved(1, 15))
    text = compose_object({"": whole}, cancelled=[IDS[2], IDS[1]])
    assert starts(text) == {"": DAYS[0]}
    assert excluded(text) == [IDS[1], IDS[2]]


def test_cancelled_days_are_excluded_as_dates() -> None:
    day = f"{DAYS[0]:%Y%m%d}"
    timed = event("u", DAYS[0], attendees=(ROOM,), rrule="FREQ=DAILY;COUNT=4")
    all_day = timed.replace(f"DTSTART:{IDS[0]}", f"DTSTART;VALUE=DATE:{day}")
    all_day = all_day.replace(f"DTEND:{basic(at(10))}\r\n", "")
    text = compose_object({"": calendar(all_day)}, cancelled=[day])
    assert f"EXDATE;VALUE=DATE:{day}\r\n" in text
    read(text)


def test_a_series_that_is_not_ours_is_left_out() -> None:
    whole = calendar(event("u", DAYS[0], attendees=("b@x.org",), rrule="FREQ=DAILY"), moved(1, 15))
    text = compose_object({IDS[1]: whole})
    assert starts(text) == {IDS[1]: at(15, day=1)}


@pytest.mark.parametrize("quoted", [False, True])
def test_one_name_for_two_zones_becomes_two_names(quoted: bool) -> None:
    tzid = '"Our Zone"' if quoted else "Our Zone"

    def zoned(block: str, offset: str) -> str:
        local = block.replace(
            ":" + basic(at(15, day=1)), f";TZID={tzid}:{at(15, day=1):%Y%m%dT%H%M%S}"
        )
        local = local.replace(
            ":" + IDS[0] + "\r\nDTEND", f";TZID={tzid}:{DAYS[0]:%Y%m%dT%H%M%S}\r\nDTEND"
        )
        return calendar(vtimezone("Our Zone", offset), local)

    text = compose_object({"": zoned(SERIES, "+0100"), IDS[1]: zoned(moved(1, 15), "+0500")})
    zones = [str(zone["TZID"]) for zone in read(text).walk("VTIMEZONE")]
    assert len(set(zones)) == 2
    offsets = {start.utcoffset() for start in starts(text).values()}
    assert offsets == {timedelta(hours=1), timedelta(hours=5)}


def test_the_same_zone_is_there_once() -> None:
    zone = vtimezone("Our Zone", "+0100")
    text = compose_object({"": calendar(zone, SERIES), IDS[1]: calendar(zone, moved(1, 15))})
    assert text.count("BEGIN:VTIMEZONE") == 1
