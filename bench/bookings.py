"""Bookings per second into calendars of different sizes: from a job in the database to the committed reply.

    .venv/bin/python -m bench.bookings [--sizes 100,10000] [--rounds 5] [--jobs 50]

Each figure is the whole way of a job: lease, parsing, decision under the lock, rows, reply, end of the job, fsync.
The calendars lie in one database and are measured in turn; the ratio to the smallest one is what carries over.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailcore.settings import Settings, StoreSettings, UserStoreSettings
from mailcore.view import MessageView
from mr_accept.worker import Worker
from store.blobs import BlobStore
from store.bookings import save_booking
from store.calendars import lock_calendar
from store.commit import Committer
from store.engine import Database
from store.mailboxes import create_mailbox, update_mailbox
from store.message import prepare_message
from store.migrate import ensure_schema
from store.occurrences import OccurrenceRow, add_occurrences
from store.plan import NewJob, StorePlan, Submission
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor
from userstore.resolve import Directory

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
HALF_HOUR = 1800
FUTURE = 650 * 24
"""Hours from START in which meetings are asked for: well within the horizon, where bookings mostly are."""


def request(uid: str, room: str, start: datetime, rule: str = "") -> bytes:
    end = start + timedelta(minutes=30)
    lines = [
        f"From: anna.{uid}@example.org",
        f"To: {room}@example.org",
        f"Message-ID: <{uid}@example.org>",
        "MIME-Version: 1.0",
        "Content-Type: text/calendar; method=REQUEST; charset=UTF-8",
        "",
        "BEGIN:VCALENDAR",
        "PRODID:-//bench//EN",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20291201T000000Z",
        "SEQUENCE:0",
        f"ORGANIZER:mailto:anna.{uid}@example.org",
        f"ATTENDEE;RSVP=TRUE:mailto:{room}@example.org",
        f"SUMMARY:Meeting {uid}",
        f"DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Berlin:{end:%Y%m%dT%H%M%S}",
        *([f"RRULE:{rule}"] if rule else []),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines).encode()


class House:
    """One database with a room for each size of calendar."""

    def __init__(self, directory: Path, sizes: list[int]) -> None:
        self.database = Database(f"sqlite:///{directory}/bench.db")
        ensure_schema(self.database)
        self.committer = Committer(self.database, BlobStore(directory / "attachments", 65536))
        self.directory = Directory(
            DbUserStore(self.database), self.database, UserStoreSettings(disabled_features="")
        )
        settings = Settings(store=StoreSettings(data=str(directory)))
        self.worker = Worker(
            self.committer, self.directory, settings, "bench", mail_leaves=lambda: None
        )
        self.random = random.Random(7)
        self.number = 0
        self.rooms = {size: self._room(size) for size in sizes}

    def _room(self, size: int) -> int:
        with self.database.write() as connection:
            values = {"address": f"room{size}@example.org", "resource_type": "room"}
            user = DbEditor().create_user(connection, f"room{size}", values)
            store_id = create_mailbox(connection, user.external_id, user.name)
            update_mailbox(connection, store_id, {"mr_accept": True, "mr_decline_conflict": True})
            locked = lock_calendar(connection, store_id)
            for number in range(size):  # one an hour; what does not fit into the future is past
                hours = number - max(size - FUTURE, 0)
                start = int(START.timestamp()) + hours * 2 * HALF_HOUR
                row = {"uid": f"old{number}", "state": "accepted", "summary": "x", "source": ""}
                booking_id = save_booking(connection, locked, None, row)
                held = [OccurrenceRow(start, start + HALF_HOUR, "")]
                add_occurrences(connection, locked, booking_id, None, held)
        return store_id

    def book(self, size: int, jobs: int, rule: str = "") -> float:
        """Return the seconds a request takes, over `jobs` requests."""
        store_id = self.rooms[size]
        submissions = []
        for _ in range(jobs):
            self.number += 1
            half_hours = self.random.randrange(min(size, FUTURE)) * 2 + 1
            start = START + timedelta(minutes=30 * half_hours)
            raw = request(f"n{self.number}", f"room{size}", start, rule)
            job = NewJob("anna@example.org", f"room{size}@example.org", "", "", raw, b"")
            message = prepare_message(MessageView(raw), imap=False)
            submissions.append(Submission(message, (StorePlan(store_id, job=job),)))
        staged = self.committer.stage(submissions)
        with self.database.write() as connection:
            self.committer.apply(connection, staged)
        began = time.perf_counter()
        self.worker.drain(store_id)
        return (time.perf_counter() - began) / jobs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,10000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=50)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory() as directory:
        house = House(Path(directory), sizes)
        for name, rule, jobs in (
            ("single", "", options.jobs),
            ("weekly, two years", "FREQ=WEEKLY;COUNT=104", max(options.jobs // 10, 1)),
        ):
            times: dict[int, list[float]] = {size: [] for size in sizes}
            for _ in range(options.rounds):
                for size in sizes:
                    times[size].append(house.book(size, jobs, rule))
            base = statistics.median(times[sizes[0]])
            for size, seconds in times.items():
                median = statistics.median(seconds)
                result = {
                    "request": name,
                    "bookings": size,
                    "per_second": round(1 / median, 1),
                    "ms": [round(1000 * s, 2) for s in (min(seconds), median, max(seconds))],
                    "ratio": round(median / base, 2),
                }
                print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
