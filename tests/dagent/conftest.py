"""An LMTP server on a thread of its own, a postman that does as told, and a raw client."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from dagent.lmtp import LmtpLimits, LmtpServer, serve
from mailcore.envelope import Envelope
from mailcore.errors import NoSuchRecipientError, RecipientRefusedError, TemporaryError
from mailcore.reply import DELIVERED, LmtpReply

DEADLINE = 10.0

_RESOLVE_ERRORS = {
    "nobody": NoSuchRecipientError("unknown"),
    "refused": RecipientRefusedError("", LmtpReply(550, "5.1.0", "not\r\nhere, bücher")),
    "down": TemporaryError("directory down"),
    "bug": RuntimeError("bug"),
    "offline": ConnectionResetError("directory reset"),
}


class ScriptedPostman:
    """Delivers to a list; local parts and senders make it fail on purpose."""

    def __init__(self) -> None:
        self.delivered: list[tuple[Envelope, list[str], bytes]] = []
        self.asked: list[tuple[str, int | None]] = []
        self.started = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    async def resolve(self, address: str, size: int | None = None) -> str:
        self.asked.append((address, size))
        error = _RESOLVE_ERRORS.get(address.partition("@")[0])
        if error is not None:
            raise error
        return address

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[Any], content: bytes
    ) -> Sequence[LmtpReply]:
        self.started.set()
        if not self.gate.is_set():
            await asyncio.to_thread(self.gate.wait, DEADLINE)
        if envelope.mail_from == "explode@x.example":
            raise RuntimeError("disk on fire")
        if envelope.mail_from == "short@x.example":
            return [DELIVERED]
        self.delivered.append((envelope, list(recipients), content))
        return [LmtpReply(250, "2.1.5", f"delivered to {r}") for r in recipients]


class ServerThread:
    """A server in its own event loop."""

    def __init__(self, limits: LmtpLimits, certificate: ssl.SSLContext | None = None) -> None:
        self.postman = ScriptedPostman()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.server: LmtpServer = self.call(
            serve(self.postman, "127.0.0.1", 0, "mail.example", limits)
        )
        self.server.certificate = certificate
        self.port = self.server.port

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE)

    def start(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def stop(self) -> None:
        self.postman.gate.set()
        self.call(self.server.drain(0.2))
        wait_for(lambda: self.server.sessions == 0)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(DEADLINE)
        self.loop.close()


class Wire:
    """A client that says exactly what it is told."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> str:
        """The next reply; its lines joined by |; empty at the end of the connection."""
        lines = []
        while True:
            line = self._file.readline().decode().removesuffix("\r\n")
            lines.append(line)
            if line[3:4] != "-":
                return "|".join(lines)

    def replies(self, count: int) -> list[str]:
        return [self.reply() for _ in range(count)]

    def ask(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def hello(self) -> "Wire":
        assert self.reply() == "220 mail.example LMTP ready"
        assert self.ask("LHLO client.example").startswith("250-mail.example|")
        return self

    def transaction(self, *rcpt_tos: str, mail_from: str = "a@x.example") -> None:
        """Everything up to and including the 354."""
        commands = [f"MAIL FROM:<{mail_from}>", *(f"RCPT TO:<{r}>" for r in rcpt_tos), "DATA"]
        self.send("".join(f"{c}\r\n" for c in commands).encode())
        assert self.replies(len(commands))[-1].startswith("354 ")

    def close(self) -> None:
        self._file.close()
        self.socket.close()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "condition not reached in time"
        time.sleep(0.005)


@pytest.fixture
def start_server() -> Iterator[Callable[..., ServerThread]]:
    """Start servers with the limits given as keywords; all are stopped in the end."""
    servers: list[ServerThread] = []

    def start(certificate: ssl.SSLContext | None = None, **limits: Any) -> ServerThread:
        servers.append(ServerThread(LmtpLimits(**limits), certificate))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start_server: Callable[..., ServerThread]) -> ServerThread:
    return start_server(message_size=100_000, recipients=5, command_length=600)


@pytest.fixture
def connect() -> Iterator[Callable[[ServerThread], Wire]]:
    """Open raw connections; all are closed in the end."""
    with contextlib.ExitStack() as stack:

        def open_wire(server: ServerThread) -> Wire:
            wire = Wire(server.port)
            stack.callback(wire.close)
            return wire

        yield open_wire


@pytest.fixture
def wire(server: ServerThread, connect: Callable[[ServerThread], Wire]) -> Wire:
    """A connection after LHLO."""
    return connect(server).hello()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    return wait_for
