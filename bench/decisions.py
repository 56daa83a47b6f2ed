"""One decision, by the size of the calendar it is made in: the whole of it, and the part under the calendar's lock.

    .venv/bin/python -m bench.decisions [--sizes 100,10000] [--rounds 5] [--jobs 20] [--database postgresql://...]

`book` is everything the booker does with a job that it holds: parsing, zones, expansion, the transaction, and its
fsync; `locked` is that transaction, during which nobody else can book the room.  The rooms lie in one database and are
measured in turn; every meeting that is booked is moved and cancelled in the same round, so that a calendar stays as
full as it was.  The ratio to the smallest one is what carries over.  A --database has to be an empty one.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from bench.full_calendars import (
    BLOCKED,
    BLOCKED_WEEKLY,
    FREE,
    WEEK,
    WEEKS,
    make_room,
    vcalendar,
    vevent,
    wall,
)
from mailcore.settings import Settings, StoreSettings, UserStoreSettings
from mailcore.view import MessageView
from mr_accept.book import Booker
from mr_accept.fate import Fate
from store.blobs import BlobStore
from store.commit import Committer
from store.engine import Database
from store.jobs import lease_jobs
from store.message import prepare_message
from store.migrate import ensure_schema
from store.plan import NewJob, StorePlan, Submission
from userstore.db import DbUserStore
from userstore.resolve import Directory

TWO_YEARS = f"RRULE:FREQ=WEEKLY;COUNT={WEEKS}"
SINGLE_WEEKS = range(2, 80)
"""Where single meetings are asked for, away from the blocked hours of the first week."""


class Ask(NamedTuple):
    """One meeting message about 15 minutes of a room."""

    uid: str
    start: datetime
    rule: str = ""
    sequence: int = 0
    method: str = "REQUEST"

    def mail(self, room: str) -> bytes:
        """The message as it arrives."""
        more = [
            f"DTSTAMP:20291201T00{self.sequence:02}00Z",
            f"SEQUENCE:{self.sequence}",
            f"ATTENDEE;RSVP=TRUE:mailto:{room}@example.org",
            *([self.rule] if self.rule else []),
        ]
        lines = [
            f"From: anna.{self.uid}@example.org",
            f"To: {room}@example.org",
            f"Message-ID: <{self.uid}.{self.sequence}@example.org>",
            "MIME-Version: 1.0",
            f"Content-Type: text/calendar; method={self.method}; charset=UTF-8",
            "",
            vcalendar(vevent(self.uid, self.start, 15, *more), self.method),
        ]
        return "\r\n".join(lines).encode()


class TimedDatabase(Database):
    """A database that knows how long its last transaction took, in seconds, the waiting for its lock included."""

    last_write = 0.0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        began = time.perf_counter()
        try:
            with super().write() as connection:
                yield connection
        finally:
            self.last_write = time.perf_counter() - began


class Times(NamedTuple):
    """Milliseconds of one decision."""

    book: float
    locked: float
    cpu: float  # of all of `book`; hardly moves when the machine is busy with other work


class House:
    """A database with a room for each size of calendar, and a booker for them."""

    def __init__(self, url: str, data: str, sizes: Sequence[int], long_days: int) -> None:
        self.database = TimedDatabase(url)
        ensure_schema(self.database)
        self.committer = Committer(self.database, BlobStore(Path(data) / "attachments", 65536))
        directory = Directory(
            DbUserStore(self.database), self.database, UserStoreSettings(disabled_features="")
        )
        self.settings = Settings(store=StoreSettings(data=data))
        self.booker = Booker(self.committer, directory, self.settings, "bench")
        self.random = random.Random(7)
        self.number = 0
        self.rooms = {
            size: make_room(self.database, f"room{size}", size, long_days) for size in sizes
        }

    def settle(self, size: int, asks: Sequence[Ask], fate: Fate) -> list[Times]:
        """The times of the booker for messages that all have the same fate."""
        store_id, room = self.rooms[size], f"room{size}"
        submissions = []
        for ask in asks:
            raw = ask.mail(room)
            new = NewJob(f"anna.{ask.uid}@example.org", f"{room}@example.org", "", "", raw, b"")
            message = prepare_message(MessageView(raw), imap=False)
            submissions.append(Submission(message, (StorePlan(store_id, job=new),)))
        staged = self.committer.stage(submissions)
        with self.database.write() as connection:
            self.committer.apply(connection, staged)
        times = []
        while jobs := lease_jobs(self.database, store_id, 600):
            for job in jobs:
                began, cpu = time.perf_counter(), time.thread_time()
                outcome = self.booker.book(job)
                taken, used = time.perf_counter() - began, time.thread_time() - cpu
                times.append(Times(1000 * taken, 1000 * self.database.last_write, 1000 * used))
                if outcome.fate is not fate:
                    raise RuntimeError(f"{room}: {outcome.fate}, not {fate}: {outcome.reason}")
        return times

    def singles(self, size: int, count: int) -> dict[str, list[Times]]:
        """Single meetings: booked, declined, moved, cancelled."""
        hours = [week * WEEK + hour for week in SINGLE_WEEKS for hour in FREE]
        free = [wall(hour, 30) for hour in self.random.sample(hours, 2 * count)]
        asks = [Ask(self._uid(), start) for start in free[:count]]
        taken = [Ask(self._uid(), wall(self.random.choice(BLOCKED), 30)) for _ in asks]
        moved = [Ask(a.uid, to, "", 1) for a, to in zip(asks, free[count:], strict=True)]
        gone = [Ask(a.uid, a.start, "", 2, "CANCEL") for a in moved]
        return {
            "single, accepted": self.settle(size, asks, Fate.ACCEPTED),
            "single, declined": self.settle(size, taken, Fate.DECLINED),
            "single, moved": self.settle(size, moved, Fate.ACCEPTED),
            "single, cancelled": self.settle(size, gone, Fate.FREED),
        }

    def series(self, size: int, count: int) -> dict[str, list[Times]]:
        """Weekly series over two years: booked, moved, cancelled, declined for one occurrence and for all."""
        free = [wall(hour, 30) for hour in self.random.sample(FREE, 2 * count)]
        asks = [Ask(self._uid(), start, TWO_YEARS) for start in free[:count]]
        moved = [Ask(a.uid, to, a.rule, 1) for a, to in zip(asks, free[count:], strict=True)]
        gone = [Ask(a.uid, a.start, a.rule, 2, "CANCEL") for a in moved]
        once = [Ask(self._uid(), wall(BLOCKED[n % 8], 30), TWO_YEARS) for n in range(count)]
        ever = [Ask(self._uid(), wall(BLOCKED_WEEKLY, 30), TWO_YEARS) for _ in range(count)]
        return {
            "series, accepted": self.settle(size, asks, Fate.ACCEPTED),
            "series, moved": self.settle(size, moved, Fate.ACCEPTED),
            "series, cancelled": self.settle(size, gone, Fate.FREED),
            "series, declined for one": self.settle(size, once, Fate.DECLINED),
            "series, declined for all": self.settle(size, ever, Fate.DECLINED),
        }

    def _uid(self) -> str:
        self.number += 1
        return f"n{self.number}"


def report(times: dict[str, dict[int, list[Times]]]) -> None:
    """Print [median, 95th of 100] in ms, and how the medians compare with the smallest calendar's."""
    for request, by_size in times.items():
        base: Times | None = None
        for size, taken in by_size.items():
            middle = Times(*(statistics.median(column) for column in zip(*taken, strict=True)))
            late = Times(*(_late(column) for column in zip(*taken, strict=True)))
            base = base or middle
            result: dict[str, object] = {
                "request": request,
                "bookings": size,
                "count": len(taken),
            }
            for name in Times._fields:
                median = getattr(middle, name)
                result[f"{name}_ms"] = [round(median, 2), round(getattr(late, name), 2)]
                result[f"{name}_ratio"] = round(median / getattr(base, name), 2)
            print(json.dumps(result), flush=True)


def _late(taken: Sequence[float]) -> float:
    return sorted(taken)[int(0.95 * len(taken))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,10000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=20, help="single meetings a round")
    parser.add_argument("--database", help="URL; else a SQLite database of its own")
    parser.add_argument("--long-days", type=int, default=0, help="add one booking of so many days")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory() as data:
        url = options.database or f"sqlite:///{data}/bench.db"
        house = House(url, data, sizes, options.long_days)
        times: dict[str, dict[int, list[Times]]] = defaultdict(lambda: defaultdict(list))
        for round_ in range(options.rounds + 1):
            for size in sizes:
                taken = house.singles(size, options.jobs)
                taken |= house.series(size, max(options.jobs // 5, 1))
                for request, measured in taken.items():
                    if round_:  # the first one fills caches
                        times[request][size] += measured
        report(times)
        house.database.close()


if __name__ == "__main__":
    main()
