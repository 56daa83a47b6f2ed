"""The scripts in dialogues/, over TCP, over a unix socket and inside TLS; those in starttls/ begin TLS themselves."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dagent.listening import open_listener
from dagent.tls import load_certificate
from mailcore.listen import UnixAddress
from mailcore.settings import LmtpSettings
from tests.support.certificates import make_certificate, trusting
from tests.support.dialogue import Dialogue, Player, load_dialogue

SCRIPTS = Path(__file__).parent / "dialogues"
PLAIN = [load_dialogue(path) for path in sorted(SCRIPTS.glob("*.txt"))]
STARTTLS = [load_dialogue(path) for path in sorted((SCRIPTS / "starttls").glob("*.txt"))]
DEADLINE = 10.0

Play = Callable[..., None]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def play(start_server: Any, certificate: Path, tmp_path: Path) -> Iterator[Play]:
    """Play a dialogue with a server of its own."""
    trust = trusting(certificate)
    players: list[Player] = []

    def play_it(dialogue: Dialogue, *, unix: bool, tls: bool, inside_tls: bool = False) -> None:
        server = start_server(_context(certificate) if tls else None, **dialogue.limits)
        connection = _unix(server, tmp_path) if unix else _tcp(server)
        delivered = iter(server.postman.delivered)
        player = Player(connection, trust, lambda: _told(next(delivered)))
        players.append(player)
        player.play(dialogue, inside_tls=inside_tls)
        assert list(delivered) == [], "more was delivered than the script tells"

    yield play_it
    for player in players:
        player.close()


def _context(certificate: Path) -> ssl.SSLContext | None:
    key = certificate.with_suffix(".key")
    return load_certificate(LmtpSettings(tls_certificate=str(certificate), tls_key=str(key)))


def _tcp(server: Any) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), DEADLINE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _unix(server: Any, directory: Path) -> socket.socket:
    path = directory / "lmtp.sock"
    server.call(open_listener(server.server, UnixAddress(path), "listen", LmtpSettings()))
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(DEADLINE)
    connection.connect(str(path))
    return connection


def _told(delivered: tuple[Any, list[str], bytes]) -> str:
    """A message that was delivered, as a script tells it."""
    envelope, recipients, content = delivered
    assert list(envelope.rcpt_tos) == recipients
    shown = content.decode("latin-1").encode("unicode_escape").decode()
    return f"{envelope.mail_from} -> {' '.join(recipients)}: {shown}"


@pytest.mark.parametrize("dialogue", PLAIN, ids=lambda dialogue: dialogue.name)
@pytest.mark.parametrize("way", ["tcp", "unix", "tls"])
def test_dialogue(play: Play, dialogue: Dialogue, way: str) -> None:
    play(dialogue, unix=way == "unix", tls=way == "tls", inside_tls=way == "tls")


@pytest.mark.parametrize("dialogue", STARTTLS, ids=lambda dialogue: dialogue.name)
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_dialogue_that_begins_tls(play: Play, dialogue: Dialogue, unix: bool) -> None:
    play(dialogue, unix=unix, tls=True)
