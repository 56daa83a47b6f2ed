"""The load generator: one process, raw sockets, one reply per recipient, and no mail counts without all of them.

    .venv/bin/python -m bench.load --port 2003 --sessions 10 --recipients 1 --size 4096 --seconds 3

MAIL, RCPT and DATA go out in one write (RFC 2920), the content after the 354.  It says how many messages got a 250
for every recipient, in what time, and how long the slowest took from DATA's end to its last reply.
"""

import argparse
import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.mails import MailSeries

MAILBOXES = 64
ADDRESS = "u{number}@example.org"
_READ = 65536


class RefusedError(Exception):
    """A server said something other than 2yz or 354."""


class Session:
    """One connection: sends a mail, waits for its replies, and sends the next."""

    def __init__(
        self, port: int, number: int, recipients: int, mails: MailSeries, stop: float
    ) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0
        self.latencies: list[float] = []
        self._first = number
        self._recipients = recipients
        self._mails = mails
        self._stop = stop
        self._replies = bytearray()
        self._in_data = False
        self._began = 0.0
        self._unsent: list[memoryview] = []
        self._greet()

    def _greet(self) -> None:
        self.socket.recv(_READ)
        self.socket.sendall(b"LHLO bench.example.net\r\n")
        answer = b""
        while b"\n250 " not in b"\n" + answer or not answer.endswith(b"\n"):
            answer += self.socket.recv(_READ)
        self.socket.setblocking(False)

    def begin_mail(self) -> None:
        rcpts = "".join(
            f"RCPT TO:<{ADDRESS.format(number=(self._first + self.sent + i) % MAILBOXES)}>\r\n"
            for i in range(self._recipients)
        )
        self._in_data = False
        self._send(f"MAIL FROM:<anna@example.net>\r\n{rcpts}DATA\r\n".encode())

    def readable(self) -> bool:
        """Take replies; return False when this session is over."""
        block = self.socket.recv(_READ)
        if not block:
            raise RefusedError("the server hung up")
        self._replies += block
        wanted = self._recipients if self._in_data else self._recipients + 2
        if self._replies.count(b"\n") < wanted:
            return True
        if not all(line.startswith((b"2", b"3")) for line in self._replies.splitlines()):
            raise RefusedError(self._replies.decode("utf-8", "replace"))
        self._replies.clear()
        if not self._in_data:
            self._in_data = True
            self._began = time.perf_counter()
            self._send(*self._mails.next())
            return True
        self.latencies.append(time.perf_counter() - self._began)
        self.sent += 1
        if time.perf_counter() >= self._stop:
            return False
        self.begin_mail()
        return True

    def _send(self, *pieces: bytes) -> None:
        self._unsent = [memoryview(piece) for piece in pieces]
        self.writable()

    def writable(self) -> None:
        """Send on, as far as the socket takes it."""
        try:
            taken = self.socket.sendmsg(self._unsent)
        except BlockingIOError:
            return
        while self._unsent and taken >= len(self._unsent[0]):
            taken -= len(self._unsent.pop(0))
        if self._unsent:
            self._unsent[0] = self._unsent[0][taken:]

    @property
    def waits_to_send(self) -> bool:
        return bool(self._unsent)


def run_sessions(options: argparse.Namespace) -> dict[str, Any]:
    """Load a server until `seconds` have passed and every session has its last reply."""
    mails = MailSeries(options.size, options.prefix)
    began = time.perf_counter()
    stop = began + options.seconds
    sessions = [
        Session(options.port, i * 7, options.recipients, mails, stop)
        for i in range(options.sessions)
    ]
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for session in sessions:
            session.begin_mail()
            selector.register(session.socket, selectors.EVENT_READ, session)
        while selector.get_map():
            for key, mask in selector.select(30):
                _serve(selector, key.data, mask)
    seconds = time.perf_counter() - began
    for session in sessions:
        session.socket.close()
    times = sorted(t for session in sessions for t in session.latencies)
    return {
        "messages": len(times),
        "seconds": seconds,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[len(times) * 99 // 100],
    }


def _serve(selector: selectors.BaseSelector, session: Session, mask: int) -> None:
    waited = session.waits_to_send
    if mask & selectors.EVENT_WRITE:
        session.writable()
    if mask & selectors.EVENT_READ and not session.readable():
        selector.unregister(session.socket)
        return
    if session.waits_to_send != waited:
        write = selectors.EVENT_WRITE if session.waits_to_send else 0
        selector.modify(session.socket, selectors.EVENT_READ | write, session)


@dataclass(frozen=True)
class Load:
    """One cell of the table."""

    size: int
    sessions: int
    recipients: int


def run_load(port: int, load: Load, seconds: float, prefix: str) -> subprocess.Popen[str]:
    """Start the generator in a process of its own; its result is one line of JSON."""
    arguments = {
        "--port": port,
        "--size": load.size,
        "--sessions": load.sessions,
        "--recipients": load.recipients,
        "--seconds": seconds,
        "--prefix": prefix,
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.load", *words], stdout=subprocess.PIPE, text=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=2003)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--recipients", type=int, default=1)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--prefix", default=f"{time.time_ns() & 0xFFFFFFFF:08x}")
    print(json.dumps(run_sessions(parser.parse_args())))


if __name__ == "__main__":
    main()
