"""What holds a resource, in its zone."""

import time
from zoneinfo import ZoneInfo

import pytest

from admin.bookings import parse_time
from mailcore.errors import UsageError
from store.bookings import save_booking
from store.calendars import lock_calendar
from store.occurrences import CLASH, OccurrenceRow, add_occurrences
from tests.admin.shell import Installed, Shell

BERLIN = ZoneInfo("Europe/Berlin")
SUMMER = 1_909_123_200  # 2030-07-01 10:00 in Berlin
WINTER = 1_893_574_800  # 2030-01-02 10:00 in Berlin


def book(installed: Installed, name: str, uid: str, *rows: OccurrenceRow) -> None:
    with installed.database.write() as connection:
        locked = lock_calendar(connection, installed.mailbox(name).id)
        values = {
            "uid": uid,
            "state": "accepted",
            "sequence": 2,
            "organizer": "org@example.net",
            "summary": "Kick\noff",
            "recurring": len(rows) > 1,
        }
        booking_id = save_booking(connection, locked, None, values)
        add_occurrences(connection, locked, booking_id, None, rows)


def test_a_booking_in_the_zone_of_the_resource(shell: Shell, installed: Installed) -> None:
    book(installed, "aurora", "u1", OccurrenceRow(WINTER, WINTER + 3600, ""))
    assert shell.json("--list-bookings", "aurora") == [
        {
            "uid": "u1",
            "recurrence_id": "",
            "sequence": 2,
            "organizer": "org@example.net",
            "summary": "Kick\noff",
            "start": "2030-01-02T10:00:00+01:00",
            "end": "2030-01-02T11:00:00+01:00",
            "status": "accepted",
            "recurring": False,
        }
    ]
    heading, line = shell.ok("--list-bookings", "aurora").splitlines()
    assert heading.startswith("Start ")
    assert "Kick off" in line


def test_a_resource_without_a_zone_uses_the_default(shell: Shell, installed: Installed) -> None:
    book(installed, "beamers", "u1", OccurrenceRow(SUMMER, SUMMER + 60, ""))
    assert shell.json("--list-bookings", "beamers")[0]["start"] == "2030-07-01T08:00:00+00:00"
    shell.environment["DAGENT_USERSTORE_DEFAULT_TIMEZONE"] = "Asia/Tokyo"
    assert shell.json("--list-bookings", "beamers")[0]["start"] == "2030-07-01T17:00:00+09:00"
    shell.environment["DAGENT_USERSTORE_DEFAULT_TIMEZONE"] = "Mars"
    assert "time zone 'Mars'" in shell.refuses("--list-bookings", "beamers")


def test_the_window_is_in_the_zone_of_the_resource(shell: Shell, installed: Installed) -> None:
    rows = [
        OccurrenceRow(WINTER, WINTER + 3600, "20300102T090000Z"),
        OccurrenceRow(SUMMER, SUMMER + 3600, "20300701T080000Z", CLASH),
    ]
    book(installed, "aurora", "u1", *rows)

    def listed(*window: str) -> list[str]:
        found = shell.json("--list-bookings", "aurora", *window)
        return [booking["recurrence_id"][:8] for booking in found]

    both = ["20300102", "20300701"]
    assert listed() == both
    assert listed("--from", "2030-01-02") == both
    assert listed("--from", "2030-01-02 10:59") == both
    assert listed("--from", "2030-01-02 11:00") == ["20300701"]
    assert listed("--until", "2030-07-01") == ["20300102"]
    assert listed("--until", "2030-07-01 10:00") == ["20300102"]
    assert listed("--until", "2030-07-01 10:01") == both
    assert listed("--from", "2030-02-01", "--until", "2030-03-01") == []
    statuses = [booking["status"] for booking in shell.json("--list-bookings", "aurora")]
    assert statuses == ["accepted", "clash"]


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        (None, None),
        ("2030-07-01", SUMMER - 10 * 3600),
        ("2030-07-01 10:00", SUMMER),
        ("2030-01-02 10:00", WINTER),
    ],
)
def test_reading_times(typed: str | None, instant: int | None) -> None:
    assert parse_time(typed, BERLIN, "--from") == instant


@pytest.mark.parametrize(
    "typed", ["", "1.7.2030", "2030-13-01", "2030-07-01T10:00", "2030-07-01 25:00"]
)
def test_reading_what_is_no_time(typed: str) -> None:
    with pytest.raises(UsageError, match="--until"):
        parse_time(typed, BERLIN, "--until")


def test_times_do_not_depend_on_this_hosts_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert parse_time("2030-07-01 10:00", BERLIN, "--from") == SUMMER
    finally:
        monkeypatch.undo()
        time.tzset()
