"""Scripted LMTP dialogues, readable as such, played on a real connection.

A line begins with a letter and a colon:

    C: a command; lines that follow each other are sent in one write
    R: octets without a line end of their own, sent with the lines around them
    S: what the server says next; the reply's line begins with this
    D: what has been delivered next: sender -> recipients: content
    X: `closed`, the server has hung up; `tls`, both sides begin TLS

In C, R and D lines a backslash escapes, as in a Python string.  `LIMITS name=number` at the top sets limits of the
server; # begins a comment.  At the end of the script the client closes its side, and the server must have said all.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.certificates import NAME

GREETING = "220 mail.example LMTP ready"
Delivered = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A script: `steps` are letter, text and number of each line; `limits` are LmtpLimits' keywords."""

    name: str
    steps: tuple[tuple[str, str, int], ...]
    limits: dict[str, int]


def load_dialogue(path: Path) -> Dialogue:
    """Read a script; raises ValueError for a line that is none."""
    steps: list[tuple[str, str, int]] = []
    limits: dict[str, int] = {}
    for number, line in enumerate(path.read_text("ascii").splitlines(), 1):
        if line.startswith("LIMITS "):
            limits |= {name: int(value) for name, value in _pairs(line)}
        elif line and not line.startswith("#"):
            letter, colon, text = line.partition(":")
            if letter not in {"C", "R", "S", "D", "X"} or not colon:
                raise ValueError(f"{path}:{number}: no line of a dialogue: {line!r}")
            steps.append((letter, text.removeprefix(" "), number))
    return Dialogue(path.stem, tuple(steps), limits)


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    for word in line.split()[1:]:
        name, _, value = word.partition("=")
        yield name, value


class Player:
    """The client's side of a dialogue; `trust` is for TLS, `delivered` tells the next message."""

    def __init__(
        self, connection: socket.socket, trust: ssl.SSLContext | None, delivered: Delivered
    ) -> None:
        self._socket = connection
        self._trust = trust
        self._delivered = delivered
        self._file: Any = connection.makefile("rb")
        self._out = b""

    def play(self, dialogue: Dialogue, *, inside_tls: bool = False) -> None:
        """Play it; inside TLS the greeting has been said before."""
        steps = dialogue.steps
        if inside_tls:
            self._enter_tls()
            assert steps[0][:2] == ("S", GREETING)
            steps = steps[1:]
        for letter, text, number in steps:
            self._step(letter, text, f"{dialogue.name}, line {number}")
        self._finish(dialogue.name)

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _step(self, letter: str, text: str, where: str) -> None:
        match letter:
            case "C":
                self._out += octets(text) + b"\r\n"
            case "R":
                self._out += octets(text)
            case "S":
                said = self._line()
                assert said.startswith(text), f"{where}: expected {text!r}, heard {said!r}"
            case "D":
                assert self._delivered() == text, where
            case "X" if text == "tls":
                self._begin_tls()
            case "X" if text == "closed":
                assert self._line() == "", where
            case _:
                raise ValueError(f"{where}: {letter}: {text}")

    def _enter_tls(self) -> None:
        for command, answer in (("", GREETING), ("LHLO outside\r\n", "250-mail.example")):
            self._out = command.encode()
            assert self._line().startswith(answer)
        while self._line().startswith("250-"):
            pass
        self._out = b"STARTTLS\r\n"
        assert self._line().startswith("220 2.0.0")
        self._begin_tls()

    def _begin_tls(self) -> None:
        self._flush()
        assert self._trust is not None
        self._file.close()
        self._socket = self._trust.wrap_socket(self._socket, server_hostname=NAME)
        self._file = self._socket.makefile("rb")

    def _finish(self, name: str) -> None:
        self._flush()
        self._socket.shutdown(socket.SHUT_WR)
        assert self._file.read() == b"", f"{name}: the server says more than expected"

    def _line(self) -> str:
        self._flush()
        line: bytes = self._file.readline()
        return line.decode("ascii").removesuffix("\r\n")

    def _flush(self) -> None:
        if self._out:
            self._socket.sendall(self._out)
            self._out = b""


def octets(text: str) -> bytes:
    """The octets that a line of a script means."""
    return text.encode().decode("unicode_escape").encode("latin-1")
