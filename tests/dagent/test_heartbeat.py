import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagent.heartbeat import STUCK_SECONDS, Heartbeat, trouble_of, watchdog_interval
from delivery.lmtp_client import LmtpClient
from tests.support.agent import HOST, RunningAgent


@dataclass
class Writer:
    alive: bool = True
    busy_seconds: float = 0.0


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_half_of_what_systemd_allows(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_interval(environ, 7) == seconds


@pytest.mark.parametrize(
    ("writer", "words"),
    [
        (Writer(), ""),
        (Writer(busy_seconds=30.0), ""),  # a slow disk
        (Writer(busy_seconds=STUCK_SECONDS), ""),
        (Writer(busy_seconds=STUCK_SECONDS + 1), "at one batch for 301 s"),
        (Writer(alive=False), "the group-commit writer has ended"),
    ],
)
def test_when_a_restart_is_needed(writer: Writer, words: str) -> None:
    trouble = trouble_of(writer)
    assert words in trouble
    assert bool(words) == bool(trouble)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def heard(manager: socket.socket) -> list[bytes]:
    manager.setblocking(False)
    messages = []
    try:
        while True:
            messages.append(manager.recv(1000))
    except BlockingIOError:
        return messages


def test_beats_and_tells_a_status_once(manager: socket.socket) -> None:
    sessions = ["1 session"]
    heartbeat = Heartbeat(Writer(), lambda: sessions[0], 30.0)
    heartbeat.beat()
    heartbeat.beat()
    sessions[0] = "2 sessions"
    heartbeat.beat()
    assert heard(manager) == [
        b"STATUS=1 session\nWATCHDOG=1",
        b"WATCHDOG=1",
        b"STATUS=2 sessions\nWATCHDOG=1",
    ]


def test_without_a_watchdog_only_the_status(manager: socket.socket) -> None:
    heartbeat = Heartbeat(Writer(), lambda: "fine", None)
    heartbeat.beat()
    heartbeat.beat()
    assert heard(manager) == [b"STATUS=fine"]


def test_trouble_is_said_once_and_ends_the_beat(
    manager: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(alive=False)
    heartbeat = Heartbeat(writer, lambda: "fine", 30.0)
    heartbeat.beat()
    heartbeat.beat()
    assert heard(manager) == [b"STATUS=the group-commit writer has ended"]
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]


def test_writer_that_gets_on_again_is_well(manager: socket.socket) -> None:
    writer = Writer(busy_seconds=STUCK_SECONDS + 5)
    heartbeat = Heartbeat(writer, lambda: "fine", 30.0)
    heartbeat.beat()
    writer.busy_seconds = 0.0
    heartbeat.beat()
    assert heard(manager)[-1] == b"STATUS=fine\nWATCHDOG=1"


def test_loop_that_is_stuck_does_not_beat(manager: socket.socket) -> None:
    async def live() -> None:
        beating = asyncio.create_task(Heartbeat(Writer(), lambda: "fine", 0.01).run())
        beats: list[bytes] = []
        while len(beats) < 3:
            beats += heard(manager)
            await asyncio.sleep(0.01)
        heard(manager)
        manager.settimeout(0.1)
        with pytest.raises(TimeoutError):  # this blocks the loop for ten beats
            manager.recv(100)
        beating.cancel()

    asyncio.run(asyncio.wait_for(live(), 10.0))


def test_agent_beats_until_its_writer_dies(tmp_path: Path, manager: socket.socket) -> None:
    environ = {"WATCHDOG_USEC": "200000", "NOTIFY_SOCKET": os.environ["NOTIFY_SOCKET"]}
    with RunningAgent(tmp_path, environ=environ) as agent:
        agent.add_user("anna")
        expect(manager, b"READY=1")
        expect(manager, b"STATUS=LMTP on 127.0.0.1:%d; " % agent.port)
        expect(manager, b"WATCHDOG=1")
        agent.kill()
        heard(manager)
        # An exception where none can be is what ends the writer's thread.
        agent.start(failpoints="before-reply:bug")
        expect(manager, b"WATCHDOG=1")
        client = LmtpClient(HOST, agent.port, timeout=0.5)
        client.connect()
        (reply,) = client.send("ben@example.net", ["anna@example.org"], b"Subject: x\r\n\r\n")
        client.close()
        assert not reply.positive
        expect(manager, b"STATUS=the group-commit writer has ended")
        manager.settimeout(0.5)
        with pytest.raises(TimeoutError):
            manager.recv(100)


def expect(manager: socket.socket, words: bytes) -> None:
    """Wait until systemd hears these words."""
    manager.settimeout(10.0)
    while words not in manager.recv(1000):
        pass
