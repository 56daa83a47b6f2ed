"""The LMTP server: listening, sessions, and a shutdown that loses nothing (RFC 2033).

The conversation is in `lmtp_session`, what is under it in `lmtp_connection`, the answers in
`lmtp_commands`, the reading of the stream in `command_lines`, `data_reader` and `bdat`, and who takes
the messages in `postman`.
"""

import asyncio
import logging
import socket
import ssl
from pathlib import Path
from typing import Any

from dagent.lmtp_commands import DEFAULT_LIMITS, LmtpLimits
from dagent.lmtp_connection import OpenWork
from dagent.lmtp_session import LmtpSession
from dagent.postman import Postman

__all__ = [
    "DEFAULT_LIMITS",
    "LmtpLimits",
    "LmtpServer",
    "LmtpSession",
    "Postman",
    "serve",
    "serve_unix",
]

log = logging.getLogger(__name__)

BACKLOG = 512
"""Connections that may wait to be accepted; an MTA opens many at once."""


class LmtpServer:
    """All listeners and all sessions of one agent; `hostname` is the name in the greeting.

    `limits` may be replaced while it runs, and `certificate`, with which STARTTLS is offered: sessions
    that begin later have the new ones.
    """

    def __init__(
        self,
        postman: Postman,
        hostname: str,
        limits: LmtpLimits = DEFAULT_LIMITS,
        certificate: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits
        self.certificate = certificate
        self._postman = postman
        self._hostname = hostname
        self._listeners: list[asyncio.Server] = []
        self._open_work = OpenWork()

    async def listen_tcp(self, host: str, port: int) -> None:
        """Listen on a TCP address, port 0 for any free one.  Raises OSError."""
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(self._begin, host, port, backlog=BACKLOG)
        self._listeners.append(listener)

    async def listen_unix(self, path: Path) -> None:
        """Listen on a unix socket at `path`; a socket that was left there is replaced.  Raises OSError."""
        loop = asyncio.get_running_loop()
        self._listeners.append(await loop.create_unix_server(self._begin, path, backlog=BACKLOG))

    async def listen_on(self, listening: socket.socket) -> None:
        """Accept from a socket that listens already, TCP or unix; at the end it is closed, not unlinked."""
        loop = asyncio.get_running_loop()
        # create_unix_server() would remove the path, which belongs to who opened the socket.
        listener = await loop.create_server(self._begin, sock=listening, backlog=BACKLOG)
        self._listeners.append(listener)

    @property
    def port(self) -> int:
        """The TCP port that was bound first, of use when 0 was asked for."""
        return int(self._listeners[0].sockets[0].getsockname()[1])

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens, as people write it: host:port, or unix:/path."""
        return tuple(address_of(listening) for one in self._listeners for listening in one.sockets)

    @property
    def sessions(self) -> int:
        """How many clients are connected now."""
        return len(self._open_work.connections)

    async def drain(self, grace: float) -> bool:
        """Stop listening, let messages in progress finish and say 421 4.3.2 to everyone else.

        After `grace` seconds the remaining connections are cut.  Returns whether all work was
        finished; a delivery still at work then is not cancelled, and its client will send the mail
        again.
        """
        for listener in self._listeners:
            listener.close()
        self._open_work.closing = True
        for session in tuple(self._open_work.connections):
            session.close_when_idle()
        try:
            await asyncio.wait_for(self._open_work.wait_until_done(), grace)
        except TimeoutError:
            log.warning(
                "%d sessions and %d deliveries were not finished within %g s",
                len(self._open_work.connections),
                len(self._open_work.deliveries),
                grace,
            )
            for session in tuple(self._open_work.connections):
                session.abort()
            return False
        return True

    def _begin(self) -> LmtpSession:
        return LmtpSession(
            self._postman, self._hostname, self.limits, self.certificate, open_work=self._open_work
        )


def address_of(listening: Any) -> str:
    """Where a socket listens: host:port with IPv6 in brackets, unix:/path, unix:@name if abstract."""
    name = listening.getsockname()
    if isinstance(name, tuple):
        host, port = name[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    path = name.decode() if isinstance(name, bytes) else str(name)
    return "unix:" + path.replace("\0", "@", 1)


async def serve(
    postman: Postman,
    host: str,
    port: int,
    hostname: str,
    limits: LmtpLimits = DEFAULT_LIMITS,
) -> LmtpServer:
    """A server that listens on one TCP address, port 0 for any free one."""
    server = LmtpServer(postman, hostname, limits)
    await server.listen_tcp(host, port)
    return server


async def serve_unix(
    postman: Postman,
    path: Path,
    hostname: str,
    limits: LmtpLimits = DEFAULT_LIMITS,
) -> LmtpServer:
    """A server that listens on one unix socket."""
    server = LmtpServer(postman, hostname, limits)
    await server.listen_unix(path)
    return server
