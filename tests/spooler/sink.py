"""An MTA for tests: takes mail over real sockets, and fails as the recipient's local part says.

later: 451 at RCPT.  unknown: 550 at RCPT.  full: 552 at the data.  farewell: 421 at RCPT. cut:
the connection is closed without a word.  slow: 250 after half a second.  long: 250 on two
lines.  garbage: what no client understands. last: 550 at RCPT, and the connection is closed.
"""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.servers import free_port

SLOW_SECONDS = 0.5


@dataclass(frozen=True)
class Received:
    mail_from: str
    rcpt_to: str
    content: bytes
    options: tuple[str, ...]
    encrypted: bool
    user: str


class Sink:
    """The handler of the server, and what it has taken."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[Received] = []
        self.commands: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def rcpts(self) -> list[str]:
        return [mail.rcpt_to for mail in self.received]

    async def handle_EHLO(  # noqa: N802 - the name is aiosmtpd's
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.commands["EHLO"] += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        match address.partition("@")[0]:
            case "later":
                return "451 4.7.1 try later"
            case "unknown":
                return "550 5.1.1 no such user"
            case "farewell":
                return "421 4.3.2 going down"
            case "garbage":
                return "hello there"
            case "cut":
                server.transport.abort()
            case "last":
                server.transport.write(b"550 5.7.1 go away\r\n")
                server.transport.close()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_RSET(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.commands["RSET"] += 1
        return "250 2.0.0 ok"

    async def handle_QUIT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.commands["QUIT"] += 1
        return "221 2.0.0 bye"

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        local = envelope.rcpt_tos[0].partition("@")[0]
        if local == "full":
            return "552 5.2.2 mailbox full"
        if local == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        with self._lock:
            self.received.append(_received(session, envelope))
        return "250-2.0.0 taken\r\n250 2.0.0 for good" if local == "long" else "250 2.0.0 taken"


def _received(session: Session, envelope: Envelope) -> Received:
    (rcpt_to,) = envelope.rcpt_tos
    user = session.auth_data.login.decode() if session.authenticated else ""
    return Received(
        (envelope.mail_from or "").removeprefix("<>"),
        rcpt_to,
        bytes(envelope.original_content or b""),
        tuple(envelope.mail_options),
        session.ssl is not None,
        user,
    )


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    right = (data.login, data.password) == (b"spool@example.org", b"p:w/%")
    return AuthResult(success=right, handled=False, auth_data=data)


@contextmanager
def running_sink(
    sink: Sink | None = None, *, tls: ssl.SSLContext | None = None, utf8: bool = False
) -> Iterator[Sink]:
    """Listen for the time of the `with` block; an earlier sink comes back on its port."""
    sink = sink or Sink(free_port())
    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=sink.port,
        tls_context=tls,
        enable_SMTPUTF8=utf8,
        auth_require_tls=tls is not None,
        authenticator=_authenticate,
    )
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
