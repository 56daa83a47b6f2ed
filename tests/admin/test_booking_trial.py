"""--dry-run-booking: it changes nothing, and the booker does what it has said."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailcore.view import MessageView
from tests.admin.booked import in_berlin
from tests.admin.shell import Installed, Shell
from tests.support.booking_desk import Desk, Outcome, Room, open_desk
from tests.support.databases import shared_url
from tests.support.meetings import ANNA, BEN, EVE, at, basic, calendar, event, mail, meeting_mail

WEEKLY = "FREQ=WEEKLY;COUNT=6"
WEEK = timedelta(days=7)
MOST_SHOWN = 10


class Bench:
    """A booking desk, and the command line before its database."""

    def __init__(self, desk: Desk, data: Path) -> None:
        self.desk = desk
        self.shell = Shell(desk.database.engine.url.render_as_string(hide_password=False), data)
        self.installed = Installed(desk.database)

    def tried(self, room: Room, raw: bytes) -> dict[str, Any]:
        """What --dry-run-booking says, for programs and for people, and that it changes nothing."""
        before = self.installed.contents()
        words = ("--dry-run-booking", room.address, "-")
        record: dict[str, Any] = json.loads(self.shell.ok(*words, "--json", stdin=raw))
        text = self.shell.ok(*words, stdin=raw)
        assert self.installed.contents() == before
        assert text.endswith("\nNothing has been changed.\n")
        assert (record["fate"] in text) is not (record["fate"] == "ordinary")
        return record

    def agrees(self, room: Room, raw: bytes) -> dict[str, Any]:
        """Try a message, then book it; return what was said, which is what has come of it."""
        said = self.tried(room, raw)
        outcome = room.send(raw)
        assert (said["fate"], said["reason"]) == (outcome.fate, outcome.reason)
        assert said["replies"] == replies_of(room, outcome)
        if said["uid"]:
            held = held_by(room, said["uid"])
            assert said["held_then"]["count"] == len(held)
            assert instants(said["held_then"]["first"]) == held[:MOST_SHOWN]
        return said


def replies_of(room: Room, outcome: Outcome) -> list[dict[str, str]]:
    entries = [reply.entry.mail for reply in room.replies(outcome)]
    views = [(mail.rcpt_to, MessageView(mail.content)) for mail in entries]
    return [{"to": to, "subject": view.subject, "text": view.text} for to, view in views]


def held_by(room: Room, uid: str) -> list[tuple[datetime, datetime]]:
    return sorted(
        (slot.start, slot.end)
        for slot in room.slots()
        if slot.uid == uid and slot.status == "accepted"
    )


def instants(spans: list[dict[str, Any]]) -> list[tuple[datetime, datetime]]:
    return [
        (datetime.fromisoformat(span["start"]), datetime.fromisoformat(span["end"]))
        for span in spans
    ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    with open_desk(shared_url(request, tmp_path_factory)) as desk:
        yield Bench(desk, tmp_path_factory.mktemp("trial"))


@pytest.fixture
def room(bench: Bench) -> Room:
    return bench.desk.room(timezone="Europe/Berlin")


# -- it says what the booker does

KINDS = [
    *("single", "series", "moved", "onwards", "add", "left-out", "forged", "published"),
    *("cancel/all", "cancel/one", "cancel/rest"),
]
STEPS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "uid": st.sampled_from("ab"),
        "day": st.integers(0, 2),
        "hour": st.integers(8, 11),
        "minutes": st.sampled_from([30, 60, 120]),
    }
)
POLICIES: list[dict[str, str]] = [
    {},
    {"max_conflicts": "2", "show_holder": "yes"},
    {"max_conflict_percent": "50", "partial_reply": "separate"},
    {"on_failed_update": "release", "work_hours": "09:00-18:00"},
    {"max_duration_minutes": "60", "book_in_policy": ANNA},
    {"max_series_days": "20", "reply_text": "The key is at the door."},
]


def message(room: Room, number: int, step: dict[str, Any]) -> bytes:
    """A step as a mail; each is newer than those before it."""
    kind, start = step["kind"], at(step["hour"], day=step["day"])
    attendees = (EVE,) if kind == "left-out" else (room.address,)
    owner = {"a": ANNA, "b": BEN}[step["uid"]]
    details: dict[str, Any] = {"sequence": number, "organizer": owner, "attendees": attendees}
    if kind == "series":
        details["rrule"] = WEEKLY
    if kind in ("moved", "cancel/one"):
        details["recurrence_id"] = start + WEEK
    if kind in ("onwards", "cancel/rest"):
        details["extra"] = [f"RECURRENCE-ID;RANGE=THISANDFUTURE:{basic(start + 2 * WEEK)}"]
    method = {"add": "ADD", "published": "PUBLISH"}.get(kind, "REQUEST")
    method = "CANCEL" if kind.startswith("cancel") else method
    later = start + timedelta(hours=1, weeks=2 if kind == "onwards" else 1)
    begins = later if kind in ("moved", "onwards", "add") else start
    uid = f"{room.store_id}-{step['uid']}"
    content = calendar(event(uid, begins, step["minutes"], **details), method=method)
    return mail(content, method=method, from_=EVE if kind == "forged" else owner, to=room.address)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(STEPS, min_size=2, max_size=5),
    policy=st.sampled_from(POLICIES),
    capacity=st.sampled_from([0, 2]),
)
def test_the_booker_does_what_it_says(
    bench: Bench, steps: list[dict[str, Any]], policy: dict[str, str], capacity: int
) -> None:
    room = bench.desk.room(capacity=capacity)
    room.set_policy(**policy)
    for number, step in enumerate(steps):
        bench.agrees(room, message(room, number, step))


# -- what it tells


def test_a_clash_names_who_holds_the_time(bench: Bench, room: Room) -> None:
    room.ask("first", at(10), organizer=BEN, summary="Roadmap")
    said = bench.agrees(room, meeting_mail("second", at(10, 30), room=room.address))
    assert (said["fate"], said["organizer"], said["method"]) == ("declined", ANNA, "REQUEST")
    (clash,) = said["clashes"]
    assert clash["with"] == [
        {"uid": "first", "recurrence_id": "", "organizer": BEN, "summary": "Roadmap"}
    ]
    assert BEN not in said["replies"][0]["text"]  # whom the resource does not name
    assert len(said["free_times"]) == 3
    assert said["held_now"]["count"] == said["held_then"]["count"] == 0


def test_times_are_those_of_the_resource(bench: Bench, room: Room) -> None:
    said = bench.tried(room, meeting_mail("x", at(10), room=room.address))
    assert said["timezone"] == "Europe/Berlin"
    (held,) = said["held_then"]["first"]
    assert held["start"] == in_berlin(at(10))
    assert said["held_then"]["until"] == in_berlin(at(11))


def test_every_rule_that_is_broken_is_named(bench: Bench, room: Room) -> None:
    room.set_policy(work_hours="08:00-18:00", max_duration_minutes="60", book_out_of_policy=BEN)
    asked = {"minutes": 600, "room": room.address}
    said = bench.agrees(room, meeting_mail("x", at(6), **asked))
    assert [one["reason"] for one in said["refusals"]] == [
        "too long",
        "outside the days and hours that can be booked",
    ]
    assert all(one["text"] and len(one["occurrences"]) == 1 for one in said["refusals"])
    assert bench.agrees(room, meeting_mail("y", at(6), organizer=BEN, **asked))["refusals"] == []


def test_a_series_in_part(bench: Bench, room: Room) -> None:
    room.set_policy(max_conflicts="2")
    room.ask("first", at(10) + WEEK, organizer=BEN)
    said = bench.agrees(room, meeting_mail("s", at(10), room=room.address, rrule=WEEKLY))
    assert (said["fate"], said["reason"]) == ("accepted", "1 of 6 occurrences declined")
    assert [one["with"][0]["uid"] for one in said["clashes"]] == ["first"]
    assert said["held_then"]["count"] == 5


def test_a_series_without_end_tells_how_far_it_is_held(bench: Bench, room: Room) -> None:
    raw = meeting_mail("s", at(10), room=room.address, rrule="FREQ=WEEKLY")
    held = bench.agrees(room, raw)["held_then"]
    assert held["count"] > MOST_SHOWN == len(held["first"])
    assert held["until"] < held["goes_on_from"]
    text = bench.shell.ok("--dry-run-booking", room.address, "-", stdin=raw)
    assert f"and {held['count'] - MOST_SHOWN} more" in text


def test_what_is_not_held_yet_is_seen_as_a_booking_would_see_it(bench: Bench, room: Room) -> None:
    """The series is held as far as the request goes before the decision, and that is undone too."""
    room.set_policy(booking_window_days="0")
    room.ask("endless", at(10), organizer=BEN, rrule="FREQ=DAILY")
    last = max(start for _, start in room.held())
    far = last + timedelta(days=100)
    said = bench.agrees(room, meeting_mail("x", far, room=room.address))
    assert [one["with"][0]["uid"] for one in said["clashes"]] == ["endless"]


@pytest.mark.parametrize(
    ("policy", "old_time", "then"), [("keep", "kept", 1), ("release", "released", 0)]
)
def test_what_becomes_of_the_old_time(
    bench: Bench, room: Room, policy: str, old_time: str, then: int
) -> None:
    room.set_policy(on_failed_update=policy)
    room.ask("other", at(14), organizer=BEN)
    room.ask("x", at(10))
    said = bench.agrees(room, meeting_mail("x", at(14), room=room.address, sequence=1))
    counts = (said["held_now"]["count"], said["held_then"]["count"])
    assert (said["old_time"], counts) == (old_time, (1, then))


@pytest.mark.parametrize(
    ("details", "fate", "why"),
    [
        ({"method": "CANCEL", "sequence": 1}, "freed", "frees its time"),
        ({"from_": EVE, "sequence": 1}, "not_obeyed", "may not change the meeting"),
        ({"stamp": -1}, "stale", "older"),
        ({"sequence": 1, "minutes": 30}, "accepted", ""),
    ],
)
def test_why_there_is_no_reply(
    bench: Bench, room: Room, details: dict[str, Any], fate: str, why: str
) -> None:
    room.ask("x", at(10))
    said = bench.agrees(room, meeting_mail("x", at(10), room=room.address, **details))
    assert said["fate"] == fate
    assert why in said["no_reply"]
    assert bool(said["no_reply"]) is not bool(said["replies"])


def test_a_stranger_is_booked_and_not_answered(bench: Bench, room: Room) -> None:
    said = bench.agrees(room, meeting_mail("x", at(10), room=room.address, from_=EVE))
    assert said["fate"] == "accepted"
    assert said["no_reply"] == "nothing ties the sender to the organizer"


def test_what_is_over_is_ignored(bench: Bench, room: Room) -> None:
    raw = meeting_mail("x", at(10) - 52 * WEEK, room=room.address)
    assert bench.agrees(room, raw)["fate"] == "past"


def test_it_decides_although_mr_accept_is_off(bench: Bench) -> None:
    room = bench.desk.room(mr_accept=False, mr_decline_conflict=False)
    said = bench.tried(room, meeting_mail("x", at(10), room=room.address))
    assert said["fate"] == "accepted"
    off, unchecked = said["notes"]
    assert "mr-accept is off" in off
    assert "conflicts are not declined" in unchecked


# -- the file

EVENT = event("x", at(10), attendees=("room@example.org",), sent_by=BEN)
NOWHERE = re.sub(r"(DTSTART|DTEND):(\w+)Z", r"\1;TZID=Nowhere:\2", EVENT)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (calendar(EVENT), 1),
        (calendar(EVENT).replace("METHOD:REQUEST\r\n", ""), 2),
        (calendar(EVENT).replace("\r\n", "\n"), 1),
        ("\ufeff" + calendar(EVENT), 1),
        ("\r\n" + calendar(EVENT).replace("example.net", "exam\r\n ple.net"), 1),
    ],
)
def test_a_bare_calendar_is_read_as_its_organizers_mail(
    bench: Bench, room: Room, text: str, notes: int
) -> None:
    said = bench.tried(room, text.replace("room@example.org", room.address).encode())
    assert (said["fate"], said["from"], len(said["replies"])) == ("accepted", ANNA, 1)
    assert len(said["notes"]) == notes
    assert said["notes"][0].endswith(f"read as sent by {ANNA}")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"From: a@example.net\nSubject: Lunch\n\nAt noon?\n", "no calendar part"),
        (calendar(EVENT).encode(), "not among the attendees"),
        (calendar(EVENT, method="PUBLISH").encode(), "'PUBLISH' is not for booking"),
        (calendar(NOWHERE).encode(), "Nowhere"),
        (calendar(EVENT.replace("ORGANIZER", "X-ORGANIZER")).encode(), "ORGANIZER"),
    ],
)
def test_ordinary_mail_says_why(bench: Bench, room: Room, raw: bytes, why: str) -> None:
    said = bench.tried(room, raw)
    assert (said["fate"], said["uid"], said["replies"]) == ("ordinary", "", [])
    assert why in said["reason"]


def test_a_file_of_unix_with_a_line_of_a_mailbox(bench: Bench, room: Room, tmp_path: Path) -> None:
    file = tmp_path / "request.eml"
    raw = meeting_mail("x", at(10), room=room.address).replace(b"\r\n", b"\n")
    file.write_bytes(b"From anna@example.net Mon Jan  5 08:00:00 2026\n" + raw)
    assert bench.shell.json("--dry-run-booking", room.address, str(file))["fate"] == "accepted"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b" \n", "is empty"),
        (b"{}\n", "neither a mail (it has no header) nor an iCalendar file"),
        (b"\x00\xff\xfe" * 50, "neither a mail"),
    ],
)
def test_a_file_that_is_no_message_is_refused(
    bench: Bench, room: Room, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "request.eml"
    if content is not None:
        file.write_bytes(content)
    assert said in bench.shell.refuses("--dry-run-booking", room.address, str(file))


def test_a_resource_that_is_not_there_is_refused(bench: Bench) -> None:
    assert "nobody" in bench.shell.refuses("--dry-run-booking", "nobody@example.org", "-")


def test_what_a_mail_says_cannot_forge_a_line(bench: Bench, room: Room) -> None:
    raw = meeting_mail("x", at(10), room=room.address, summary="A\\nFate: declined\x1b[2J")
    text = bench.shell.ok("--dry-run-booking", room.address, "-", stdin=raw)
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if line.startswith("Fate: ")] == ["Fate: accepted"]
