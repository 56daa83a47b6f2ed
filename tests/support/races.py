"""Several at once at one calendar: who books, changes rules or reports in a race, and what has to be true after it.

Each desk has connections of its own to one database, as in processes of its own.
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from mailcore.settings import Settings
from mr_accept.audit import audit
from mr_accept.book import Booker, ChangedError
from mr_accept.late_clashes import LateClashes
from store.booking_policies import save_policy_values
from store.calendars import lock_calendar
from store.jobs import Job, lease_jobs
from tests.support.booking_desk import HOSTNAME, Desk, Room
from tests.support.meetings import meeting_mail


def at_once(*works: Callable[[], object]) -> None:
    """Do all of it at the same time; what one of them raises is raised."""
    start = threading.Barrier(len(works))

    def do(work: Callable[[], object]) -> None:
        start.wait(30)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(do, work) for work in works]:
            done.result(60)


def booker(desk: Desk) -> Booker:
    return Booker(desk.committer, desk.directory, desk.settings, HOSTNAME)


def leased(room: Room, *mails: bytes) -> list[Job]:
    """A job for each, all taken already: whoever books one does not wait for the others."""
    for raw in mails:
        room.queue(raw)
    jobs = lease_jobs(room.desk.database, room.store_id, 600)
    assert len(jobs) == len(mails)
    return jobs


def persistent(desk: Desk, job: Job) -> str:
    """Book it as a worker does, again when the booking keeps changing; return the fate."""
    while True:
        try:
            return booker(desk).book(job).fate.value
        except ChangedError:
            continue


def step_in(
    monkeypatch: pytest.MonkeyPatch, who: type, action: Callable[[], object], times: int
) -> Counter[str]:
    """Let something happen `times` times after all has been read and before the lock is taken; counts the attempts."""
    name = {Booker: "_locked", LateClashes: "_submissions"}[who]
    seen: Counter[str] = Counter()
    go_on = getattr(who, name)

    def interrupted(*arguments: Any) -> Any:
        if not seen["inside"]:
            seen["attempts"] += 1
            if seen["attempts"] <= times:
                seen["inside"] = 1
                action()
                seen["inside"] = 0
        return go_on(*arguments)

    monkeypatch.setattr(who, name, interrupted)
    return seen


def change_rules(desk: Desk, room: Room, **values: str) -> None:
    """As `kopano-admin --set-policy` does it."""
    with desk.database.write() as connection:
        lock_calendar(connection, room.store_id)
        save_policy_values(connection, room.store_id, dict(values))


def as_far_as(desk: Desk, days: int) -> Settings:
    """The settings of a desk with another booking window."""
    return replace(desk.settings, booking=replace(desk.settings.booking, booking_window_days=days))


def sound(room: Room, capacity: int = 1) -> None:
    """No instant is used more than it may be, and the audit finds nothing."""
    assert audit(room.desk.database, room.recipient, room.desk.settings) == []
    starts = Counter(start for _, start in room.held())
    assert max(starts.values(), default=0) <= capacity


def request(room: Room, uid: str, start: datetime, **details: Any) -> bytes:
    return meeting_mail(uid, start, room=room.address, **details)


def of(room: Room, uid: str) -> list[datetime]:
    return [start for name, start in room.held() if name == uid]
