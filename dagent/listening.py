"""Opening what a `listen` setting names, and saying which setting is wrong when that cannot be."""

import errno
import socket
from pathlib import Path
from typing import Protocol

from dagent.unix_socket import bind_unix_socket, ownership_of
from mailcore.errors import UsageError
from mailcore.listen import TcpAddress, UnixAddress
from mailcore.settings import LmtpSettings


class Listener(Protocol):
    """A server that can listen in several places."""

    async def listen_tcp(self, host: str, port: int) -> None:
        """Listen on a TCP address.  Raises OSError."""

    async def listen_on(self, listening: socket.socket) -> None:
        """Listen on a bound socket, which is the server's from now on.  Raises OSError."""


async def open_listener(
    server: Listener, address: TcpAddress | UnixAddress, name: str, lmtp: LmtpSettings
) -> Path | None:
    """Let `server` listen at an address of the setting `name`; `lmtp` has the permissions of unix sockets.

    Returns the path to unlink when it no longer listens (dagent.unix_socket.unlink_socket), None
    for TCP.  Raises UsageError naming the setting.
    """
    try:
        if isinstance(address, TcpAddress):
            await server.listen_tcp(address.host, address.port)
            return None
        await server.listen_on(bind_unix_socket(address.path, ownership_of(lmtp)))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        hint = "; is another agent running there, or is it named twice?" if taken else ""
        raise UsageError(
            f"{name}: cannot listen on {address}: {error.strerror or error}{hint}"
        ) from error
    return address.path
