"""Free/busy from the command line: a table, JSON, and what is to be published."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from tests.admin.booked import BERLIN, FIRST, HOUR, MORNINGS, book_series, in_berlin
from tests.admin.shell import Installed, Shell

DAY = timedelta(days=1)
BASIC = "%Y%m%dT%H%M%SZ"


def busy(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": in_berlin(start), "end": in_berlin(end), "type": "BUSY"}


def day_of(moment: datetime) -> str:
    return f"{moment.astimezone(BERLIN):%Y-%m-%d}"


def test_a_room_is_taken_while_it_is_booked(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    mornings = [busy(start, start + HOUR) for start in MORNINGS[:3]]
    assert shell.json("--free-busy", "aurora") == mornings
    assert shell.json("--free-busy", "aurora@example.org") == mornings
    heading, *lines = shell.ok("--free-busy", "aurora").splitlines()
    assert heading.split() == ["Start", "End", "Type"]
    assert [line.split() for line in lines] == [[*one.values()] for one in mornings]


def test_equipment_is_taken_when_the_last_piece_is(shell: Shell, installed: Installed) -> None:
    book_series(installed, "beamers", "u1")
    book_series(installed, "beamers", "u2")
    assert shell.json("--free-busy", "beamers") == []
    book_series(installed, "beamers", "u3")
    starts = [one["start"] for one in shell.json("--free-busy", "beamers")]
    assert starts == [start.isoformat() for start in MORNINGS[:3]]


def test_the_range(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    half = MORNINGS[1] + HOUR / 2
    words = ("--from", f"{half.astimezone(BERLIN):%Y-%m-%d %H:%M}", "--until", day_of(MORNINGS[2]))
    assert shell.json("--free-busy", "aurora", *words) == [busy(half, MORNINGS[1] + HOUR)]


def test_what_is_published_by_itself(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    before = datetime.now(UTC).replace(microsecond=0)
    text = shell.ok("--free-busy", "aurora", "--ics")
    (part,) = Calendar.from_ical(text).subcomponents
    assert before <= part.decoded("DTSTAMP") <= datetime.now(UTC)
    start, end = (part.decoded(name).astimezone(BERLIN) for name in ("DTSTART", "DTEND"))
    assert (start.hour, end.hour) == (0, 0)
    today = datetime.now(BERLIN).date()
    assert {today - start.date(), today - DAY - start.date()} & {7 * DAY}
    assert end.date() - start.date() == 187 * DAY
    assert part["ORGANIZER"] == "mailto:aurora@example.org"
    periods = [f"{start:{BASIC}}/{start + HOUR:{BASIC}}" for start in MORNINGS[:3]]
    assert [line for line in text.splitlines() if line.startswith("FREEBUSY")] == [
        f"FREEBUSY;FBTYPE=BUSY:{period}" for period in periods
    ]


def test_lines_end_as_in_mail(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1")
    result = shell("--free-busy", "aurora", "--ics")
    assert result.stdout_bytes.startswith(b"BEGIN:VCALENDAR\r\n")
    assert result.stdout_bytes.count(b"\n") == result.stdout_bytes.count(b"\r\n")


def test_a_series_is_taken_beyond_the_time_that_it_is_held(
    shell: Shell, installed: Installed
) -> None:
    book_series(installed, "aurora", "u1", rule="FREQ=DAILY;COUNT=5")
    before = installed.contents()
    days = [FIRST + DAY * number for number in range(5)]
    expected = [busy(start, start + HOUR) for start in days]
    assert shell.json("--free-busy", "aurora") == expected
    assert installed.contents() == before  # it only looks


def test_closed_hours_are_unavailable(shell: Shell, installed: Installed) -> None:
    shell.ok("--set-policy", "aurora", "work_hours=09:00-17:00")
    day = day_of(FIRST)
    said = shell.json(
        *("--free-busy", "aurora", "--from", f"{day} 00:00", "--until", f"{day} 23:00")
    )
    assert [(one["start"][11:16], one["end"][11:16], one["type"]) for one in said] == [
        ("00:00", "09:00", "BUSY-UNAVAILABLE"),
        ("17:00", "23:00", "BUSY-UNAVAILABLE"),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("aurora", "--json", "--ics"), "one at a time"),
        (("aurora", "--from", "2030-05-02", "--until", "2030-05-02"), "--until has to be after"),
        (("aurora", "--until", "2020-05-02"), "--until has to be after --from"),
        (("aurora", "--from", "2020-01-01", "--until", "2040-01-01"), "at most 3660 days"),
        (("aurora", "--from", "9999-01-01", "--until", "9999-12-31"), "expected years"),
        (("aurora", "--from", "0001-01-01", "--until", "0001-12-31"), "expected years"),
        (("aurora", "--from", "soon"), "expected YYYY-MM-DD"),
        (("nobody",), "no such user"),
    ],
)
def test_what_cannot_be_shown(
    embedded: tuple[Shell, Installed], words: tuple[str, ...], says: str
) -> None:
    shell, _ = embedded
    assert says in shell.refuses("--free-busy", *words)


def test_ics_is_for_free_busy_only(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    assert "--ics does not go with" in shell.refuses("--list-bookings", "aurora", "--ics")


def test_what_cannot_be_worked_out_is_not_free(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1", rule="FREQ=NEVERLY")
    assert "RRULE" in shell.refuses("--free-busy", "aurora")
