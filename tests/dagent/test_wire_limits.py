"""How many may come, from where, and through which sockets."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagent.agent import limits_of
from dagent.listening import open_listener
from dagent.lmtp_commands import LmtpLimits
from dagent.lmtp_connection import address_literal
from delivery.lmtp_client import LmtpClient
from mailcore.listen import UnixAddress
from mailcore.settings import LmtpSettings
from tests.support.agent import HOST, RunningAgent
from tests.support.servers import free_port

DEADLINE = 10.0
TOO_MANY_FROM_HOST = "421 4.7.0 too many sessions from your host"


def greeting(connection: socket.socket) -> str:
    """What the server says first."""
    with connection.makefile("rb") as file:
        return file.readline().decode()


def tcp(port: int, source: str = HOST) -> socket.socket:
    return socket.create_connection((HOST, port), DEADLINE, (source, 0))


def unix(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(DEADLINE)
    connection.connect(str(path))
    return connection


def test_each_host_has_its_number_of_sessions(
    start_server: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    server = start_server(sessions_per_host=2)
    with tcp(server.port) as first, tcp(server.port) as second:
        assert greeting(first)[:4] == greeting(second)[:4] == "220 "
        with tcp(server.port) as third, tcp(server.port, "127.0.0.2") as elsewhere:
            assert greeting(third).startswith(TOO_MANY_FROM_HOST)
            assert third.recv(1) == b""
            assert greeting(elsewhere).startswith("220 ")
    eventually(lambda: server.server.sessions == 0)
    with tcp(server.port) as again:
        assert greeting(again).startswith("220 ")


def test_unix_sockets_are_no_host(start_server: Callable[..., Any], tmp_path: Path) -> None:
    server, path = start_server(sessions=3, sessions_per_host=1), tmp_path / "lmtp.sock"
    server.call(open_listener(server.server, UnixAddress(path), "listen", LmtpSettings()))
    with unix(path) as first, unix(path) as second, tcp(server.port) as third:
        assert {greeting(one)[:4] for one in (first, second, third)} == {"220 "}
        with tcp(server.port) as fourth, unix(path) as fifth:
            assert greeting(fourth).startswith("421 4.3.2 too many sessions")
            assert greeting(fifth).startswith("421 4.3.2 too many sessions")


def test_clients_that_are_sent_away_are_in_the_log(
    start_server: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    server = start_server(sessions_per_host=0)
    with tcp(server.port) as connection:
        assert greeting(connection).startswith(TOO_MANY_FROM_HOST)
    assert f"[{HOST}]: sent away: {TOO_MANY_FROM_HOST}" in caplog.text


@pytest.mark.parametrize(
    ("peername", "literal"),
    [
        (("192.0.2.1", 1234), "[192.0.2.1]"),
        (("2001:db8::1", 1234, 0, 0), "[IPv6:2001:db8::1]"),
        (("::ffff:192.0.2.1", 1234, 0, 0), "[192.0.2.1]"),
        ("", "local"),
        (None, "local"),
    ],
)
def test_a_peer_has_one_address(peername: object, literal: str) -> None:
    assert address_literal(peername) == literal


def test_every_limit_has_its_setting() -> None:
    settings = LmtpSettings(
        max_message_size=1,
        max_recipients=2,
        idle_timeout=3.0,
        max_commands=4,
        max_sessions=5,
        max_sessions_per_host=6,
    )
    assert limits_of(settings) == LmtpLimits(
        message_size=1,
        recipients=2,
        idle_timeout=3.0,
        commands=4,
        sessions=5,
        sessions_per_host=6,
    )
    assert limits_of(LmtpSettings()) == LmtpLimits()


def test_an_agent_listens_in_several_places(tmp_path: Path) -> None:
    path, port = tmp_path / "lmtp.sock", free_port()
    agent = RunningAgent(tmp_path)
    agent.settings["DAGENT_LMTP_LISTEN"] = f"{HOST}:{agent.port}, [::1]:{port} unix:{path}"
    with agent:
        assert f"LMTP on {HOST}:{agent.port}, [::1]:{port}, unix:{path}" in agent.log()
        agent.add_user("anna")
        for number, client in enumerate(
            (LmtpClient(HOST, agent.port), LmtpClient("::1", port), LmtpClient(path=path))
        ):
            with client as session:
                content = f"Subject: {number}\r\n\r\n".encode()
                (reply,) = session.send("a@example.net", ["anna@example.org"], content)
                assert reply.positive
        assert len(agent.mails("anna")) == 3
        assert agent.stop() == 0
    assert not path.exists()


def test_one_address_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        taken = f"{HOST}:{other.getsockname()[1]}"
        agent = RunningAgent(tmp_path)
        agent.settings["DAGENT_LMTP_LISTEN"] = f"{HOST}:{agent.port}, {taken}"
        assert agent.run("kopano-dagent", "-l").wait(30) == 78
    assert f"[lmtp] listen: cannot listen on {taken}: " in agent.log()
