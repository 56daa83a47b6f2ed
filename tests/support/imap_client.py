"""An IMAP client that keeps what the server says: answers as lists of octets (RFC 3501 section 9).

Commands may be sent in one go before their answers are read, with LITERAL+ (RFC 7888).
"""

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Self, TypeAlias

TIMEOUT_SECONDS = 60.0

Value: TypeAlias = "str | bytes | list[Value] | None"
"""An atom or number, a string (quoted or a literal), a list, or NIL."""

_TOKEN = re.compile(
    rb' *(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*+)"|\{(?P<literal>[0-9]+)\}\r\n'
    rb'|(?P<atom>(?:\[[^\]]*+\](?:<[0-9]+>)?|[^ ()"\[\{\r\n])+))',
    re.DOTALL,
)
_LITERAL_ENDS_LINE = re.compile(rb"\{([0-9]+)\}\r\n\Z")


def parse_values(text: bytes) -> list[Value]:
    """Return the values that stand in a text of IMAP, separated by spaces or not.

    >>> parse_values(b'7 NIL ("a" {2}\\r\\nb))')
    ['7', None, [b'a', b'b)']]
    """
    outer: list[Value] = []
    lists = [outer]
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token, f"no IMAP at octet {at}: {text[at : at + 40]!r}"
        at = token.end()
        if token["open"]:
            lists.append([])
        elif token["close"]:
            closed = lists.pop()
            assert lists, f"a parenthesis too many before octet {at}"
            lists[-1].append(closed)
        elif token["literal"]:
            end = at + int(token["literal"])
            assert end <= len(text), f"a literal ends beyond the text: octet {end}"
            lists[-1].append(text[at:end])
            at = end
        else:
            lists[-1].append(_word(token))
    assert len(lists) == 1, "a parenthesis is missing"
    return outer


def _word(token: re.Match[bytes]) -> Value:
    if token["atom"]:
        return None if token["atom"].upper() == b"NIL" else token["atom"].decode()
    return re.sub(rb"\\(.)", rb"\1", token["quoted"], flags=re.DOTALL)


class ImapSession:
    """A session on a connection that has been greeted."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answers: BinaryIO = connection.makefile("rb")
        self._sent = 0
        self._read = 0
        greeting = self._answers.readline()
        assert greeting.startswith((b"* OK", b"* PREAUTH")), greeting

    @classmethod
    @contextmanager
    def connected(cls, host: str, port: int) -> Iterator[Self]:
        """A session with the server on a TCP port."""
        with socket.create_connection((host, port), TIMEOUT_SECONDS) as connection:
            session = cls(connection)
            with session._answers:
                yield session

    def run(self, command: str | bytes) -> list[list[Value]]:
        """Run one command, without tag and line end; return the untagged answers."""
        self.send(command)
        return self.answers()

    def send(self, command: str | bytes) -> None:
        """Send one command without waiting for its answers."""
        octets = command.encode() if isinstance(command, str) else command
        self._sent += 1
        self._connection.sendall(b"a%d %b\r\n" % (self._sent, octets))

    def answers(self) -> list[list[Value]]:
        """Return the untagged answers of the next command that was sent; it has to succeed."""
        self._read += 1
        tag = b"a%d " % self._read
        untagged: list[list[Value]] = []
        while not (line := self._line()).startswith(tag):
            assert line.startswith(b"* "), f"the server ended the session: {line!r}"
            if not re.match(rb"\* (OK|NO|BAD|CAPABILITY|FLAGS)\b", line):
                untagged.append(parse_values(line[2:-2]))
        assert line.startswith(tag + b"OK"), line
        return untagged

    def append(self, folder: str, messages: Sequence[bytes]) -> None:
        """Store messages in a folder, in one go."""
        for message in messages:
            self.send(b"APPEND %b {%d+}\r\n%b" % (folder.encode(), len(message), message))
        for _ in messages:
            self.answers()

    def fetch(self, numbers: str, items: str) -> list[dict[str, Value]]:
        """Return the items of messages of the selected folder, by their names and in order."""
        fetched = []
        for _, word, values in self.run(f"FETCH {numbers} ({items})"):
            assert word == "FETCH"
            assert isinstance(values, list)
            fetched.append(paired(values))
        return fetched

    def _line(self) -> bytes:
        line = self._answers.readline()
        while found := _LITERAL_ENDS_LINE.search(line[-20:]):
            line += self._answers.read(int(found[1])) + self._answers.readline()
        return line


def paired(values: Sequence[Value]) -> dict[str, Value]:
    """Names and values in turn, as FETCH answers them, as a dictionary."""
    names, items = values[::2], values[1::2]
    return {str(name): item for name, item in zip(names, items, strict=True)}
