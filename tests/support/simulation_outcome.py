"""What an agent has made of a simulation: fates, replies, bookings and the time they hold, as plain values."""

import email
import email.policy
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from store.bookings import load_all_lineages
from store.calendars import calendar_ids
from store.engine import Database
from store.jobs import PENDING, JobRecord, list_jobs
from store.listing import list_folder
from store.mailboxes import load_mailbox_by_id
from store.occurrences import BUSY, all_occurrences
from store.outbox import list_outbox
from store.schema import job as job_table
from tests.support.simulation_words import FIRST_STAMP, basic

_STAMPS = int(FIRST_STAMP.timestamp())


class Answer(NamedTuple):
    """What a REPLY says about one instance: its version's SEQUENCE, who answers, and the PARTSTAT."""

    uid: str
    name: str
    sequence: int
    attendee: str
    status: str


@dataclass(frozen=True)
class Reply:
    """One mail: what it says, VEVENT by VEVENT, and to whom."""

    rcpt_to: str
    content: bytes
    answers: tuple[Answer, ...]


class Lineage(NamedTuple):
    """A stored lineage as far as a replay has to agree with it; DTSTAMPs count from the first."""

    uid: str
    name: str
    state: str
    version: tuple[int, int]
    seen: tuple[int, int]
    places: int


class Held(NamedTuple):
    """A stored occurrence."""

    uid: str
    start: int
    end: int
    name: str
    kind: str


@dataclass(frozen=True)
class Calendar:
    """Everything booked of one resource."""

    lineages: tuple[Lineage, ...]
    held: tuple[Held, ...]

    def busy(self, uid: str, until: int) -> list[tuple[int, int]]:
        """What a meeting holds that begins before `until`."""
        mine = (one for one in self.held if one.uid == uid and one.kind == BUSY)
        return sorted((one.start, one.end) for one in mine if one.start < until)


def load_jobs(database: Database) -> dict[int, list[JobRecord]]:
    """All jobs by store, in the order in which they were settled."""
    found = defaultdict(list)
    with database.read() as connection:
        for job in list_jobs(connection):
            found[job.store_id].append(job)
    return found


def load_replies(database: Database) -> dict[int | None, list[Reply]]:
    """All iTIP replies by job; those that no job caused by None."""
    found = defaultdict(list)
    with database.read() as connection:
        for entry in list_outbox(connection):
            if entry.kind == "reply":
                mail = entry.mail
                reply = Reply(mail.rcpt_to, mail.content, tuple(_answers(mail.content)))
                found[entry.job_id].append(reply)
    return found


def load_calendar(database: Database, store_id: int) -> Calendar:
    """A resource's calendar, without anything that the number of a row or the time of day decides."""
    with database.read() as connection:
        ((calendar_id, _),) = calendar_ids(connection, store_id)
        rows = load_all_lineages(connection, calendar_id)
        occurrences = all_occurrences(connection, calendar_id)
    uids = {row.id: row.uid for row in rows}
    lineages = (
        Lineage(
            row.uid,
            row.recurrence_id,
            row.state,
            (row.sequence, row.dtstamp - _STAMPS),
            (row.seen_sequence, row.seen_dtstamp - _STAMPS),
            row.places,
        )
        for row in rows
    )
    held = (
        Held(uids.get(one.booking_id, "?"), one.start, one.end, one.recurrence_id, one.busy_type)
        for one in occurrences
    )
    return Calendar(tuple(sorted(lineages)), tuple(sorted(held)))


def _answers(content: bytes) -> Iterator[Answer]:
    message = email.message_from_bytes(content, policy=email.policy.default)
    (part,) = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REPLY"
    text = part.get_content().replace("\r\n", "\n").replace("\n ", "")
    for block in text.split("BEGIN:VEVENT\n")[1:]:
        yield _answer(block.partition("END:VEVENT")[0].splitlines())


def _answer(lines: Sequence[str]) -> Answer:
    values: Mapping[str, tuple[str, str]] = {
        line.partition(":")[0].partition(";")[0]: (head, value)
        for line in lines
        for head, _, value in (line.partition(":"),)
    }
    head, attendee = values["ATTENDEE"]
    status = head.partition("PARTSTAT=")[2].partition(";")[0]
    name = _name(*values["RECURRENCE-ID"]) if "RECURRENCE-ID" in values else ""
    sequence = int(values["SEQUENCE"][1])
    return Answer(values["UID"][1], name, sequence, attendee.removeprefix("mailto:"), status)


def _name(head: str, value: str) -> str:
    """The canonical name of an instance, '+' at its end for all from it on."""
    onwards = "+" * ("RANGE=THISANDFUTURE" in head)
    zone = head.partition("TZID=")[2].partition(";")[0].strip('"')
    if zone:
        wall = datetime.strptime(value, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(zone))
        value = basic(wall.astimezone(UTC))
    return value + onwards


def load_filed(database: Database, store_id: int) -> Counter[tuple[str, str]]:
    """How often each message lies in the Inbox and among what has been dealt with: (folder, Message-ID)."""
    found: Counter[tuple[str, str]] = Counter()
    with database.read() as connection:
        mailbox = load_mailbox_by_id(connection, store_id)
        assert mailbox is not None
        for path in ("Inbox", "Deleted Items"):
            mails = list_folder(connection, mailbox.folders[path], path)
            found.update((path, mail.message_id) for mail in mails)
    return found


def all_done(database: Database) -> bool:
    """Whether no job is left."""
    query = select(job_table.c.id).where(job_table.c.state == PENDING).limit(1)
    with database.read() as connection:
        return connection.execute(query).first() is None
