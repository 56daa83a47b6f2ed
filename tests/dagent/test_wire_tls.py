"""STARTTLS: what may go wrong with the certificate, the handshake and the end; the dialogues are elsewhere."""

import logging
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagent.config_check import check_settings
from dagent.tls import load_certificate
from mailcore.errors import UsageError
from mailcore.settings import LmtpSettings, Settings
from tests.support.agent import HOST, RunningAgent
from tests.support.certificates import NAME, make_certificate, trusting
from tests.support.waiting import wait_for

DEADLINE = 10.0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def settings_with(certificate: Path | str, key: Path | str = "") -> LmtpSettings:
    return LmtpSettings(tls_certificate=str(certificate), tls_key=str(key))


@pytest.fixture
def start_secure(start_server: Any, certificate: Path) -> Callable[..., Any]:
    """Start servers that offer STARTTLS."""
    settings = settings_with(certificate, certificate.with_suffix(".key"))
    return lambda **limits: start_server(load_certificate(settings), **limits)


def lines(connection: socket.socket, last: str) -> list[str]:
    """What the server says, up to a line that begins so."""
    heard = b""
    while not heard.rpartition(b"\r\n")[0].rpartition(b"\r\n")[2].startswith(last.encode()):
        block = connection.recv(4096)
        assert block, heard
        heard += block
    return heard.decode().splitlines()


def begun(port: int) -> socket.socket:
    """A connection after the 220 to STARTTLS."""
    connection = socket.create_connection((HOST, port), DEADLINE)
    lines(connection, "220 ")
    connection.sendall(b"STARTTLS\r\n")
    lines(connection, "220 2.0.0")
    return connection


def secured(port: int, certificate: Path) -> ssl.SSLSocket:
    return trusting(certificate).wrap_socket(begun(port), server_hostname=NAME)


@pytest.mark.parametrize(("utf8", "protocol"), [("", "LMTPS"), (" SMTPUTF8", "UTF8LMTPS")])
def test_the_protocol_of_the_envelope(
    start_secure: Callable[..., Any], certificate: Path, utf8: str, protocol: str
) -> None:
    server = start_secure()
    with secured(server.port, certificate) as connection:
        connection.sendall(f"LHLO me\r\nMAIL FROM:<a@x>{utf8}\r\n".encode())
        connection.sendall(b"RCPT TO:<anna>\r\nBDAT 2 LAST\r\nhi")
        lines(connection, "250 2.1.5 delivered")
    assert server.postman.delivered[0][0].protocol == protocol


def test_a_large_message_inside_tls(start_secure: Callable[..., Any], certificate: Path) -> None:
    server, content = start_secure(), bytes(range(256)) * 8000 + b"\r\n"
    with secured(server.port, certificate) as connection:
        connection.sendall(b"LHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<anna>\r\nDATA\r\n")
        lines(connection, "354")
        connection.sendall(content + b".\r\n")
        lines(connection, "250 2.1.5 delivered")
    assert server.postman.delivered[0][2] == content


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_what_waits_for_a_delivery_is_not_piled_up(
    start_secure: Callable[..., Any], certificate: Path, tls: bool
) -> None:
    server = start_secure()
    server.postman.gate.clear()
    plain = socket.create_connection((HOST, server.port), DEADLINE)
    with secured(server.port, certificate) if tls else plain as connection:
        connection.sendall(b"LHLO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<anna>\r\nBDAT 2 LAST\r\nhi")
        assert server.postman.started.wait(DEADLINE)
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            for _ in range(64):
                connection.sendall(bytes(1024 * 1024))
    plain.close()


def test_plain_text_instead_of_a_handshake_ends_the_session(
    start_secure: Callable[..., Any], eventually: Callable[..., None], caplog: Any
) -> None:
    server = start_secure()
    with caplog.at_level(logging.INFO), begun(server.port) as connection:
        connection.sendall(b"MAIL FROM:<evil@x.example>\r\n")
        assert b"250" not in b"".join(iter(lambda: connection.recv(4096), b""))
        eventually(lambda: server.server.sessions == 0)
    assert "connection lost: no TLS: " in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_a_handshake_that_failed_is_counted_once(
    start_secure: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    server = start_secure(sessions_per_host=1)
    with begun(server.port) as connection:
        connection.sendall(b"no handshake\r\n")
        eventually(lambda: server.server.sessions == 0)
    with begun(server.port), socket.create_connection((HOST, server.port), DEADLINE) as second:
        assert second.recv(100).startswith(b"421 4.7.0")


@pytest.mark.parametrize(
    "last", [b"NOOP\r\n", b"MAIL FROM:<a@x>\r\nRCPT TO:<anna>\r\nBDAT 9\r\nhalf"]
)
def test_a_client_that_leaves_inside_tls(
    start_secure: Callable[..., Any],
    certificate: Path,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    last: bytes,
) -> None:
    server = start_secure()
    with caplog.at_level(logging.INFO), secured(server.port, certificate) as connection:
        connection.sendall(b"LHLO me\r\n" + last)
        lines(connection, "250 2.")
        connection.unwrap().close()
        eventually(lambda: server.server.sessions == 0)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
    assert server.postman.delivered == []


@pytest.mark.parametrize("abort", [False, True])
def test_a_client_that_leaves_during_the_handshake(
    start_secure: Callable[..., Any], eventually: Callable[..., None], abort: bool
) -> None:
    server = start_secure()
    connection = begun(server.port)
    if abort:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    eventually(lambda: server.server.sessions == 0)


def test_a_handshake_may_take_the_idle_time(
    start_secure: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    server = start_secure(idle_timeout=0.2)
    with begun(server.port) as connection:
        assert connection.recv(1) == b""
        eventually(lambda: server.server.sessions == 0)


def test_an_idle_client_is_sent_away_inside_tls(
    start_secure: Callable[..., Any], certificate: Path, eventually: Callable[..., None]
) -> None:
    server = start_secure(idle_timeout=0.2)
    with secured(server.port, certificate) as connection:
        assert connection.recv(100).startswith(b"421 4.4.2")
        assert connection.recv(100) == b""
        connection.unwrap()
    eventually(lambda: server.server.sessions == 0)


def test_drain_ends_sessions_inside_tls_and_in_the_handshake(
    start_secure: Callable[..., Any], certificate: Path, eventually: Callable[..., None]
) -> None:
    server = start_secure()
    with secured(server.port, certificate) as idle, begun(server.port) as shaking:
        idle.sendall(b"NOOP\r\n")
        assert idle.recv(100).startswith(b"250 ")
        drained = server.start(server.server.drain(0.3))
        assert idle.recv(100).startswith(b"421 4.3.2")
        idle.unwrap().close()
        assert drained.result(DEADLINE) is False  # the handshake never came to its end
        assert shaking.recv(1) == b""
        eventually(lambda: server.server.sessions == 0)


def test_a_renewed_certificate_is_for_sessions_that_begin_later(
    start_secure: Callable[..., Any], certificate: Path, tmp_path: Path
) -> None:
    server = start_secure()
    renewed = make_certificate(tmp_path)
    old = begun(server.port)
    server.server.certificate = load_certificate(
        settings_with(renewed, renewed.with_suffix(".key"))
    )
    trusting(certificate).wrap_socket(old, server_hostname=NAME).close()
    secured(server.port, renewed).close()


def test_one_file_may_hold_the_certificate_and_its_key(certificate: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + certificate.with_suffix(".key").read_bytes())
    assert load_certificate(settings_with(both)) is not None


def test_without_a_certificate_there_is_no_tls() -> None:
    assert load_certificate(LmtpSettings()) is None


def test_what_cannot_be_a_certificate_is_named(certificate: Path, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other").with_suffix(".key")
    locked, text = tmp_path / "locked.key", tmp_path / "text"
    with_password = ["openssl", "pkey", "-in", other, "-out", locked, "-aes128"]
    subprocess.run([*with_password, "-passout", "pass:secret"], check=True, capture_output=True)
    text.write_text("no PEM")
    for settings, words in (
        (settings_with(tmp_path / "missing.pem"), "tls_certificate: .*missing.pem cannot be read"),
        (settings_with(certificate, tmp_path / "missing"), "tls_key: .*missing cannot be read"),
        (settings_with(tmp_path), "tls_certificate: .* cannot be read: Is a directory"),
        (settings_with(text), "tls_certificate: expected a PEM file .* not .*text"),
        (settings_with(certificate), "tls_certificate: expected a PEM file"),
        (settings_with(certificate, other), r"tls_certificate: .*KEY_VALUES_MISMATCH"),
        (settings_with(certificate, locked), "tls_key: the key has a password"),
        (settings_with("", other), "tls_key: a key needs its certificate"),
    ):
        with pytest.raises(UsageError, match=rf"^\[lmtp\] {words}"):
            load_certificate(settings)
        with pytest.raises(UsageError, match=rf"^\[lmtp\] {words}"):
            check_settings(Settings(lmtp=settings))


def test_an_agent_takes_a_renewed_certificate_over_with_a_hangup(tmp_path: Path) -> None:
    first = make_certificate(tmp_path)
    environ = {
        "DAGENT_LMTP_TLS_CERTIFICATE": str(first),
        "DAGENT_LMTP_TLS_KEY": str(first.with_suffix(".key")),
    }
    with RunningAgent(tmp_path, environ=environ) as agent:
        trust = trusting(first)
        trust.wrap_socket(begun(agent.port), server_hostname=NAME).close()
        first.write_text("half written")
        agent.hang_up()
        wait_for(lambda: "tls_certificate: expected a PEM file" in agent.log(), what="a complaint")
        trust.wrap_socket(begun(agent.port), server_hostname=NAME).close()
        renewed = make_certificate(tmp_path)
        agent.hang_up()
        wait_for(lambda: "settings reloaded" in agent.log(), what="the settings are reloaded")
        secured(agent.port, renewed).close()
        with pytest.raises(ssl.SSLCertVerificationError):
            trust.wrap_socket(begun(agent.port), server_hostname=NAME)
