"""TERM drains and loses nothing, twice as well; HUP under load is noticed by nobody.

The clients here never send again: what is stored has to be exactly what got a 250.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailcore.view import MessageView
from tests.support.agent import COMMANDS, HOST, RunningAgent
from tests.support.servers import free_port
from tests.support.waiting import wait_for

CLIENTS = 6
DEADLINE = 30.0


class Session:
    """A raw LMTP session with the agent."""

    def __init__(self, agent: RunningAgent) -> None:
        self.socket = socket.create_connection((HOST, agent.port), DEADLINE)
        self._replies = self.socket.makefile("rb")
        assert self.reply().startswith("220 ")

    def ask(self, command: str) -> str:
        self.socket.sendall(command.encode() + b"\r\n")
        return self.reply()

    def reply(self) -> str:
        """The next reply's last line; empty when the connection is gone."""
        while True:
            try:
                line = self._replies.readline().decode()
            except ConnectionResetError:
                return ""
            if line[3:4] != "-":
                return line.rstrip()

    def announce(self, rcpt_to: str) -> str:
        """Everything before the content; returns the reply that was not positive, or the 354."""
        reply = ""
        for command in (
            "LHLO client",
            "MAIL FROM:<load@example.net>",
            f"RCPT TO:<{rcpt_to}>",
            "DATA",
        ):
            reply = self.ask(command)
            if reply[:1] not in {"2", "3"}:
                break
        return reply

    def close(self) -> None:
        self._replies.close()
        self.socket.close()


def content_of(name: str) -> bytes:
    return f"Message-ID: <{name}>\r\nSubject: load\r\n\r\n{name}\r\n".encode()


class Load(threading.Thread):
    """One client that sends mail after mail until the server says 421."""

    def __init__(self, agent: RunningAgent, number: int) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self._agent = agent
        self._number = number
        self.acknowledged: list[str] = []
        self.farewell = ""
        self.ending = threading.Event()
        self.start()

    def run(self) -> None:
        session = Session(self._agent)
        try:
            while not self.ending.is_set():
                name = f"{self._number}.{len(self.acknowledged)}@example.net"
                reply = session.announce("anna@example.org")
                if reply.startswith("354"):
                    session.socket.sendall(content_of(name) + b".\r\n")
                    reply = session.reply()
                if not reply.startswith("250"):
                    self.farewell = reply
                    return
                self.acknowledged.append(f"<{name}>")
        except ConnectionError:
            self.farewell = "cut"
        finally:
            session.close()


@contextmanager
def under_load(agent: RunningAgent) -> Iterator[list[Load]]:
    """Several clients at work, and some mail delivered already."""
    clients = [Load(agent, number) for number in range(CLIENTS)]
    try:
        wait_for_more(clients, 50)
        yield clients
    finally:
        for client in clients:
            client.ending.set()
        for client in clients:
            client.join(DEADLINE)


def wait_for_more(clients: list[Load], count: int) -> None:
    wanted = sum(len(client.acknowledged) for client in clients) + count
    wait_for(
        lambda: sum(len(client.acknowledged) for client in clients) >= wanted,
        timeout=DEADLINE,
        what="mail flows",
    )


def stored(agent: RunningAgent) -> Counter[str]:
    return Counter(MessageView(content).message_id for content in agent.mails("anna"))


def assert_nothing_lost(agent: RunningAgent, clients: list[Load]) -> None:
    assert stored(agent) == Counter(name for client in clients for name in client.acknowledged)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    with RunningAgent(tmp_path) as running:
        running.add_user("anna")
        yield running


@pytest.mark.parametrize("terms", [1, 2])
def test_term_under_load(agent: RunningAgent, terms: int) -> None:
    with under_load(agent) as clients:
        began = time.monotonic()
        assert agent._process is not None
        for _ in range(terms - 1):
            agent._process.terminate()
        assert agent.stop() == 0, agent.log()
        assert time.monotonic() - began < 30.0
    assert_nothing_lost(agent, clients)
    assert all(client.farewell.startswith("421 4.3.2 ") for client in clients), [
        client.farewell for client in clients
    ]


def test_term_again_at_every_moment_of_the_end(agent: RunningAgent) -> None:
    """The last instants of a Python process are the ones in which a signal could still kill it."""
    assert agent._process is not None
    process = agent._process
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
    assert process.poll() == 0, agent.log()


def test_message_in_the_midst_of_its_data_is_finished(agent: RunningAgent) -> None:
    idle, busy = Session(agent), Session(agent)
    assert busy.announce("anna@example.org").startswith("354")
    busy.socket.sendall(content_of("half@example.net")[:20])
    assert agent._process is not None
    agent._process.terminate()
    assert idle.reply().startswith("421 4.3.2 ")
    busy.socket.sendall(content_of("half@example.net")[20:] + b".\r\n")
    assert busy.reply().startswith("250 ")
    assert busy.reply().startswith("421 4.3.2 ")
    assert agent._process.wait(DEADLINE) == 0
    assert stored(agent) == {"<half@example.net>": 1}
    idle.close()
    busy.close()


def test_client_that_says_nothing_more_is_cut_off_after_the_grace(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, environ={"DAGENT_LMTP_SHUTDOWN_GRACE": "1"}) as agent:
        agent.add_user("anna")
        silent = Session(agent)
        assert silent.announce("anna@example.org").startswith("354")
        silent.socket.sendall(content_of("half@example.net"))
        began = time.monotonic()
        assert agent.stop() == 0, agent.log()
        assert 0.8 < time.monotonic() - began < 5.0
        assert silent.reply() == ""
        assert not stored(agent)
        silent.close()


def test_hup_under_load_changes_settings_and_loses_nothing(agent: RunningAgent) -> None:
    with under_load(agent) as clients:
        for size in (1_000_001, 1_000_002, 1_000_003):
            agent.config.write_text(f"[lmtp]\nmax_message_size = {size}\n")
            agent.hang_up()
            wait_for(
                lambda size=size: size_offered(agent) == size, what="the new limit is in force"
            )
            wait_for_more(clients, 20)
        agent.config.write_text("[lmtp]\nmax_message_size = 'large'\n")
        agent.hang_up()
        wait_for(lambda: "settings not reloaded" in agent.log(), what="the error in the log")
        assert size_offered(agent) == 1_000_003
        wait_for_more(clients, 20)
    assert [client.farewell for client in clients] == [""] * CLIENTS
    assert agent.stop() == 0, agent.log()
    assert_nothing_lost(agent, clients)


def size_offered(agent: RunningAgent) -> int:
    """What a session that begins now is told with SIZE (RFC 1870), the last of our extensions."""
    session = Session(agent)
    reply = session.ask("LHLO client")
    session.close()
    return int(reply.removeprefix("250 SIZE "))


def test_restart_behind_a_socket_of_systemd_refuses_nobody(tmp_path: Path) -> None:
    """The listening socket outlives the agent: who connects meanwhile waits for the next one."""
    shell = shutil.which("sh")
    with RunningAgent(tmp_path) as agent, socket.create_server((HOST, free_port())) as listening:
        agent.add_user("anna")
        assert agent.stop() == 0
        agent.port = listening.getsockname()[1]

        def start() -> "subprocess.Popen[bytes]":
            command = [COMMANDS / "kopano-dagent", "-l", "--config", agent.config]
            with agent.log_file.open("ab") as log:
                return subprocess.Popen(
                    [shell, "-c", 'LISTEN_PID=$$ exec "$@" 3<&0', "sh", *command],
                    env={**os.environ, **agent.settings, "LISTEN_FDS": "1"},
                    stdin=listening.fileno(),
                    stdout=log,
                    stderr=log,
                )

        names = [f"{number}@example.net" for number in range(3)]
        for name in names:
            early: list[str] = []
            waiting = threading.Thread(target=send_one, args=(agent, name, early))
            waiting.start()  # nobody accepts yet
            process = start()
            waiting.join(DEADLINE)
            assert early == ["250"], agent.log()
            process.terminate()
            assert process.wait(DEADLINE) == 0
        assert stored(agent) == Counter(f"<{name}>" for name in names)


def send_one(agent: RunningAgent, name: str, replies: list[str]) -> None:
    session = Session(agent)
    if session.announce("anna@example.org").startswith("354"):
        session.socket.sendall(content_of(name) + b".\r\n")
        replies.append(session.reply()[:3])
    session.close()
