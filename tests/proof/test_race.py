"""Many want one thing at one time: nobody gets what is not there, and everybody gets an answer."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailcore.reply import LmtpReply
from mr_accept.audit import audit
from tests.support.agent import RunningAgent
from tests.support.booking_desk import read_reply
from tests.support.meetings import at, meeting_mail
from tests.support.waiting import wait_for

REQUESTS = 200
CLIENTS = 10
PIECES = 5


def send_all(agent: RunningAgent, rooms: list[str]) -> None:
    """Ask for the same hour of each room, from an organizer of its own each time, in parallel."""
    replies: list[LmtpReply] = []

    def send(numbers: range) -> None:
        with agent.client() as client:
            for number in numbers:
                for room in rooms:
                    organizer = f"person{number}@example.net"
                    address = f"{room}@example.org"
                    raw = meeting_mail(f"{room}-{number}", at(9), room=address, organizer=organizer)
                    replies.extend(client.send(organizer, [address], raw))

    threads = [
        threading.Thread(target=send, args=(range(first, REQUESTS, CLIENTS),))
        for first in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [reply.code for reply in replies] == [250] * REQUESTS * len(rooms)


def check(agent: RunningAgent, capacities: dict[str, int]) -> None:
    """As many are accepted as there are places; each organizer has one answer, and it is true."""
    jobs = agent.wait_for_jobs(REQUESTS * len(capacities))
    fates = {job.id: job.fate for job in jobs}
    for room, places in capacities.items():
        mine = Counter(job.fate for job in jobs if job.rcpt_to == f"{room}@example.org")
        assert mine == {"accepted": places, "declined": REQUESTS - places}
    outbox = agent.outbox()
    assert len({entry.job_id for entry in outbox}) == len(outbox) == len(jobs)
    for entry in outbox:
        assert read_reply(entry).partstat.lower() == fates[entry.job_id or 0]
    with agent.store() as parts:
        for room, places in capacities.items():
            recipient = parts.directory.resolve(room)
            assert audit(parts.database, recipient, parts.settings) == []
            assert len(agent.admin_json("--list-bookings", room)) == places


@pytest.fixture
def capacities() -> dict[str, int]:
    return {"aurora": 1, "beamers": PIECES}


def add_resources(agent: RunningAgent) -> None:
    agent.add_room("aurora")
    agent.add_room("beamers", capacity=PIECES)


def test_a_race_inside_one_process(tmp_path: Path, capacities: dict[str, int]) -> None:
    with RunningAgent(tmp_path) as agent:
        add_resources(agent)
        send_all(agent, list(capacities))
        check(agent, capacities)


@contextmanager
def second_worker(agent: RunningAgent, log_file: Path) -> Iterator[None]:
    polling = {"DAGENT_QUEUE_POLL_INTERVAL": "0.05"}
    process = agent.run("kopano-mr-accept", log_file=log_file, environ=polling)
    try:
        wait_for(lambda: "ready:" in log_file.read_text(), timeout=30, what="the worker is ready")
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_a_race_between_two_processes(
    tmp_path: Path, postgres_url: str, capacities: dict[str, int]
) -> None:
    """The agent works on the jobs it is woken for, one resource at a time; another process on what it finds."""
    woken = {"DAGENT_QUEUE_WORKERS": "1", "DAGENT_QUEUE_POLL_INTERVAL": "600"}
    with RunningAgent(tmp_path, database=postgres_url, environ=woken) as agent:
        add_resources(agent)
        second_log = tmp_path / "second.log"
        with second_worker(agent, second_log):
            send_all(agent, list(capacities))
            check(agent, capacities)
        logs = [agent.log(), second_log.read_text()]
    settled = [log.count("fate=") for log in logs]
    assert min(settled) > 0, "one of them did all the work"
    assert sum(settled) == REQUESTS * len(capacities)
