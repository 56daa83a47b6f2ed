"""Redis carries hints and nothing else: whatever becomes of it, and of the workers, every request has one answer."""

import secrets
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from mailcore.failpoint import AFTER_BOOKING_COMMIT, BEFORE_BOOKING_COMMIT
from tests.support.agent import RunningAgent
from tests.support.kills import kill_again_and_again
from tests.support.meetings import at, meeting_mail
from tests.support.redis_server import RedisServer, running_redis
from tests.support.redis_shape import RedisShape, running_shape
from tests.support.waiting import wait_for

CLIENTS = 5
ROOMS = ("aurora", "borealis", "corona", "dawn", "eclipse")
QUICK_LEASES = {"DAGENT_BOOKING_LEASE": "2"}
RACE = 200


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


class Requests:
    """Requests on their way by several clients at once, each from an organizer of its own."""

    def __init__(self, agent: RunningAgent, mails: Sequence[tuple[str, str, bytes]]) -> None:
        self._agent = agent
        self._codes: list[int] = []
        shares = [mails[first::CLIENTS] for first in range(CLIENTS)]
        self._threads = [threading.Thread(target=self._send, args=(share,)) for share in shares]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Return when so many have got their reply."""
        wait_for(lambda: len(self._codes) >= count, timeout=60, what=f"{count} replies")

    def finish(self) -> list[int]:
        """Return the codes of all replies."""
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"
        return self._codes

    def _send(self, mails: Sequence[tuple[str, str, bytes]]) -> None:
        with self._agent.client() as client:
            for organizer, room, raw in mails:
                self._codes += [reply.code for reply in client.send(organizer, [room], raw)]


def invitations(
    count: int, rooms: Sequence[str], requests_for_an_hour: int
) -> list[tuple[str, str, bytes]]:
    """Requests for the rooms in turn; so many want the same hour of the same room."""
    mails = []
    for number in range(count):
        room = f"{rooms[number % len(rooms)]}@example.org"
        hour = number // (len(rooms) * requests_for_an_hour)
        organizer = f"person{number}@example.net"
        raw = meeting_mail(f"meeting-{number}", at(hour), room=room, organizer=organizer)
        mails.append((organizer, room, raw))
    return mails


def add_rooms(agent: RunningAgent) -> None:
    for room in ROOMS:
        agent.add_room(room)


def test_a_redis_that_stops_is_emptied_and_replaced(
    tmp_path: Path, redis: RedisServer, postgres_url: str
) -> None:
    with running_shape(tmp_path, redis, database=postgres_url) as shape:
        add_rooms(shape.agent)
        requests = Requests(shape.agent, invitations(500, ROOMS, requests_for_an_hour=2))
        requests.wait_for(50)
        redis.stop()
        requests.wait_for(150)
        redis.start()
        requests.wait_for(250)
        with redis.client() as client:
            client.flushall()
        requests.wait_for(300)
        redis.freeze()
        requests.wait_for(400)
        redis.replace()
        assert requests.finish() == [250] * 500
        assert shape.check_answers(500) == {"accepted": 250, "declined": 250}
        logs = {name: shape.log(name) for name in shape.processes} | {"agent": shape.agent.log()}
        assert [shape.end(name) for name in list(shape.processes)] == [0, 0, 0]
    for name, log in logs.items():
        # The stop and the freeze; each process may have seen the flush or the replacement as nothing at all.
        assert 1 <= log.count("cannot be used") <= 3, f"{name}:\n{log}"
        assert "Traceback" not in log, name


def test_without_redis_polls_do_everything(tmp_path: Path, redis: RedisServer) -> None:
    """It is away when all of them start, and never comes."""
    redis.stop()
    polls = {"DAGENT_QUEUE_POLL_INTERVAL": "0.3", "DAGENT_SPOOLER_POLL_INTERVAL": "0.3"}
    with running_shape(tmp_path, redis, environ=polls) as shape:
        add_rooms(shape.agent)
        requests = Requests(shape.agent, invitations(50, ROOMS, requests_for_an_hour=2))
        assert requests.finish() == [250] * 50
        assert shape.check_answers(50) == {"accepted": 25, "declined": 25}
        logs = [shape.log(name) for name in shape.processes] + [shape.agent.log()]
        assert [shape.end(name) for name in list(shape.processes)] == [0, 0, 0]
        assert shape.agent.stop() == 0
    assert [log.count("cannot be used") for log in logs] == [1, 1, 1, 1]


@pytest.mark.parametrize("moment", [BEFORE_BOOKING_COMMIT, AFTER_BOOKING_COMMIT])
def test_a_worker_that_is_killed_at_the_worst_moment(
    moment: str, tmp_path: Path, redis: RedisServer
) -> None:
    with running_shape(tmp_path, redis, workers=0, environ=QUICK_LEASES) as shape:
        add_rooms(shape.agent)
        shape.begin("kopano-mr-accept", "doomed", failpoints=f"{moment}:kill@10")
        requests = Requests(shape.agent, invitations(60, ROOMS, requests_for_an_hour=2))
        doomed = shape.processes.pop("doomed")
        assert doomed.wait(30) == -9
        shape.begin("kopano-mr-accept", "successor")
        assert requests.finish() == [250] * 60
        assert shape.check_answers(60) == {"accepted": 30, "declined": 30}


def test_twenty_kills_of_the_agent(tmp_path: Path, redis: RedisServer) -> None:
    seed = secrets.randbelow(1_000_000)
    print(f"seed = {seed}")
    with running_shape(tmp_path, redis) as shape:
        kill_again_and_again(shape.agent, seed)


def test_an_agent_that_is_killed_between_commit_and_wake_up(
    tmp_path: Path, redis: RedisServer
) -> None:
    """Nobody is told of the job; the workers find it in the database, and the agent is not even back yet."""
    ((organizer, room, raw),) = invitations(1, ROOMS, requests_for_an_hour=1)
    with running_shape(tmp_path, redis) as shape:
        add_rooms(shape.agent)
        assert shape.agent.stop() == 0
        shape.agent.start("before-wake-up:kill")
        with shape.agent.client() as client:
            client.send(organizer, [room], raw)
        shape.agent.wait_until_killed()
        assert shape.check_answers(1) == {"accepted": 1}


def test_workers_that_come_and_go(tmp_path: Path, redis: RedisServer, postgres_url: str) -> None:
    with running_shape(tmp_path, redis, database=postgres_url, environ=QUICK_LEASES) as shape:
        add_rooms(shape.agent)
        requests = Requests(shape.agent, invitations(200, ROOMS, requests_for_an_hour=2))
        requests.wait_for(50)
        shape.kill("worker1")
        requests.wait_for(100)
        shape.begin("kopano-mr-accept", "worker3")
        assert shape.end("worker2") == 0
        assert requests.finish() == [250] * 200
        assert shape.check_answers(200) == {"accepted": 100, "declined": 100}


def test_a_race_for_one_hour(tmp_path: Path, redis: RedisServer, database_url: str) -> None:
    with running_shape(tmp_path, redis, database=database_url) as shape:
        shape.agent.add_room("aurora")
        requests = Requests(shape.agent, invitations(RACE, ["aurora"], requests_for_an_hour=RACE))
        assert requests.finish() == [250] * RACE
        assert shape.check_answers(RACE) == {"accepted": 1, "declined": RACE - 1}
        assert len(shape.agent.admin_json("--list-bookings", "aurora")) == 1
        assert "fate=" not in shape.agent.log()


def plain_mails(count: int) -> list[tuple[str, str, bytes]]:
    """Mails to a person, each from somebody else."""
    mails = []
    for number in range(count):
        sender = f"person{number}@example.net"
        raw = f"From: {sender}\r\nTo: anna@example.org\r\nSubject: Hello\r\n\r\nHello\r\n"
        mails.append((sender, "anna@example.org", raw.encode()))
    return mails


@pytest.fixture(scope="module")
def idle_shape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisShape]:
    """A room, a person who is away, and polls an hour apart."""
    never = {"DAGENT_QUEUE_POLL_INTERVAL": "3600", "DAGENT_SPOOLER_POLL_INTERVAL": "3600"}
    data = tmp_path_factory.mktemp("idle")
    with running_redis() as redis, running_shape(data, redis, workers=1, environ=never) as shape:
        shape.agent.add_room("aurora")
        shape.agent.add_user("anna")
        switch = shape.agent.run("kopano-set-oof", "-u", "anna", "-m", "1", "-t", "Away")
        assert switch.wait(30) == 0
        yield shape


@pytest.mark.parametrize(
    "mails",
    [
        pytest.param(invitations(10, ["aurora"], requests_for_an_hour=1), id="a room's reply"),
        pytest.param(plain_mails(10), id="out-of-office"),
    ],
)
def test_no_answer_waits_for_a_poll(
    mails: list[tuple[str, str, bytes]], idle_shape: RedisShape
) -> None:
    """From the 250 to the MTA; half a second is for a busy machine."""
    idle_shape.sink.received.clear()
    seconds = []
    with idle_shape.agent.client() as client:
        for number, (sender, rcpt_to, raw) in enumerate(mails, 1):
            assert [reply.code for reply in client.send(sender, [rcpt_to], raw)] == [250]
            began = time.monotonic()
            answered = partial(idle_shape.has_answered, number)
            wait_for(answered, timeout=10, what="the answer leaves")
            seconds.append(time.monotonic() - began)
    assert statistics.median(seconds) < 0.5
