"""The LMTP server: listening, sessions, and a shutdown that loses nothing (RFC 2033).

The conversation is in `lmtp_session`, what is under it in `lmtp_connection`, the answers in
`lmtp_commands`, the reading of the stream in `command_lines` and `data_reader`, and who takes the
messages in `postman`.
"""

import asyncio
import logging
from pathlib import Path

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
    """A listening server and all its sessions."""

    def __init__(self, listener: asyncio.Server, open_work: OpenWork) -> None:
        self._listener = listener
        self._open_work = open_work

    @property
    def port(self) -> int:
        """The TCP port that was bound, of use when 0 was asked for."""
        return int(self._listener.sockets[0].getsockname()[1])

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
        self._listener.close()
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


async def serve(
    postman: Postman,
    host: str,
    port: int,
    hostname: str,
    limits: LmtpLimits = DEFAULT_LIMITS,
) -> LmtpServer:
    """Listen on a TCP address, port 0 for any free one; `hostname` is the name in the greeting."""
    open_work = OpenWork()
    listener = await asyncio.get_running_loop().create_server(
        lambda: LmtpSession(postman, hostname, limits, open_work=open_work),
        host,
        port,
        backlog=BACKLOG,
    )
    return LmtpServer(listener, open_work)


async def serve_unix(
    postman: Postman,
    path: Path,
    hostname: str,
    limits: LmtpLimits = DEFAULT_LIMITS,
) -> LmtpServer:
    """Listen on a unix socket at `path`; a socket that was left there is replaced."""
    open_work = OpenWork()
    listener = await asyncio.get_running_loop().create_unix_server(
        lambda: LmtpSession(postman, hostname, limits, open_work=open_work),
        path,
        backlog=BACKLOG,
    )
    return LmtpServer(listener, open_work)
