import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dagent.activation import Inherited, parse_activation, take_sockets
from delivery.lmtp_client import LmtpClient
from mailcore.errors import UsageError
from tests.support.agent import COMMANDS, HOST, RunningAgent
from tests.support.servers import free_port, missing_server
from tests.support.waiting import wait_for

PID = 77
DEADLINE = 30.0
MAIL = b"Subject: hello\r\n\r\nhello\r\n"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ()),
        ({"LISTEN_FDS": "1"}, ()),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "78"}, ()),
        ({"LISTEN_FDS": "0", "LISTEN_PID": "77"}, ()),
        ({"LISTEN_FDS": "0", "LISTEN_PID": "77", "LISTEN_FDNAMES": ""}, ()),
        ({"LISTEN_FDS": "1", "LISTEN_PID": "77"}, (Inherited(3, ""),)),
        (
            {"LISTEN_FDS": "2", "LISTEN_PID": "77", "LISTEN_FDNAMES": "lmtp:socketmap"},
            (Inherited(3, "lmtp"), Inherited(4, "socketmap")),
        ),
        (
            {"LISTEN_FDS": "2", "LISTEN_PID": "77", "LISTEN_FDNAMES": ":lmtp"},
            (Inherited(3, ""), Inherited(4, "lmtp")),
        ),
    ],
)
def test_variables(environ: dict[str, str], expected: tuple[Inherited, ...]) -> None:
    assert parse_activation(environ, PID) == expected


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"LISTEN_PID": "77"}, "LISTEN_FDS: expected the number of sockets, not ''"),
        ({"LISTEN_PID": "77", "LISTEN_FDS": "x"}, "LISTEN_FDS: expected the number"),
        ({"LISTEN_PID": "77", "LISTEN_FDS": "-1"}, "LISTEN_FDS: expected the number"),
        (
            {"LISTEN_PID": "77", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"},
            "LISTEN_FDNAMES: expected 2 names, not 1",
        ),
    ],
)
def test_variables_that_contradict_each_other(environ: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_activation(environ, PID)


def test_variables_are_gone_afterwards() -> None:
    environ = {"LISTEN_PID": "78", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "HOME": "/"}
    assert take_sockets(environ, PID) == {}
    assert environ == {"HOME": "/"}


@contextmanager
def activated(
    agent: RunningAgent, *options: str, command: Sequence[str | Path] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """A kopano-dagent that systemd's tool starts with the first connection to one of its sockets."""
    tool = shutil.which("systemd-socket-activate")
    if tool is None:
        missing_server("systemd")
    settings = [f"--setenv={name}={value}" for name, value in agent.settings.items()]
    agent_command = command or [COMMANDS / "kopano-dagent", "-l", "--config", agent.config]
    with agent.log_file.open("ab") as log:
        process = subprocess.Popen([tool, *options, *settings, *agent_command], stderr=log)
    try:
        wait_for(lambda: "Listening on" in agent.log(), timeout=DEADLINE, what="systemd listens")
        yield process
    finally:
        process.kill()
        process.wait(DEADLINE)


@pytest.fixture
def agent(tmp_path: Path) -> RunningAgent:
    """An agent that is not running; its own setting names a port that must stay unused."""
    made = RunningAgent(tmp_path)
    made.add_user("anna")
    return made


def test_mail_through_every_inherited_socket(agent: RunningAgent, tmp_path: Path) -> None:
    port, path = free_port(), tmp_path / "lmtp.sock"
    options = [f"--listen={HOST}:{port}", f"--listen={path}", "--fdname=lmtp:other"]
    clients = [
        LmtpClient(HOST, port, timeout=DEADLINE),
        LmtpClient(path=path, timeout=DEADLINE),
        LmtpClient(HOST, port, timeout=DEADLINE),
    ]
    with activated(agent, *options) as process:
        for number, client in enumerate(clients):
            with client:
                content = b"X-Number: %d\r\n" % number + MAIL
                (reply,) = client.send("ben@example.net", ["anna@example.org"], content)
                assert reply.code == 250, agent.log()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, agent.port), 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0, agent.log()
    assert f"LMTP on {HOST}:{port}, unix:{path}" in agent.log()
    assert path.is_socket(), "the path belongs to systemd"
    assert len(agent.mails("anna")) == 3


def test_inherited_socket_for_lookups_only(agent: RunningAgent) -> None:
    """A socket named socketmap takes no mail, and leaves `[lmtp] listen` in force."""
    port = free_port()
    with activated(agent, f"--listen={HOST}:{port}", "--fdname=socketmap") as process:
        with socket.create_connection((HOST, port), DEADLINE) as lookups:
            lookups.sendall(b"26:recipient anna@example.org,")
            assert lookups.recv(100) == b"19:OK anna@example.org,", agent.log()
        with agent.client() as client:
            (reply,) = client.send("ben@example.net", ["anna@example.org"], MAIL)
        assert reply.code == 250
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0, agent.log()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--accept"], "does not listen; use Accept=no"),
        (["--datagram"], "is no stream socket; use ListenStream="),
    ],
)
def test_socket_of_no_use_stops_the_start(
    agent: RunningAgent, options: list[str], words: str
) -> None:
    port = free_port()
    with activated(agent, f"--listen={HOST}:{port}", *options), ExitStack() as stack:
        kind = socket.SOCK_DGRAM if "--datagram" in options else socket.SOCK_STREAM
        client = stack.enter_context(socket.socket(socket.AF_INET, kind))
        client.connect((HOST, port))
        client.send(b"x")
        wait_for(lambda: words in agent.log(), timeout=DEADLINE, what=words)


def test_descriptor_that_is_no_socket(agent: RunningAgent) -> None:
    command = [COMMANDS / "kopano-dagent", "-l", "--config", agent.config]
    done = subprocess.run(
        ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@" 3</dev/null', "sh", *command],
        env={**os.environ, **agent.settings, "LISTEN_FDS": "1"},
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 78
    assert b"file descriptor 3 (without a name) from systemd is no socket" in done.stderr
