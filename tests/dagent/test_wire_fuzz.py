"""Whatever a client sends, and however the network cuts it: the replies that are due, in their order, and no others.

What is due is told by a second, slow reading of the same octets, which has the whole stream before it.
"""

import contextlib
import logging
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagent.lmtp_commands import CommandRefusedError, LmtpLimits, parse_recipient, parse_sender
from tests.dagent.conftest import DEADLINE, ServerThread

LIMITS = LmtpLimits(
    message_size=30,
    recipients=3,
    command_length=80,
    bad_commands=8,
    commands=25,
    idle_timeout=DEADLINE,
)
RESOLVED = {"nobody": "550 5.1.1", "down": "451 4.3.0", "bug": "451 4.3.0"}
LINES = [
    *(b"LHLO me", b"LHLO", b"HELO me", b"NOOP", b"RSET", b"RSET x", b"VRFY a", b"DATA", b"DATA x"),
    *(b"STARTTLS", b"", b"GET / HTTP/1.1", b"NOOP\xff", b"NOOP\0", b"NO\rOP", b"QUIT", b"."),
    *(b"MAIL FROM:<a@x>", b"MAIL FROM:<a@x> SIZE=31", b"MAIL FROM:<>", b"MAIL x"),
    *(b"MAIL FROM:<explode@x.example>", b"MAIL FROM:<short@x.example>"),
    *(b"RCPT TO:<anna@x>", b"RCPT TO:<berta>", b"RCPT TO:<nobody@x>", b"RCPT TO:<down>"),
    *(b"BDAT 4", b"BDAT 0", b"BDAT 3 LAST", b"BDAT 0 LAST", b"BDAT 31", b"BDAT 2 FIRST", b"BDAT x"),
]
MAIL_OF_MISHAPS = (
    b"MAIL FROM:<explode@x.example>\r\nRCPT TO:<a>\r\nRCPT TO:<nobody>\r\nRCPT TO:<b>\r\n"
)
TRANSACTION = b"MAIL FROM:<a@x>\r\nRCPT TO:<anna@x>\r\n"
TWO = TRANSACTION + b"RCPT TO:<berta>\r\n"
BEGINNINGS = [
    *(TRANSACTION, TWO, TWO + b"DATA\r\n", TWO + b"DATA\r\nhi\r\n.\r\n", TWO + b"BDAT 2\r\nok"),
    *(b"BDAT 2\r\nok", b"BDAT 2 LAST\r\nok", b"BDAT 31 LAST\r\n" + b"x" * 31, b"BDAT 1 X\r\nx"),
    MAIL_OF_MISHAPS,
]
ODD = [b"\r", b"\n", b".", b"\r\n.", b"\r\n.\r\n", b"\0", b"\xff", b"a" * 31, b"x" * 79, b"NOOP"]
PIECE = (
    st.sampled_from(BEGINNINGS)
    | st.sampled_from([line + b"\r\n" for line in LINES])
    | st.sampled_from(ODD)
    | st.binary(max_size=6)
)
STREAM = st.lists(PIECE, max_size=40).map(lambda pieces: b"".join([b"LHLO me\r\n", *pieces]))


@dataclass
class Reading:
    """The second reading: replies as far as their codes, and the messages that are delivered."""

    stream: bytes
    replies: list[str] = field(default_factory=lambda: ["220"])
    delivered: list[tuple[str, bytes]] = field(default_factory=list)
    bad: int = 0
    commands: int = 0
    helo: bool = False
    sender: str | None = None
    rcpts: list[str] = field(default_factory=list)
    chunks: bytes | None = None
    refusal: str = ""

    def read(self) -> None:
        """Read it to its end, or to the end of the session."""
        while (line := self._next_line()) is not None:
            if isinstance(line, str):
                over = self._bad(line)
            elif self.commands >= LIMITS.commands:
                self.replies.append("421 4.7.0")
                return
            else:
                self.commands += 1
                over = self._obey(line)
            if over:
                return

    def _next_line(self) -> bytes | str | None:
        """The next line; a reply if it is none, None at the end."""
        line, end, rest = self.stream.partition(b"\r\n")
        stray = re.search(rb"(?<!\r)\n", line)
        if not end:
            self.stream = b""
            return "500 5.5.2" if stray or len(line) >= LIMITS.command_length else None
        self.stream = rest
        if set(line) & set(b"\r\n\0") or len(line) + 2 > LIMITS.command_length:
            return "500 5.5.2"
        return line

    def _bad(self, reply: str) -> bool:
        self.bad += 1
        self.replies.append(reply if self.bad < LIMITS.bad_commands else "421 4.7.0")
        return self.bad >= LIMITS.bad_commands

    def _obey(self, line: bytes) -> bool:
        try:
            verb, _, argument = line.decode().partition(" ")
        except UnicodeDecodeError:
            return self._bad("500 5.5.2")
        argument = argument.strip(" ")
        match verb.upper():
            case "DATA":
                return self._data(argument)
            case "BDAT":
                return self._bdat(argument)
            case "STARTTLS" | "HELP" | "EXPN" | "AUTH":
                return self._bad("502 5.5.1")
            case known:
                reply = self._simple(known, argument)
        if reply.startswith("500"):
            return self._bad(reply)
        self.replies.append(reply)
        return reply.startswith("221")

    def _simple(self, verb: str, argument: str) -> str:
        match verb:
            case "LHLO":
                return self._lhlo(argument)
            case "MAIL":
                return self._mail(argument)
            case "RCPT":
                return self._rcpt(argument)
            case "RSET" if not argument:
                self._reset()
                return "250 2.0.0"
            case "QUIT" if not argument:
                return "221 2.0.0"
            case "RSET" | "QUIT":
                return "501 5.5.4"
            case "NOOP":
                return "250 2.0.0"
            case "VRFY":
                return "252 2.5.0" if argument else "501 5.5.4"
        return "500 5.5.1"

    def _lhlo(self, argument: str) -> str:
        if len(argument.split()) != 1 or not argument.isprintable():
            return "501 5.5.4"
        self._reset()
        self.helo = True
        return "250"

    def _mail(self, argument: str) -> str:
        if not self.helo or (self.sender is not None and not self.refusal):
            return "503 5.5.1"
        try:
            sender = parse_sender(argument, LIMITS.message_size)
        except CommandRefusedError as refused:
            return str(refused.reply)[:9]
        self._reset()
        self.sender = sender.address
        return "250 2.1.0"

    def _rcpt(self, argument: str) -> str:
        if self.sender is None or self.chunks is not None:
            return "503 5.5.1"
        try:
            address = parse_recipient(argument)
        except CommandRefusedError as refused:
            return str(refused.reply)[:9]
        if len(self.rcpts) == LIMITS.recipients:
            return "452 4.5.3"
        if refused := RESOLVED.get(address.partition("@")[0]):
            return refused
        self.commands -= 1
        self.rcpts.append(address)
        return "250 2.1.5"

    def _data(self, argument: str) -> bool:
        if argument or not self.rcpts or self.chunks is not None:
            self.replies.append("501 5.5.4" if argument else "503 5.5.1")
            return False
        self.replies.append("354")
        text, end, rest = (b"\r\n" + self.stream).partition(b"\r\n.\r\n")
        if not end:
            return True
        self.stream = rest
        content = (text + b"\r\n").replace(b"\r\n.", b"\r\n")[2:]
        self._deliver(content, "552 5.3.4" if len(content) > LIMITS.message_size else "")
        return False

    def _bdat(self, argument: str) -> bool:
        match = re.fullmatch(r"([0-9]{1,20})( +.*)?", argument)
        if match is None:
            self.replies.append("501 5.5.4")
            return True
        size, word = int(match[1]), (match[2] or "").strip().upper()
        if len(self.stream) < size:
            return True
        octets, self.stream = self.stream[:size], self.stream[size:]
        if self.sender is None:
            self.replies.append("503 5.5.1")
            return False
        self.chunks = (self.chunks or b"") + octets
        self.refusal = self._refusal_of_chunk(word)
        if word == "LAST":
            self._deliver(self.chunks, self.refusal)
            return False
        self.commands -= bool(size and not self.refusal)
        self.replies.append(self.refusal or "250 2.0.0")
        return False

    def _refusal_of_chunk(self, word: str) -> str:
        assert self.chunks is not None
        if not self.rcpts:
            return "503 5.5.1"
        if self.refusal:
            return self.refusal if self.refusal.startswith("552") else "503 5.5.1"
        if word not in {"", "LAST"}:
            return "501 5.5.4"
        return "552 5.3.4" if len(self.chunks) > LIMITS.message_size else ""

    def _deliver(self, content: bytes, refusal: str) -> None:
        if not refusal and self.sender == "explode@x.example":
            refusal = "451 4.3.0"
        if not refusal and self.sender == "short@x.example" and len(self.rcpts) > 1:
            refusal = "451 4.3.0"
        elif not refusal and self.rcpts and self.sender != "short@x.example":
            self.delivered.append((self.sender or "", content))
        self.replies += [refusal or "250 2.1.5"] * len(self.rcpts)
        self._reset()
        self.commands = 0

    def _reset(self) -> None:
        self.sender, self.rcpts, self.chunks, self.refusal = None, [], None, ""


class Errors(logging.Handler):
    """What the session logs about itself when something unexpected was raised."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("dagent.postman"):  # the postman fails on purpose
            self.seen.append(record.getMessage())


@pytest.fixture(scope="module")
def running() -> Iterator[ServerThread]:
    server = ServerThread(LIMITS)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def errors() -> Iterator[list[str]]:
    handler = Errors()
    logging.getLogger().addHandler(handler)
    yield handler.seen
    logging.getLogger().removeHandler(handler)


def converse(port: int, blocks: Sequence[bytes]) -> list[str]:
    """Send the blocks, close our side, and return the codes of all replies."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for block in blocks:
            connection.sendall(block)
        with contextlib.suppress(OSError):  # ENOTCONN: the server has hung up
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    *lines, rest = answer.decode("ascii").split("\r\n")
    assert rest == ""
    assert all(re.match(r"[2-5][0-9]{2}[ -][ -~]*\Z", line) for line in lines)
    # Of LHLO's many lines, and of 220 and 354, only the code counts: nothing enhanced stands there.
    return [re.match(r"(\d{3}(?: \d\.\d\.\d)?)", line)[1] for line in lines if line[3] == " "]  # type: ignore[index]


@settings(max_examples=400, deadline=None)
@given(stream=STREAM, places=st.lists(st.integers(min_value=0), max_size=6))
def test_any_stream_gets_the_replies_that_are_due(
    running: ServerThread, errors: list[str], stream: bytes, places: list[int]
) -> None:
    expected = Reading(stream)
    expected.read()
    running.postman.delivered.clear()
    # What is sent after the end of the session has to come with its last line: else the connection is reset.
    heeded = len(stream) - len(expected.stream)
    edges = sorted({0, len(stream), *(place % heeded for place in places)})
    heard = converse(running.port, [stream[a:b] for a, b in pairwise(edges)])
    assert heard == expected.replies
    assert [(e.mail_from, c) for e, _, c in running.postman.delivered] == expected.delivered
    assert errors == []
