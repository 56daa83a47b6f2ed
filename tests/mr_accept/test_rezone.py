"""Moving calendars between time zones: what floats follows the resource's clock, the rest stays."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailcore.errors import MailError
from mr_accept.rezone import move_calendar
from mr_accept.upkeep import rebuild_occurrences
from store.mailboxes import update_mailbox
from tests.support.booking_desk import Desk, Room
from tests.support.meetings import at, calendar, mail

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


@pytest.fixture
def room(desk: Desk) -> Room:
    return desk.room(timezone=BERLIN)


def wall(hour: int, day: int = 0) -> str:
    return f"{at(hour, day=day):%Y%m%dT%H%M%S}"


def ask_floating(
    room: Room, uid: str, *lines: str, sequence: int = 0, method: str = "REQUEST"
) -> str:
    """Settle a request of an hour that is said in these lines; return its fate."""
    event = "\r\n".join(
        [
            "BEGIN:VEVENT",
            f"UID:{uid}",
            f"DTSTAMP:20260101T00{sequence:02}00Z",
            f"SEQUENCE:{sequence}",
            "ORGANIZER:mailto:anna@example.net",
            f"ATTENDEE:mailto:{room.address}",
            *lines,
            "END:VEVENT",
        ]
    )
    return room.send(mail(calendar(event, method=method), method=method, to=room.address)).fate


def move(room: Room, zone: str) -> None:
    with room.desk.database.write() as connection:
        move_calendar(connection, room.recipient, zone, room.desk.settings)
        update_mailbox(connection, room.store_id, {"timezone": zone})


def in_zone(zone: str, hour: int, day: int = 0) -> datetime:
    return at(hour, day=day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def book_all_kinds(room: Room) -> None:
    series = (f"DTSTART:{wall(9, 1)}", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4")
    moved = (f"RECURRENCE-ID:{wall(9, 2)}", f"DTSTART:{wall(15, 2)}", "DURATION:PT1H")
    gone = (f"RECURRENCE-ID:{wall(9, 3)}", f"DTSTART:{wall(9, 3)}", "DURATION:PT1H")
    day = f"DTSTART;VALUE=DATE:{at(0, day=6):%Y%m%d}"
    assert ask_floating(room, "single", f"DTSTART:{wall(9)}", "DURATION:PT1H") == "accepted"
    assert ask_floating(room, "series", *series) == "accepted"
    assert ask_floating(room, "series", *moved, sequence=1) == "accepted"
    assert ask_floating(room, "series", *gone, sequence=1, method="CANCEL") == "freed"
    assert ask_floating(room, "day", day) == "accepted"
    zoned = f"DTSTART;TZID={BERLIN}:{wall(20)}"
    assert ask_floating(room, "zoned", zoned, "DURATION:PT1H") == "accepted"


def expected(zone: str) -> list[tuple[str, datetime]]:
    floating = [("single", 9, 0), ("series", 9, 1), ("series", 15, 2), ("series", 9, 4)]
    held = [(uid, in_zone(zone, hour, day)) for uid, hour, day in [*floating, ("day", 0, 6)]]
    return sorted([*held, ("zoned", in_zone(BERLIN, 20))], key=lambda one: one[1])


def test_what_floats_follows_the_clock_of_the_resource(room: Room) -> None:
    book_all_kinds(room)
    assert room.held() == expected(BERLIN)
    for zone in (NEW_YORK, "Asia/Tokyo", BERLIN):
        move(room, zone)
        assert room.held() == expected(zone)
        rebuild_occurrences(room.desk.database, room.recipient, room.desk.settings)
        assert room.held() == expected(zone)


def test_an_instance_that_floats_can_still_be_changed_and_cancelled(room: Room) -> None:
    book_all_kinds(room)
    move(room, NEW_YORK)
    moved = (f"RECURRENCE-ID:{wall(9, 2)}", f"DTSTART:{wall(17, 2)}", "DURATION:PT1H")
    assert ask_floating(room, "series", *moved, sequence=2) == "accepted"
    assert ("series", in_zone(NEW_YORK, 17, 2)) in room.held()
    assert ("series", in_zone(NEW_YORK, 15, 2)) not in room.held()
    assert ask_floating(room, "series", *moved, sequence=3, method="CANCEL") == "freed"
    assert len([uid for uid, _ in room.held() if uid == "series"]) == 2


def test_instances_an_hour_apart_move_past_each_other(room: Room) -> None:
    series = (f"DTSTART:{wall(9)}", "DURATION:PT30M", "RRULE:FREQ=HOURLY;COUNT=3")
    assert ask_floating(room, "hours", *series) == "accepted"
    for hour in (9, 10, 11):
        half = (f"RECURRENCE-ID:{wall(hour)}", f"DTSTART:{wall(hour)}", "DURATION:PT45M")
        assert ask_floating(room, "hours", *half, sequence=1) == "accepted"
    for zone in ("Europe/London", BERLIN):
        move(room, zone)
        assert room.held() == [("hours", in_zone(zone, hour)) for hour in (9, 10, 11)]


def test_a_calendar_read_in_the_wrong_zone_is_an_error_in_words(room: Room) -> None:
    book_all_kinds(room)
    with room.desk.database.write() as connection:  # as when the default zone is set anew
        update_mailbox(connection, room.store_id, {"timezone": NEW_YORK})
    with pytest.raises(MailError, match=f"series has no instance .* in the zone {NEW_YORK}"):
        rebuild_occurrences(room.desk.database, room.recipient, room.desk.settings)
