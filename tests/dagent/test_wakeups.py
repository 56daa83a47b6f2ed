import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from dagent.redis_broker import HINT_SECONDS, MOST_HINTS, list_key
from dagent.wakeups import BOOKING_QUEUE, SPOOL_QUEUE, WakeUps
from mailcore.errors import TemporaryError, UsageError
from tests.support.redis_server import (
    HOST,
    PASSWORD,
    SERVICE,
    RedisServer,
    running_redis,
    running_sentinel,
)
from tests.support.servers import missing_server
from tests.support.waiting import wait_for

BOOKINGS = list_key(BOOKING_QUEUE)
AWAY = "cannot be used"
BACK = "can be used again"
DEADLINE = 15.0


class Rooms:
    """Stands for the booker: notes which resources it was woken for."""

    def __init__(self) -> None:
        self.woken: list[int] = []

    def drain(self, store_id: int) -> None:
        self.woken.append(store_id)


@contextmanager
def open_wakeups(url: str) -> Iterator[WakeUps]:
    wakeups = WakeUps(url)
    try:
        yield wakeups
    finally:
        wakeups.stop(5.0)


@contextmanager
def sender_and_rooms(url: str) -> Iterator[tuple[WakeUps, Rooms]]:
    """One end that sends and another that receives, as in two processes."""
    rooms = Rooms()
    with open_wakeups(url) as sender, open_wakeups(url) as receiver:
        receiver.receive_bookings(rooms.drain, threads=2)
        yield sender, rooms


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test ends with a wait for the last question to Redis."""
    for pause in (
        "redis_broker.WAIT_SECONDS",
        "redis_broker.RETRY_SECONDS",
        "courier.RETRY_SECONDS",
    ):
        monkeypatch.setattr(f"dagent.{pause}", 0.1)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with running_redis() as running:
        yield running


# -- within one process


def test_a_wake_up_arrives_within_the_process() -> None:
    rooms = Rooms()
    with open_wakeups("") as wakeups:
        wakeups.receive_bookings(rooms.drain, threads=1)
        wakeups.resource_has_work(7)
        wait_for(lambda: rooms.woken == [7], what="the wake-up")


@pytest.mark.parametrize("error", [TemporaryError("database away"), RuntimeError("a bug")])
def test_a_booker_that_fails_is_woken_again(error: Exception) -> None:
    woken: list[int] = []

    def drain(store_id: int) -> None:
        woken.append(store_id)
        raise error

    with open_wakeups("") as wakeups:
        wakeups.receive_bookings(drain, threads=1)
        wakeups.resource_has_work(1)
        wakeups.resource_has_work(2)
        wait_for(lambda: woken == [1, 2], what="both wake-ups")


# -- the ways to Redis


def certificate(directory: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl") or missing_server("openssl")
    key, pem = directory / "key.pem", directory / "cert.pem"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{HOST}"]
    subprocess.run(
        [openssl, "req", "-x509", *kind, *names, "-keyout", key, "-out", pem],
        check=True,
        capture_output=True,
    )
    return key, pem


def with_password(server: RedisServer, _stack: ExitStack, _directory: Path) -> str:
    with server.client() as client:
        client.config_set("requirepass", PASSWORD)
    return f"redis://:{quote(PASSWORD, safe='')}@{HOST}:{server.port}/5"


def with_user(server: RedisServer, _stack: ExitStack, _directory: Path) -> str:
    with server.client() as client:
        client.acl_setuser("agent", enabled=True, passwords=["+pw"], keys="*", commands=["+@all"])
    return f"redis://agent:pw@{HOST}:{server.port}"


def unix_socket(server: RedisServer, _stack: ExitStack, _directory: Path) -> str:
    return f"unix://{server.path}?db=3"


def tls(_server: RedisServer, stack: ExitStack, directory: Path) -> str:
    key, pem = certificate(directory)
    files = ["--tls-cert-file", str(pem), "--tls-key-file", str(key), "--tls-ca-cert-file"]
    options = ["--tls-replication", "no", "--tls-auth-clients", "no", *files, str(pem)]
    encrypted = stack.enter_context(running_redis(*options))
    with encrypted.client() as client:
        client.config_set("port", 0)
        client.config_set("tls-port", encrypted.port)
    return f"rediss://{HOST}:{encrypted.port}/1?ssl_ca_certs={pem}"


@pytest.mark.parametrize("way", [with_password, with_user, unix_socket, tls])
def test_a_wake_up_arrives_by_every_way(
    way: Callable[[RedisServer, ExitStack, Path], str],
    server: RedisServer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ExitStack() as stack:
        url = way(server, stack, tmp_path)
        sender, rooms = stack.enter_context(sender_and_rooms(url))
        sender.resource_has_work(7)
        wait_for(lambda: rooms.woken == [7], timeout=DEADLINE, what="the wake-up")
    assert AWAY not in caplog.text


def test_a_database_of_its_own(server: RedisServer) -> None:
    with open_wakeups(f"redis://{HOST}:{server.port}/5") as sender:
        sender.resource_has_work(7)
        with server.client(db=5) as five, server.client() as zero:
            wait_for(lambda: five.llen(BOOKINGS) == 1, what="the hint is in database 5")
            assert zero.dbsize() == 0


def test_sentinel_leads_to_the_new_master() -> None:
    asks = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    with running_redis(*asks) as master:
        follows = ("--replicaof", f"{HOST} {master.port}", "--repl-diskless-sync-delay", "0")
        with running_redis(*asks, *follows), running_sentinel(master, PASSWORD) as port:
            hosts = f"{HOST}:1,{HOST}:{port}"  # the first sentinel is away
            url = f"redis+sentinel://:{quote(PASSWORD, safe='')}@{hosts}/{SERVICE}/0"
            with sender_and_rooms(url) as (sender, rooms):
                sender.resource_has_work(1)
                wait_for(lambda: rooms.woken == [1], timeout=DEADLINE, what="the first wake-up")
                master.stop()
                sender.resource_has_work(2)
                wait_for(lambda: 2 in rooms.woken, timeout=60, what="a wake-up by the new master")


@pytest.mark.parametrize("url", ["redis://localhost/first", "amqp://localhost"])
def test_a_bad_url_names_the_setting(url: str) -> None:
    with pytest.raises(UsageError, match=r"\[queue\] url: "):
        WakeUps(url)


# -- Redis comes and goes


def count(caplog: pytest.LogCaptureFixture, words: str, level: str) -> int:
    return sum(
        words in record.getMessage() and record.levelname == level for record in caplog.records
    )


def test_an_outage_is_one_warning_and_one_line_when_it_ends(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="dagent")
    with sender_and_rooms(server.url) as (sender, rooms):
        for outage in (1, 2):
            server.stop()
            sender.resource_has_work(outage)
            wait_for(lambda: count(caplog, AWAY, "WARNING") >= 2 * outage, timeout=DEADLINE)  # noqa: B023
            server.start()
            wait_for(lambda: outage in rooms.woken, timeout=DEADLINE, what="the late wake-up")  # noqa: B023
            wait_for(lambda: count(caplog, BACK, "INFO") == 2 * outage, timeout=DEADLINE)  # noqa: B023
        # One for the sender and one for the receiver, which are two processes elsewhere.
        assert count(caplog, AWAY, "WARNING") == 4
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


def test_a_server_that_is_away_at_the_start_is_used_when_it_comes(server: RedisServer) -> None:
    server.stop()
    with sender_and_rooms(server.url) as (sender, rooms):
        for store_id in (1, 2, 1, 2, 1):
            sender.resource_has_work(store_id)
        server.start()
        wait_for(lambda: sorted(rooms.woken) == [1, 2], timeout=DEADLINE, what="each hint once")


def test_a_wrong_password_is_a_warning_too(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with server.client() as client:
        client.config_set("requirepass", "right")
    with sender_and_rooms(f"redis://:wrong@{HOST}:{server.port}") as (sender, rooms):
        sender.resource_has_work(1)
        wait_for(lambda: count(caplog, AWAY, "WARNING") == 2, timeout=DEADLINE)
    assert rooms.woken == []
    assert "wrong@" not in caplog.text


def test_nobody_waits_for_a_server_that_does_not_answer(server: RedisServer) -> None:
    server.freeze()
    with open_wakeups(server.url) as sender:
        began = time.monotonic()
        for store_id in range(1000):
            sender.resource_has_work(store_id)
            sender.mail_leaves()
        assert time.monotonic() - began < 0.5
        server.stop()


def test_a_full_server_is_one_warning_although_it_still_gives(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="dagent")
    rooms = Rooms()
    with open_wakeups(server.url) as wakeups, server.client() as client:
        wakeups.receive_bookings(rooms.drain, threads=1)
        client.config_set("maxmemory", 1)
        wakeups.resource_has_work(7)
        wait_for(lambda: count(caplog, AWAY, "WARNING"), what="the warning")
        asked = client.info("commandstats")["cmdstat_blpop"]["calls"]
        asked_again = lambda: client.info("commandstats")["cmdstat_blpop"]["calls"] > asked + 1  # noqa: E731
        wait_for(asked_again, timeout=DEADLINE, what="the receiver asks again")
        assert (count(caplog, AWAY, "WARNING"), count(caplog, BACK, "INFO")) == (1, 0)
        client.config_set("maxmemory", 0)
        wait_for(lambda: rooms.woken == [7], timeout=DEADLINE, what="the late wake-up")
        wait_for(lambda: count(caplog, BACK, "INFO") == 1, what="the end of the outage")


def test_an_emptied_server_goes_on(server: RedisServer) -> None:
    with sender_and_rooms(server.url) as (sender, rooms):
        for store_id in range(1, 4):
            with server.client() as client:
                client.flushall()
            sender.resource_has_work(store_id)
            wait_for(lambda: store_id in rooms.woken, timeout=DEADLINE, what="a wake-up")  # noqa: B023


# -- what lies in Redis


def test_hints_that_nobody_fetches_are_few_and_short_lived(server: RedisServer) -> None:
    with server.client() as client:
        client.rpush(BOOKINGS, *[b"old"] * MOST_HINTS)
        with open_wakeups(server.url) as sender:
            sender.resource_has_work(7)
            wait_for(lambda: client.lrange(BOOKINGS, -1, -1) != [b"old"], what="the new hint")
        assert client.llen(BOOKINGS) == MOST_HINTS
        assert 0 < client.ttl(BOOKINGS) <= HINT_SECONDS


def test_what_is_no_hint_is_dropped(server: RedisServer) -> None:
    with server.client() as client:
        client.rpush(BOOKINGS, b"", b"\xff", b"[]", b"{}", b'{"actor_name": 1}')
        with sender_and_rooms(server.url) as (sender, rooms):
            sender.resource_has_work(7)
            wait_for(lambda: rooms.woken == [7], what="the hint behind the rubbish")


def test_a_busy_process_leaves_hints_to_an_idle_one(server: RedisServer) -> None:
    gate = threading.Event()
    busy, idle = Rooms(), Rooms()

    def drain(store_id: int) -> None:
        busy.drain(store_id)
        gate.wait(DEADLINE)

    with open_wakeups(server.url) as sender, ExitStack() as stack:
        first = stack.enter_context(open_wakeups(server.url))
        stack.callback(gate.set)
        first.receive_bookings(drain, threads=1)
        sender.resource_has_work(1)
        wait_for(lambda: busy.woken == [1], what="the first one is busy")
        stack.enter_context(open_wakeups(server.url)).receive_bookings(idle.drain, threads=1)
        for store_id in (2, 3, 4):
            sender.resource_has_work(store_id)
        wait_for(lambda: sorted(idle.woken) == [2, 3, 4], what="the second one does the rest")


def test_what_a_stopping_process_has_fetched_is_left_to_others(server: RedisServer) -> None:
    gate = threading.Event()
    rooms = Rooms()

    def drain(store_id: int) -> None:
        rooms.drain(store_id)
        gate.wait(DEADLINE)

    with open_wakeups(server.url) as sender, server.client() as client:
        receiver = WakeUps(server.url)
        receiver.receive_bookings(drain, threads=2)
        sender.resource_has_work(1)
        wait_for(lambda: rooms.woken == [1], what="it works")
        stopping = threading.Thread(target=receiver.stop, args=(DEADLINE,))
        stopping.start()
        sender.resource_has_work(2)
        wait_for(lambda: client.llen(BOOKINGS) == 0 or 2 in rooms.woken, what="it is fetched")
        gate.set()
        stopping.join(DEADLINE)
        assert not stopping.is_alive()
        assert 2 in rooms.woken or client.llen(BOOKINGS) == 1


# -- the spooler


def test_mail_that_is_due_wakes_the_spooler_and_nobody_else(server: RedisServer) -> None:
    woken = threading.Event()
    with sender_and_rooms(server.url) as (sender, rooms), open_wakeups(server.url) as spooler:
        spooler.receive_mail(woken.set)
        sender.mail_leaves()
        assert woken.wait(DEADLINE)
        assert rooms.woken == []
        with server.client() as client:
            assert client.llen(list_key(SPOOL_QUEUE)) == 0
