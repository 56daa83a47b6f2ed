"""A booking desk: resources in a real database, the booker's worker, and what they leave behind.

Messages become jobs as the delivery makes them, and `Worker.drain` settles them; no network and no
other process is needed.  Several tests may share a database: each asks for resources of its own.
"""

import email
import email.policy
import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, NamedTuple

from sqlalchemy import Row, select, update

from mailcore.settings import BookingSettings, Settings, UserStoreSettings
from mailcore.view import MessageView
from mr_accept.worker import Worker
from store.blobs import BlobStore
from store.booking_policies import save_policy_values
from store.bookings import BookingRow, load_lineages
from store.commit import Committer
from store.engine import Database
from store.jobs import JobRecord, load_job
from store.listed_bookings import ListedBooking, list_bookings
from store.listing import ListedMail, list_folder, read_mail
from store.mailboxes import Mailbox, create_mailbox, load_mailbox_by_id, update_mailbox
from store.message import prepare_message
from store.migrate import ensure_schema
from store.outbox import OutboxEntry, list_outbox
from store.plan import NewJob, StorePlan, Submission
from store.schema import calendar as calendar_table
from store.schema import calendar_object, job
from tests.support.meetings import ANNA, calendar, mail, meeting_mail
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor
from userstore.resolve import Directory, Recipient

HOSTNAME = "mx.example.org"
TRACE = b"Return-Path: <anna@example.net>\r\n"
_numbers = itertools.count(1)


class Outcome(NamedTuple):
    """How a job ended."""

    fate: str
    reason: str
    job_id: int


class Slot(NamedTuple):
    """Time that a booking holds, or a clash that holds nothing."""

    uid: str
    start: datetime
    end: datetime
    status: str


class Reply(NamedTuple):
    """An iTIP reply in the outbox: the mail, and the properties of its VEVENT by name."""

    entry: OutboxEntry
    message: EmailMessage
    calendar: Mapping[str, str]

    @property
    def partstat(self) -> str:
        """ACCEPTED or DECLINED."""
        return self.calendar["ATTENDEE"].partition("PARTSTAT=")[2].split(";")[0].split(":")[0]


class Desk:
    """A database with resources, and a worker for them."""

    def __init__(self, url: str, **booking: Any) -> None:
        self.database = Database(url)
        ensure_schema(self.database)
        self.committer = Committer(self.database, BlobStore(None, 65536))
        self.directory = Directory(
            DbUserStore(self.database), self.database, UserStoreSettings(disabled_features="imap")
        )
        # Tests share organizers; the one about the hourly limit sets it.
        limited = BookingSettings(**{"max_replies_per_hour": 0, **booking})
        self.settings = Settings(booking=limited)
        self.woken = 0
        self.clock: Callable[[], float] = time.time

    def worker(self, **booking: Any) -> Worker:
        """A worker; `booking` changes settings of its section."""
        settings = replace(self.settings, booking=replace(self.settings.booking, **booking))
        return Worker(
            self.committer,
            self.directory,
            settings,
            HOSTNAME,
            mail_leaves=self._mail_leaves,
            clock=self.clock,
        )

    def room(self, *, capacity: int = 0, alias: bool = False, **mailbox: Any) -> "Room":
        """A new room, or equipment of that capacity; `mailbox` changes columns of its row."""
        name = f"aurora-{next(_numbers)}-{secrets.token_hex(3)}"
        values: dict[str, Any] = {
            "address": f"{name}@example.org",
            "fullname": "Room Aurora",
            "resource_type": "equipment" if capacity else "room",
        }
        if capacity:
            values["capacity"] = capacity
        if alias:
            values["add_aliases"] = [f"{name}@rooms.example.org"]
        with self.database.write() as connection:
            user = DbEditor().create_user(connection, name, values)
            store_id = create_mailbox(connection, user.external_id, name)
            wanted = {"mr_accept": True, "mr_decline_conflict": True, **mailbox}
            update_mailbox(connection, store_id, wanted)
        return Room(self, store_id, user.address)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _mail_leaves(self) -> None:
        self.woken += 1


@contextmanager
def open_desk(url: str, **booking: Any) -> Iterator[Desk]:
    """A desk on a database for the time of the `with` block."""
    desk = Desk(url, **booking)
    try:
        yield desk
    finally:
        desk.close()


class Room:
    """One resource: sends it messages and looks at what became of them."""

    def __init__(self, desk: Desk, store_id: int, address: str) -> None:
        self.desk = desk
        self.store_id = store_id
        self.address = address

    # -- messages in

    def ask(self, uid: str, start: datetime, minutes: int = 60, **details: Any) -> Outcome:
        """Settle a message about one VEVENT; see `meeting_mail` for `details`."""
        return self.send(meeting_mail(uid, start, minutes, room=self.address, **details))

    def ask_together(self, *events: str, method: str = "REQUEST", from_: str = ANNA) -> Outcome:
        """Settle a message about several VEVENTs."""
        content = calendar(*events, method=method)
        return self.send(mail(content, method=method, from_=from_, to=self.address))

    def send(self, raw: bytes, *, to: str = "", **booking: Any) -> Outcome:
        """Make a message a job and let a worker drain the resource."""
        job_id = self.queue(raw, to=to)
        self.desk.worker(**booking).drain(self.store_id)
        return self.outcome(job_id)

    def queue(self, raw: bytes, *, to: str = "") -> int:
        """Make a message a job; return the job's id."""
        view = MessageView(raw)
        new = NewJob(ANNA, to or self.address, view.message_id, view.subject, raw, TRACE)
        submission = Submission(
            prepare_message(view, imap=False), (StorePlan(self.store_id, job=new),)
        )
        staged = self.desk.committer.stage([submission])
        with self.desk.database.write() as connection:
            ((receipt,),) = self.desk.committer.apply(connection, staged)
        assert receipt.job_id is not None
        return receipt.job_id

    # -- what became of them

    def job(self, job_id: int) -> JobRecord:
        """A job as administrators see it."""
        with self.desk.database.read() as connection:
            return load_job(connection, job_id)[0]

    def outcome(self, job_id: int) -> Outcome:
        """How a job ended; the fate is empty as long as it has not."""
        record = self.job(job_id)
        return Outcome(record.fate, record.reason, job_id)

    def make_due(self) -> None:
        """Let the pauses of this resource's jobs pass."""
        self.change_jobs(not_before=0)

    def change_jobs(self, **values: Any) -> None:
        """Change columns of this resource's unfinished jobs."""
        with self.desk.database.write() as connection:
            connection.execute(
                update(job)
                .where(job.c.store_id == self.store_id, job.c.state == "pending")
                .values(**values)
            )

    def fates(self) -> list[str]:
        """The fates of this resource's jobs, in the order they were finished."""
        query = select(job.c.fate).where(job.c.store_id == self.store_id)
        with self.desk.database.read() as connection:
            rows = connection.execute(query.order_by(job.c.finished_at, job.c.id))
            return list(rows.scalars())

    def listed(self) -> list[ListedBooking]:
        """The occurrences of its calendar, clashes included."""
        with self.desk.database.read() as connection:
            return list_bookings(connection, self.store_id)

    def slots(self) -> list[Slot]:
        """The same in UTC, by start and UID."""
        slots = [
            Slot(
                one.uid,
                datetime.fromtimestamp(one.start, UTC),
                datetime.fromtimestamp(one.end, UTC),
                one.status,
            )
            for one in self.listed()
        ]
        return sorted(slots, key=lambda slot: (slot.start, slot.uid))

    def held(self) -> list[tuple[str, datetime]]:
        """(UID, start) of everything that holds the resource."""
        return [(slot.uid, slot.start) for slot in self.slots() if slot.status == "accepted"]

    def lineages(self, uid: str) -> dict[str, BookingRow]:
        """The lineages of a UID, by recurrence id."""
        with self.desk.database.read() as connection:
            rows = load_lineages(connection, self.store_id, uid)
        return {row.recurrence_id: row for row in rows}

    def objects(self) -> list[Row[Any]]:
        """The rows of its calendar objects, by UID."""
        query = select(calendar_object).join(calendar_table).order_by(calendar_object.c.uid)
        with self.desk.database.read() as connection:
            mine = query.where(calendar_table.c.store_id == self.store_id)
            return list(connection.execute(mine))

    def set_policy(self, **values: str) -> None:
        """Set keys of its booking policy, written as for `kopano-admin --set-policy`."""
        with self.desk.database.write() as connection:
            save_policy_values(connection, self.store_id, values)

    def replies(self, outcome: Outcome | None = None) -> list[Reply]:
        """The replies in the outbox, in their order: all of this resource's, or those of one job."""
        with self.desk.database.read() as connection:
            entries = [e for e in list_outbox(connection) if e.store_id == self.store_id]
        return [
            read_reply(entry)
            for entry in entries
            if entry.kind == "reply" and (outcome is None or entry.job_id == outcome.job_id)
        ]

    def outbox(self) -> list[OutboxEntry]:
        """Everything of this resource's in the outbox."""
        with self.desk.database.read() as connection:
            return [e for e in list_outbox(connection) if e.store_id == self.store_id]

    # -- the mailbox

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox as it is now."""
        with self.desk.database.read() as connection:
            found = load_mailbox_by_id(connection, self.store_id)
        assert found is not None
        return found

    @property
    def recipient(self) -> Recipient:
        """The resource as the directory knows it."""
        return self.desk.directory.by_store(self.store_id)

    def mails(self, path: str) -> list[ListedMail]:
        """What lies in a folder."""
        with self.desk.database.read() as connection:
            return list(list_folder(connection, self.mailbox.folders[path], path))

    def contents(self, path: str) -> list[bytes]:
        """The bytes of the mails in a folder."""
        folder_id, blobs = self.mailbox.folders[path], self.desk.committer.blobs
        uids = [mail.uid for mail in self.mails(path)]
        with self.desk.database.read() as connection:
            return [read_mail(connection, blobs, folder_id, uid) for uid in uids]

    def message_ids(self, path: str) -> list[str]:
        """The Message-IDs of the mails in a folder."""
        return [mail.message_id for mail in self.mails(path)]


def read_reply(entry: OutboxEntry) -> Reply:
    """Read a mail of the outbox as the organizer's program does."""
    message = email.message_from_bytes(entry.mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    (part,) = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REPLY"
    unfolded = part.get_content().replace("\r\n", "\n").replace("\n ", "")
    properties: dict[str, str] = {}
    for line in unfolded.splitlines():
        name = line.split(":")[0].split(";")[0]
        properties[name] = line[len(name) :].removeprefix(":")
    return Reply(entry, message, properties)
