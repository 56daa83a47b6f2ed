"""The sample mails are whole, and are what samples/expected.toml says they are."""

import email
import email.policy
import importlib
import smtplib
import sys
import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.reply import LmtpReply
from tests.support.servers import free_port

SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"
MAILS = sorted((SAMPLES / "mail").glob("*.eml"))
CALENDAR_FREE = {"01-plain", "02-attachment", "03-eight-bit", "04-several-recipients"}


@pytest.fixture(scope="module")
def playback() -> SimpleNamespace:
    """The demo's modules, which live beside the samples and not in an installed package."""
    sys.path.insert(0, str(SAMPLES))
    try:
        names = ("answers", "dates", "expected", "people")
        modules = {name: importlib.import_module(f"playback.{name}") for name in names}
    finally:
        sys.path.remove(str(SAMPLES))
    return SimpleNamespace(**modules)


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail_has_crlf_line_ends_and_no_defects(path: Path) -> None:
    content = path.read_bytes()
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")
    message = email.message_from_bytes(content, policy=email.policy.default)
    for part in message.walk():
        assert not part.defects
        if not part.is_multipart():
            part.get_content()
    assert message["Message-ID"]


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_calendar_parts_parse_and_say_one_method(path: Path) -> None:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert len(parts) == (0 if path.stem in CALENDAR_FREE | {"19-attached-only"} else 1)
    for part in parts:
        calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
        assert calendar["METHOD"] == part.get_param("method")
        (event,) = calendar.walk("VEVENT")
        assert not event.errors
        assert message["From"].addresses[0].addr_spec in event["ORGANIZER"]


def test_every_mail_is_expected_in_its_order(playback) -> None:
    people = tomllib.loads((SAMPLES / "users.toml").read_text("utf-8"))
    expected = playback.expected.parse_expected(
        (SAMPLES / "expected.toml").read_text("utf-8"),
        playback.people.zones_of(people),
        timedelta(),
    )
    assert [mail.file for mail in expected.mails] == [path.name for path in MAILS]
    message_ids = {
        email.message_from_bytes(path.read_bytes())["Message-ID"].lower() for path in MAILS
    }
    assert len(message_ids) == len(MAILS)


def calendars_of(content: bytes) -> list[str]:
    """The calendars in a mail, attached ones too, without folds."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    kinds = ("text/calendar", "application/ics")
    return [
        part.get_payload(decode=True).decode().replace("\r\n ", "")
        for part in message.walk()
        if part.get_content_type() in kinds
    ]


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail_is_moved_in_all_its_calendars_and_nowhere_else(playback, path: Path) -> None:
    content, weeks = path.read_bytes(), timedelta(weeks=53)
    moved = playback.dates.moved(content, weeks)
    assert playback.dates.moved(content, timedelta()) == content
    assert len(moved) == len(content)
    before, after = calendars_of(content), calendars_of(moved)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        differing = [
            pair
            for pair in zip(old.splitlines(), new.splitlines(), strict=True)
            if len(set(pair)) > 1
        ]
        assert len(differing) >= 2
        for was, now in differing:
            assert was.split(":")[0] == now.split(":")[0]
            first, second = was.rpartition(":")[2], now.rpartition(":")[2]
            assert first[8:] == second[8:]
            assert date.fromisoformat(second[:8]) - date.fromisoformat(first[:8]) == weeks
        assert not [line for line in new.splitlines() if line.startswith("DT") and ":2030" in line]


@given(today=st.dates(date(2026, 1, 1), date(2060, 12, 31)))
def test_the_meetings_are_ahead_and_stand_as_they_did_to_summer_time(playback, today: date) -> None:
    by = playback.dates.moved_by(today)
    first = playback.dates.FIRST_DAY + by
    assert timedelta(days=14) <= first - today <= timedelta(days=400)
    assert by % timedelta(weeks=1) == timedelta()

    def is_summer(days: int, zone: str) -> bool:
        noon = datetime.combine(first + timedelta(days=days), time(12), ZoneInfo(zone))
        return bool(noon.dst())

    assert [is_summer(days, "America/New_York") for days in (5, 6)] == [False, True]
    assert [is_summer(days, "Europe/Berlin") for days in (16, 30)] == [False, True]


def test_what_is_expected_moves_along_in_the_zone_of_its_resource(playback) -> None:
    text = """
        mail = []
        [[bookings.room]]
        summary = "Lunch"
        start = 2030-03-29T12:00:00
        end = 2030-03-29T13:00:00
    """
    zones = {"room": ZoneInfo("Europe/Berlin")}
    expected = playback.expected.parse_expected(text, zones, timedelta(days=7))
    assert expected.bookings["room"] == (
        ("Lunch", "2030-04-05T12:00+02:00", "2030-04-05T13:00+02:00"),
    )


def test_an_occurrence_that_was_declined_is_no_booking(playback) -> None:
    rows = [
        {
            "summary": status,
            "start": "2030-03-04T11:00",
            "end": "2030-03-04T12:00",
            "status": status,
        }
        for status in ("clash", "accepted")
    ]
    assert [booking.summary for booking in playback.expected.read_bookings(rows)] == ["accepted"]


def test_differences_are_named(playback) -> None:
    booking, other = (
        playback.expected.Booking(name, "2030-03-04T11:00+01:00", "2030-03-04T12:00+01:00")
        for name in ("Lunch", "Dinner")
    )
    assert playback.expected.differing_bookings("room", [booking], [booking]) == []
    missing, extra = playback.expected.differing_bookings("room", [booking], [other])
    assert missing.startswith("room: missing: Lunch, 2030-03-04T11:00+01:00")
    assert extra.startswith("room: not expected: Dinner")


ACCEPTED = ("a@example.org", "Accepted: x", "ACCEPTED")
DECLINED = ("a@example.org", "Declined: x", "DECLINED")


@pytest.mark.parametrize(
    ("code", "fates", "answered", "sentences"),
    [
        (250, ["accepted"], [ACCEPTED], []),
        (451, ["accepted"], [ACCEPTED], ["expected 250, got 451 4.0.0 text"]),
        (250, [], [ACCEPTED], ["expected accepted, got no job"]),
        (250, ["accepted", "stale"], [ACCEPTED], ["expected accepted, got accepted, stale"]),
        (250, ["accepted"], [], ["to a@example.org (ACCEPTED), got no answer"]),
        (250, ["accepted"], [DECLINED], ["got 'Declined: x' to a@example.org (DECLINED)"]),
        (250, ["declined"], [DECLINED], ["got declined", "got 'Declined: x'"]),
    ],
)
def test_a_wrong_outcome_is_named(playback, code, fates, answered, sentences) -> None:
    mail = playback.expected.SampleMail(
        file="05.eml",
        why="",
        mail_from="a@example.org",
        replies={"room@example.org": 250},
        fate="accepted",
        answer=playback.expected.ExpectedAnswer(*ACCEPTED),
    )
    outcome = playback.expected.Outcome(
        replies=[LmtpReply(code, f"{code // 100}.0.0", "text")],
        fates=fates,
        answers=[
            playback.answers.Answer("room@example.org", to, subject, partstat, "")
            for to, subject, partstat in answered
        ],
    )
    found = playback.expected.differing_outcome(mail, outcome)
    assert len(found) == len(sentences)
    assert all(part in sentence for part, sentence in zip(sentences, found, strict=True))


@pytest.mark.parametrize(("text", "differs"), [("no \nroom", False), ("room", True)])
def test_words_that_are_missing_in_an_answer_are_named(playback, text: str, differs: bool) -> None:
    answer = playback.expected.ExpectedAnswer(*ACCEPTED, says=("no room",))
    mail = playback.expected.SampleMail("05.eml", "", "a@example.org", {}, "", answer)
    got = playback.answers.Answer("room@example.org", *ACCEPTED, text)
    found = playback.expected.differing_outcome(mail, playback.expected.Outcome([], [], [got]))
    assert [("no room" in sentence) for sentence in found] == [True] * differs


def test_an_answer_is_read_as_its_reader_sees_it(playback) -> None:
    content = (
        b"Subject: Accepted: Budget\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe room is yours.\r\n"
        b"--b\r\nContent-Type: text/calendar; method=REPLY; charset=utf-8\r\n\r\n"
        b"BEGIN:VCALENDAR\r\nORGANIZER;PARTSTAT=DECLINED:mailto:a@example.org\r\n"
        b"ATTENDEE;CN=Room;PARTS\r\n TAT=ACCEPTED:mailto:room@example.org\r\n"
        b"END:VCALENDAR\r\n--b--\r\n"
    )
    answer = playback.answers.read_answer("room@example.org", "anna@example.org", content)
    assert (answer.subject, answer.partstat) == ("Accepted: Budget", "ACCEPTED")
    assert answer.text == "The room is yours."


def test_the_sink_keeps_what_it_is_sent(playback) -> None:
    with playback.answers.AnswerSink(free_port()) as sink:
        with smtplib.SMTP("127.0.0.1", sink.port) as smtp:
            smtp.sendmail("room@example.org", ["a@example.org"], b"Subject: hello\r\n\r\nhi\r\n")
        (answer,) = sink.answers
    assert (answer.mail_from, answer.rcpt_to) == ("room@example.org", "a@example.org")
    assert (answer.subject, answer.partstat, answer.text) == ("hello", "", "hi")


def test_people_are_created_as_the_manual_writes_it(playback) -> None:
    people = {
        "user": [
            {
                "name": "ben",
                "fullname": "Ben Okoro",
                "email": "ben@example.org",
                "password": "x",
                "enable_features": ["imap"],
            }
        ],
        "resource": [
            {
                "name": "beamers",
                "fullname": "Beamers",
                "email": "beamers@example.org",
                "type": "equipment",
                "capacity": 2,
                "timezone": "Europe/Berlin",
                "mr_accept": True,
                "mr_decline_recurring": False,
                "policy": {"work_days": "mon-fri", "max_conflicts": 2},
            }
        ],
    }
    assert [" ".join(command) for command in playback.people.admin_commands(people)] == [
        "-c ben -p x -e ben@example.org -f Ben Okoro -a 0",
        "-u ben --enable-feature imap",
        "-c -u beamers -e beamers@example.org -f Beamers -n equipment --timezone Europe/Berlin"
        " --capacity 2",
        "-u beamers --mr-accept yes --mr-decline-recurring no",
        "--set-policy beamers work_days=mon-fri max_conflicts=2",
    ]
