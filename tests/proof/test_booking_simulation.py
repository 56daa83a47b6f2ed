"""Thousands of random requests, changes and cancellations, as mail brings them: late, twice and out of order.

Afterwards the audit finds nothing, every message has had exactly one fate, each as a slow model of the booker expects,
and the same messages settled once more give the same calendars.  `make simulate` sends 20,000; SIMULATED=N sends N.
"""

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.engine import Database
from store.jobs import JobRecord
from tests.support.agent import RunningAgent
from tests.support.booking_desk import open_desk
from tests.support.meetings import ANNA, EVE, at, basic, event
from tests.support.simulation_history import write_history
from tests.support.simulation_outcome import (
    Calendar,
    all_done,
    load_calendar,
    load_filed,
    load_jobs,
    load_replies,
)
from tests.support.simulation_replay import Entry, replay
from tests.support.simulation_site import (
    RESOURCES,
    SETTINGS,
    WINDOW_DAYS,
    Resource,
    furnish,
    send_all,
)
from tests.support.simulation_transport import Delivery, carry
from tests.support.simulation_verdict import Judge
from tests.support.waiting import wait_for

SIMULATED = int(os.environ.get("SIMULATED", "1200"))
SLOWEST = 5  # messages per second
TO_PEOPLE = {"ordinary", "not_obeyed"}
ENDS = {*TO_PEOPLE, "accepted", "declined", "repeated", "stale", "freed", "tombstone", "past"}
DAY = 86_400


class Simulation:
    """What was sent, and what an agent has made of it; the names are those of resources."""

    def __init__(self, agent: RunningAgent, deliveries: Sequence[Delivery]) -> None:
        self.deliveries = deliveries
        self.began = int(time.time())
        with agent.store() as parts:
            stores = furnish(parts.database)
            send_all(agent, deliveries)
            slowest = 60 + len(deliveries) / SLOWEST
            wait_for(lambda: all_done(parts.database), timeout=slowest, what="all jobs have ended")
            self._read(parts.database, stores)

    def _read(self, database: Database, stores: Mapping[str, int]) -> None:
        jobs = load_jobs(database)
        self.jobs: dict[str, list[JobRecord]] = {name: jobs[one] for name, one in stores.items()}
        self.replies = load_replies(database)
        self.calendars: dict[str, Calendar] = {
            name: load_calendar(database, one) for name, one in stores.items()
        }
        self.filed = {name: load_filed(database, one) for name, one in stores.items()}

    @property
    def fates(self) -> Counter[str]:
        return Counter(job.fate for jobs in self.jobs.values() for job in jobs)

    def taken(self, resource: Resource) -> set[str]:
        """The Message-IDs of everything that was sent to a resource."""
        mine = (one for one in self.deliveries if resource.address in one.rcpt_tos)
        return {one.message.message_id for one in mine}

    def log(self, resource: Resource) -> list[Entry]:
        """What a resource got, in the order in which it was settled."""
        sent = {one.message.message_id: one for one in self.deliveries}
        return [
            Entry(job.mail_from, job.rcpt_to, sent[job.message_id].content, job.finished_at or 0)
            for job in self.jobs[resource.name]
        ]


def check_fates(done: Simulation) -> None:
    """Each message has one job with one fate, and lies where that fate puts it."""
    for resource in RESOURCES:
        jobs = done.jobs[resource.name]
        assert Counter(job.message_id for job in jobs) == Counter(done.taken(resource))
        assert {job.fate for job in jobs} <= ENDS
        filed = {
            ("Inbox" if job.fate in TO_PEOPLE else "Deleted Items", job.message_id) for job in jobs
        }
        there = done.filed[resource.name]
        # Besides, the Inbox may have notices of what a series has lost.
        assert all(count == 1 for count in there.values())
        assert filed == {place for place in there if place[1] in done.taken(resource)}


def findings(done: Simulation) -> list[str]:
    """Everything that is not as the model expects."""
    messages = {one.message.message_id: one.message for one in done.deliveries}
    found = []
    for resource in RESOURCES:
        days = int(resource.policy.get("booking_window_days", WINDOW_DAYS))
        judge = Judge(resource, done.began + days * DAY)
        for job in done.jobs[resource.name]:
            judge.follow(job, messages[job.message_id], done.replies.get(job.id, ()))
        judge.close(done.calendars[resource.name])
        found += [f"{resource.name}: {finding}" for finding in judge.findings]
    return found


@pytest.mark.parametrize(
    ("seed", "count"),
    [pytest.param(1, SIMULATED, id="whole"), pytest.param(2, 300), pytest.param(3, 300)],
)
def test_a_simulated_office(seed: int, count: int, tmp_path: Path) -> None:
    addresses = [resource.address for resource in RESOURCES]
    deliveries = carry(seed, write_history(seed, count, addresses, datetime.now(UTC).date()))
    with RunningAgent(tmp_path, environ=SETTINGS) as agent:
        done = Simulation(agent, deliveries)
        audit = agent.admin("--audit-bookings")
        assert agent.stop() == 0
    print(f"{len(deliveries)} transactions in {time.time() - done.began:.0f} s: {done.fates}")
    assert (audit.returncode, audit.stderr) == (0, ""), audit.stdout
    assert "Traceback" not in agent.log()
    check_fates(done)
    found = findings(done)
    assert not found, "\n".join(found)
    logs = {resource.name: done.log(resource) for resource in RESOURCES}
    assert replay(f"sqlite:///{tmp_path / 'again.db'}", logs) == done.calendars


def test_a_copy_that_is_quicker_than_the_original(database_url: str) -> None:
    """Somebody has forwarded the invitation and the original is late: its organizer still hears once."""
    with open_desk(database_url) as desk:
        room = desk.room()
        copy = room.ask("u1", at(9), from_=EVE)
        assert (copy.fate, room.replies(copy)) == ("accepted", [])
        room.ask("u1", at(9), from_=ANNA)
        assert [reply.partstat for reply in room.replies()] == ["ACCEPTED"]


@pytest.mark.parametrize("known", [False, True], ids=["first", "after a cancellation"])
def test_a_forgery_that_is_quicker_does_not_keep_the_organizer_out(
    known: bool, database_url: str
) -> None:
    with open_desk(database_url) as desk:
        room = desk.room()
        if known:
            room.ask("u1", at(9))
            room.ask("u1", at(9), method="CANCEL", sequence=1)
        room.ask("u1", at(11), sequence=9, from_=EVE)
        asked = room.ask("u1", at(9), sequence=2)
        assert asked.fate == "accepted"
        assert len(room.replies(asked)) == 1
        assert room.ask("u1", at(9), sequence=3, method="CANCEL").fate == "freed"
        assert room.held() == []


def test_a_series_that_goes_on_past_the_window_is_not_over(database_url: str) -> None:
    """Its first occurrence has ended, and the next one cannot be booked yet: it is declined, not ignored."""
    with open_desk(database_url) as desk:
        room = desk.room()
        room.set_policy(booking_window_days="30", enforce_horizon="yes")
        begun = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
        asked = room.ask("u1", begun, rrule="FREQ=DAILY;INTERVAL=90;COUNT=5")
        assert (asked.fate, asked.reason) == ("declined", "beyond the booking window")


@pytest.mark.parametrize(("method", "state"), [("REQUEST", "declined"), ("CANCEL", "cancelled")])
def test_an_override_and_then_its_series_are_given_up(
    method: str, state: str, database_url: str
) -> None:
    """The override was known without its series; a message about both is remembered of both."""
    with open_desk(database_url) as desk:
        room = desk.room()
        room.set_policy(on_failed_update="release")
        room.ask("other", at(9, day=1))
        override, series = (
            event("u1", start, attendees=[room.address], sequence=1, stamp=100, **more)
            for start, more in (
                (at(14, day=2), {"recurrence_id": at(9, day=2)}),
                (at(9), {"rrule": "FREQ=DAILY;COUNT=4"}),
            )
        )
        assert room.ask_together(override).fate == "accepted"
        room.ask_together(series, override, method=method)
        states = {name: row.state for name, row in room.lineages("u1").items()}
        assert states == {"": state, basic(at(9, day=2)): state}
        assert room.held() == [("other", at(9, day=1))]


def test_an_override_that_comes_after_the_resource_was_left_out(database_url: str) -> None:
    """The message that leaves it out names the override too, which is late: nothing is booked by it."""
    with open_desk(database_url) as desk:
        room = desk.room()
        series = {"rrule": "FREQ=DAILY;COUNT=4"}
        moved = {"recurrence_id": at(9, day=2), "sequence": 1, "stamp": 70}
        room.ask("u1", at(9), **series)
        left_out = room.ask_together(
            event("u1", at(9), attendees=["beamer@example.org"], stamp=145, **series),
            event("u1", at(14, day=2), attendees=["beamer@example.org"], **moved),
        )
        assert left_out.fate == "freed"
        assert room.ask("u1", at(14, day=2), **moved).fate == "stale"
        assert room.held() == []


@pytest.mark.parametrize("invited", [True, False], ids=["cancelled", "left out"])
def test_a_late_cancellation_does_not_outdate_a_newer_one(invited: bool, database_url: str) -> None:
    """In between a stranger's copy of an override is booked; the cancelled series stays cancelled."""
    series = {"rrule": "FREQ=DAILY;COUNT=3"}
    with open_desk(database_url) as desk:
        room = desk.room()
        told = [room.address if invited else "beamer@example.org"]
        method = "CANCEL" if invited else "REQUEST"
        room.ask("u1", at(9), stamp=50, **series)
        room.ask("u1", at(9), method="CANCEL", sequence=5, stamp=500)
        moved = {"recurrence_id": at(9, day=1), "sequence": 6, "stamp": 600}
        assert room.ask("u1", at(14, day=1), from_=EVE, **moved).fate == "accepted"
        room.ask_together(
            event("u1", at(9), attendees=told, sequence=1, stamp=100, **series), method=method
        )
        assert room.ask("u1", at(9), sequence=2, stamp=200, **series).fate == "stale"


def test_an_override_whose_copy_was_quicker(database_url: str) -> None:
    """Its organizer hears of it, and their older series leaves it in place."""
    with open_desk(database_url) as desk:
        room = desk.room()
        moved = {"recurrence_id": at(9, day=1), "sequence": 3, "stamp": 83}
        room.ask("u1", at(14, day=1), from_=EVE, **moved)
        own = room.ask("u1", at(14, day=1), **moved)
        assert [reply.partstat for reply in room.replies(own)] == ["ACCEPTED"]
        room.ask("u1", at(9), rrule="FREQ=DAILY;COUNT=3", sequence=2, stamp=75)
        assert room.held() == [("u1", at(9)), ("u1", at(14, day=1)), ("u1", at(9, day=2))]
