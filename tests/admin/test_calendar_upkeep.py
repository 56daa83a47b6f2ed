"""Cancelling, rebuilding and auditing bookings from the command line."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from store.bookings import save_booking
from store.calendars import lock_calendar
from store.occurrences import OccurrenceRow, add_occurrences, list_bookings
from tests.admin.shell import Installed, Shell

BERLIN = ZoneInfo("Europe/Berlin")
# In a month, so that it lies before the horizon up to which a rebuilt series is held.
FIRST = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=30)
MORNINGS = [FIRST + timedelta(days=day) for day in range(4)]
IDS = [morning.strftime("%Y%m%dT%H%M%SZ") for morning in MORNINGS]
HOUR = timedelta(hours=1)
SERIES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20300101T000000Z
DTSTART:{start}
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=3
SUMMARY:Stand-up
ORGANIZER:mailto:org@example.net
ATTENDEE:mailto:aurora@example.org
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")


def book_series(installed: Installed, name: str, uid: str) -> None:
    """A series of three mornings, held as it was booked."""
    store_id = installed.mailbox(name).id
    with installed.database.write() as connection:
        locked = lock_calendar(connection, store_id)
        values = {
            "uid": uid,
            "state": "accepted",
            "organizer": "org@example.net",
            "summary": "Stand-up",
            "recurring": True,
            "source": SERIES.format(uid=uid, start=IDS[0]),
        }
        booking_id = save_booking(connection, locked, None, values)
        rows = [
            OccurrenceRow(int(start.timestamp()), int((start + HOUR).timestamp()), recurrence_id)
            for start, recurrence_id in zip(MORNINGS[:3], IDS, strict=False)
        ]
        add_occurrences(connection, locked, booking_id, None, rows)


def in_berlin(moment: datetime) -> str:
    return moment.astimezone(BERLIN).isoformat()


def held(installed: Installed, name: str) -> int:
    with installed.database.read() as connection:
        return len(list_bookings(connection, installed.mailbox(name).id))


def test_cancelling_a_series(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    said = shell.ok("--cancel-booking", "aurora", "u1")
    assert said == "Booking cancelled: 3 occurrences freed.\n"
    assert held(installed, "aurora") == 0


def test_cancelling_one_occurrence(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    said = shell.ok("--cancel-booking", "aurora", "u1", IDS[1])
    assert said == "Booking cancelled: 1 occurrence freed.\n"
    left = [booking["start"] for booking in shell.json("--list-bookings", "aurora")]
    assert left == [in_berlin(MORNINGS[0]), in_berlin(MORNINGS[2])]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("aurora", "u2"), "no booking with the UID u2"),
        (("beamers", "u1"), "no booking with the UID u1"),
        (("aurora", "u1", IDS[3]), f"no occurrence {IDS[3]}"),
        (("aurora", "u1", IDS[1], "again"), "too many words"),
        (("nobody", "u1"), "no such user"),
    ],
)
def test_what_cannot_be_cancelled(
    embedded: tuple[Shell, Installed], words: tuple[str, ...], says: str
) -> None:
    shell, installed = embedded
    book_series(installed, "aurora", "u1")
    before = installed.contents()
    assert says in shell.refuses("--cancel-booking", *words)
    assert installed.contents() == before


@pytest.mark.parametrize("named", [True, False])
def test_rebuilding(shell: Shell, installed: Installed, named: bool) -> None:
    book_series(installed, "aurora", "u1")
    with installed.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM occurrence WHERE starts_at > {FIRST.timestamp()}")
    assert held(installed, "aurora") == 1
    said = shell.ok("--rebuild-occurrences", *(["aurora"] if named else []))
    assert said == "aurora: 3 occurrences written.\n"
    assert held(installed, "aurora") == 3


def test_an_audit_that_finds_nothing(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    book_series(installed, "beamers", "u1")
    book_series(installed, "beamers", "u2")
    assert shell.ok("--audit-bookings") == "Nothing is booked more often than it may be.\n"
    assert shell.json("--audit-bookings", "beamers") == []


def test_an_audit_that_finds_an_excess(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    book_series(installed, "aurora", "u2")
    result = shell("--audit-bookings")
    assert result.exit_code == 1
    assert not result.stderr
    heading, *lines = result.stdout.splitlines()
    assert heading.split()[0] == "Resource"
    assert len(lines) == 3
    assert lines[0].split()[:5] == [
        "aurora",
        in_berlin(FIRST),
        in_berlin(FIRST + HOUR),
        "2",
        "1",
    ]
    assert shell("--audit-bookings", "beamers").exit_code == 0


def test_an_excess_that_was_allowed(shell: Shell, installed: Installed) -> None:
    book_series(installed, "beamers", "u1")
    book_series(installed, "beamers", "u2")
    shell.ok("-u", "beamers", "--capacity", "1")
    result = shell("--audit-bookings", "beamers", "--json")
    assert result.exit_code == 1
    first, *_ = json.loads(result.stdout)
    assert first == {
        "resource": "beamers",
        "start": FIRST.isoformat(),
        "end": (FIRST + HOUR).isoformat(),
        "use": 2,
        "capacity": 1,
        "allowed": True,
        "summaries": ["Stand-up", "Stand-up"],
    }


def test_an_orphaned_calendar_is_left_out(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    book_series(installed, "aurora", "u2")
    shell.ok("-d", "aurora")
    assert shell.json("--audit-bookings") == []
    assert shell.ok("--rebuild-occurrences") == ""
