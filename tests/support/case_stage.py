"""The stage on which the booker's cases are played: people, a resource with rules, a clock, and what came of it.

Every case gets a resource `aurora@example.org` of its own, which loses that name when the case has been played, so
that the files can be sent as they stand and many cases can share a database.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from store.booking_policies import save_policy_values
from store.mailboxes import StoredOof, create_mailbox, update_mailbox
from store.personal import save_oof
from store.schema import outbox
from tests.support.booking_desk import Desk, Outcome, Room, Slot
from tests.support.case_calendar import disagreements
from tests.support.case_text import SentReply, read_reply, split_by_uid, with_crlf, wrapped
from userstore.db_edit import DbEditor

ADDRESS, ALIAS = "aurora@example.org", "aurora@rooms.example.org"
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
_SWITCHES = ("mr_accept", "mr_decline_conflict", "mr_decline_recurring", "timezone")
_RESOURCE = {"now", "type", "capacity", "absence", "policy", "settings", *_SWITCHES}
_EXPECTED = {"fate", "reason", "replies", "to", "subject", "text", "without", "lines"}
_AT_END = {"held", "count", "clashes", "object", "object_without", "mails", "any_order"}
_REST = "..."
_numbers = itertools.count(1)


def found_people(desk: Desk) -> None:
    """Make the people of the organisation: Carla and David; Carla is of the staff, and the staff of the house."""
    editor = DbEditor()
    carla = {"address": "carla@example.org", "fullname": "Carla Berg"}
    carla["add_aliases"] = ["c.berg@example.org"]
    david = {"address": "david@example.org", "fullname": "David Dorn"}
    with desk.database.write() as connection:
        people = [
            editor.create_user(connection, str(values["fullname"]).split()[0].lower(), values)
            for values in (carla, david)
        ]
        staff = editor.create_group(connection, "staff", {"address": "staff@example.org"})
        house = editor.create_group(connection, "house", {"address": "house@example.org"})
        editor.add_member(connection, staff.external_id, people[0].external_id)
        editor.add_member(connection, house.external_id, staff.external_id)
        for person in people:
            create_mailbox(connection, person.external_id, person.name)


@contextmanager
def open_stage(desk: Desk, values: Mapping[str, Any]) -> Iterator["Stage"]:
    """A resource as `values` (a policy.toml) describe it; its name is free again after the `with` block.

    Its rules, switches and absence do not hold before `Stage.change` is called.
    """
    editor = DbEditor()
    person: dict[str, Any] = {
        "address": ADDRESS,
        "add_aliases": [ALIAS],
        "fullname": "Room Aurora",
        "resource_type": values.get("type", "room"),
    }
    if "capacity" in values:
        person["capacity"] = values["capacity"]
    mailbox = {"mr_accept": True, "mr_decline_conflict": True}
    with desk.database.write() as connection:
        user = editor.create_user(connection, "aurora", person)
        store_id = create_mailbox(connection, user.external_id, "aurora")
        update_mailbox(connection, store_id, mailbox | {"timezone": values.get("timezone", "")})
    try:
        yield Stage(Room(desk, store_id, ADDRESS), user.external_id, values.get("now", NOW))
    finally:
        former = f"former-{next(_numbers)}"
        changed = {"name": former, "address": f"{former}@example.org", "remove_aliases": [ALIAS]}
        with desk.database.write() as connection:
            editor.update_user(connection, user.external_id, changed)


class Stage:
    """The resource while a case is played, and the clock."""

    def __init__(self, room: Room, external_id: str, now: datetime) -> None:
        self._room = room
        self._external_id = external_id
        self._now = now
        self._settings: dict[str, Any] = {}

    def book(self, content: bytes) -> None:
        """Book what a calendar holds, thirty days before the case begins; it has to be possible."""
        self._now -= timedelta(days=30)
        for one in split_by_uid(content):
            outcome = self.send(one, mail=False)
            assert outcome.fate == "accepted", f"calendar.ics: {outcome}"
        self._now += timedelta(days=30)

    def change(self, values: Mapping[str, Any], folder: Path) -> None:
        """Change the resource, the settings or the time, as a policy.toml of the folder says."""
        unknown = set(values) - _RESOURCE
        assert not unknown, f"not known in policy.toml: {unknown}"
        self._now = values.get("now", self._now)
        self._settings |= values.get("settings", {})
        rules = values.get("policy", {})
        policy = {key: _policy_text(value, folder) for key, value in rules.items()}
        columns = {key: values[key] for key in _SWITCHES if key in values}
        with self._room.desk.database.write() as connection:
            save_policy_values(connection, self._room.store_id, policy)
            if "capacity" in values:
                changed = {"capacity": values["capacity"]}
                DbEditor().update_user(connection, self._external_id, changed)
            if columns:
                update_mailbox(connection, self._room.store_id, columns)
            if "absence" in values:
                text = values["absence"]
                away = StoredOof(True, "Away", text, None, None, 0.0, decline_meetings=True)
                save_oof(connection, self._room.store_id, away)

    def send(self, content: bytes, *, mail: bool) -> Outcome:
        """Settle a mail, or a calendar in a mail of its organizer."""
        job_id = self._room.queue(with_crlf(content) if mail else wrapped(content, ADDRESS))
        now = self._now.timestamp()
        self._room.desk.clock = lambda: now
        worker = self._room.desk.worker(**self._settings)
        worker.drain(self._room.store_id)
        return self._room.outcome(job_id)

    def compare(self, outcome: Outcome, expected: Mapping[str, Any]) -> Iterator[str]:
        """Yield how a message ended otherwise than expected."""
        yield from _unknown(expected, _EXPECTED)
        if outcome.fate != expected["fate"]:
            yield f"fate {outcome.fate} ({outcome.reason}) instead of {expected['fate']}"
        for words in _many(expected.get("reason", [])):
            if words not in outcome.reason:
                yield f"{words!r} is not in the reason {outcome.reason!r}"
        replies = self._replies(outcome)
        answers = [reply.answers for reply in replies]
        if answers != expected.get("replies", []):
            yield f"replies {answers} instead of {expected.get('replies', [])}"
        else:
            yield from _compare_replies(replies, expected)

    def compare_end(self, expected: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is held, or shown as a clash, otherwise than expected."""
        yield from _unknown(expected, _AT_END)
        slots = self._room.slots()
        held = [_slot_text(slot) for slot in slots if slot.status == "accepted"]
        clashes = [_slot_text(slot) for slot in slots if slot.status == "clash"]
        if not _alike(held, expected.get("held", [])):
            yield f"held {_shortened(held)} instead of {expected.get('held', [])}"
        if len(held) != expected.get("count", len(held)):
            yield f"{len(held)} occurrences held instead of {expected['count']}"
        if not _alike(clashes, expected.get("clashes", [])):
            yield f"clashes {_shortened(clashes)} instead of {expected.get('clashes', [])}"

        for path, count in expected.get("mails", {}).items():
            if (found := len(self._room.mails(path))) != count:
                yield f"{found} mails in {path} instead of {count}"
        yield from self._compare_object(expected)
        desk = self._room.desk.settings
        settings = replace(desk, booking=replace(desk.booking, **self._settings))
        yield from disagreements(self._room, settings)

    def _compare_object(self, expected: Mapping[str, Any]) -> Iterator[str]:
        text = "".join(row.content for row in self._room.objects()).replace("\r\n ", "")
        for line in expected.get("object", []):
            if line not in text.splitlines():
                yield f"{line!r} is not in the calendar: {text!r}"
        for line in expected.get("object_without", []):
            if any(found.startswith(line) for found in text.splitlines()):
                yield f"{line!r} is in the calendar: {text!r}"

    def _replies(self, outcome: Outcome) -> list[SentReply]:
        query = select(outbox.c.rcpt_to, outbox.c.content).where(
            outbox.c.store_id == self._room.store_id,
            outbox.c.job_id == outcome.job_id,
            outbox.c.kind == "reply",
        )
        with self._room.desk.database.read() as connection:
            rows = connection.execute(query.order_by(outbox.c.id)).all()
        return [read_reply(row.rcpt_to, row.content) for row in rows]


def _compare_replies(replies: Sequence[SentReply], expected: Mapping[str, Any]) -> Iterator[str]:
    for reply in replies:
        if reply.to != expected.get("to", reply.to):
            yield f"a reply goes to {reply.to} instead of {expected['to']}"
        if reply.subject != expected.get("subject", reply.subject):
            yield f"a reply is called {reply.subject!r} instead of {expected['subject']!r}"
    text = " ".join(reply.text for reply in replies)
    for words in _many(expected.get("text", [])):
        if words not in text:
            yield f"{words!r} is not in the text {text!r}"
    for words in _many(expected.get("without", [])):
        if words in text:
            yield f"{words!r} is in the text {text!r}"
    lines = {line for reply in replies for line in reply.lines}
    for line in _many(expected.get("lines", [])):
        if not any(line in found for found in lines):
            yield f"{line!r} is not in the reply's calendar: {sorted(lines)}"


def _policy_text(value: object, folder: Path) -> str:
    """A rule's value as administrators write it; a list is joined by commas, `@FILE` is a file of the folder."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, str) and value.startswith("@") and value.endswith(".ics"):
        return with_crlf((folder / value[1:]).read_bytes()).decode("utf-8")
    return str(value)


def _unknown(expected: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    yield from (f"expected.toml: {key} is not known" for key in set(expected) - known)


def _many(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _slot_text(slot: Slot) -> str:
    until = f"{slot.end:%H:%M}"
    if slot.end.date() != slot.start.date():
        until = f"{slot.end:%Y-%m-%d %H:%M}"
    return f"{slot.uid}: {slot.start:%a %Y-%m-%d %H:%M} to {until}"


def _alike(found: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether the lists are the same; one `...` stands for any number of lines."""
    if _REST not in expected:
        return list(found) == list(expected)
    at = list(expected).index(_REST)
    before, after = list(expected[:at]), list(expected[at + 1 :])
    return (
        len(found) >= len(before) + len(after)
        and list(found[: len(before)]) == before
        and list(found[len(found) - len(after) :]) == after
    )


def _shortened(lines: Sequence[str]) -> list[str]:
    return list(lines) if len(lines) <= 12 else [*lines[:6], _REST, *lines[-6:]]
