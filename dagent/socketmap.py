"""The lookups of an MTA: who is a recipient here, by the protocol of Postfix's socketmap_table(5).

The maps, by the name in the request:

    recipient   the primary address of whom RCPT would accept under that address
    alias       the primary address, where the key is one of its aliases; the primary one is not found

A request `name key` and its reply are netstrings.  A key is read as RCPT reads its argument and resolved by
the same postman, so the two never disagree: what RCPT refuses is NOTFOUND, what it cannot tell is TEMP.
There is no map of domains: to fill it every user would have to be read, and the list is short and known.

Neither side is authenticated, and who can connect can find out who exists: listen on loopback or on a unix
socket.  After a bad netstring the connection is closed.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping

from dagent.netstring import NetstringError, Netstrings, netstring
from dagent.postman import Postman, resolve_or_refuse
from dagent.srs_relay import PassingOn
from dagent.store_postman import Resolved
from mailcore.address import address_key
from mailcore.path import ArgumentSyntaxError, parse_path_argument
from userstore.model import User

log = logging.getLogger(__name__)

LARGEST_REQUEST = 100_000
"""Octets of a request; socketmap_table(5) sets the same limit for replies."""
LOOKUP_SECONDS = 30.0
"""Longest wait for the directory; Postfix itself gives up after 100 seconds."""
MOST_CONNECTIONS = 500
"""Each smtpd process of Postfix keeps one, unless it asks through proxymap(8)."""
_READ_BLOCK = 65536
_BACKLOG = 512

NOT_FOUND = b"NOTFOUND "
TRY_LATER = b"TEMP cannot tell now"
TOO_SLOW = b"TIMEOUT the lookup takes too long"


def find_recipient(address: str, recipients: Resolved) -> str | None:
    """The map `recipient`: the primary address; a group, and a user without one, is found under the key itself."""
    return _user_of(recipients).address or address


def find_alias(address: str, recipients: Resolved) -> str | None:
    """The map `alias`: the primary address if the key is another of the user's addresses."""
    user, key = _user_of(recipients), address_key(address)
    return user.address if user.address and key in map(address_key, user.aliases) else None


def _user_of(recipients: Resolved) -> User:
    """The one user that is meant; nobody where it is a group, or somebody elsewhere."""
    if isinstance(recipients, PassingOn) or recipients[0].via:
        return User("", "", "", "")
    return recipients[0].user


MAPS: Mapping[str, Callable[[str, Resolved], str | None]] = {
    "recipient": find_recipient,
    "alias": find_alias,
}


async def answer(postman: Postman, request: bytes) -> bytes:
    """Return the reply to one request; never raises because of what the lookup did."""
    name, _, rest = request.partition(b" ")
    find = MAPS.get(name.decode("ascii", "replace"))
    if find is None:
        return b"PERM no such map; known: " + ", ".join(MAPS).encode()
    try:
        path = parse_path_argument("TO", f"TO:<{rest.decode()}>")
    except (ArgumentSyntaxError, UnicodeDecodeError):
        return NOT_FOUND
    if not path.address or path.parameters:
        return NOT_FOUND
    recipients, reply = await resolve_or_refuse(postman, path.address, "socketmap")
    if recipients is None:
        return NOT_FOUND if reply.code == 550 else TRY_LATER
    found = find(path.address, recipients)
    return NOT_FOUND if found is None else b"OK " + found.encode()


class SocketmapServer:
    """The listeners and their connections.

    `idle_timeout` is the longest wait for the client, `lookup_timeout` for the directory, in seconds.
    """

    def __init__(
        self, postman: Postman, idle_timeout: float, *, lookup_timeout: float = LOOKUP_SECONDS
    ) -> None:
        self._postman = postman
        self._idle_timeout = idle_timeout
        self._lookup_timeout = lookup_timeout
        self._listeners: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    async def listen_tcp(self, host: str, port: int) -> None:
        """See dagent.listening.Listener."""
        server = await asyncio.start_server(self._serve, host, port, backlog=_BACKLOG)
        self._listeners.append(server)

    async def listen_on(self, listening: socket.socket) -> None:
        """See dagent.listening.Listener."""
        server = await asyncio.start_server(self._serve, sock=listening, backlog=_BACKLOG)
        self._listeners.append(server)

    @property
    def port(self) -> int:
        """The TCP port that was bound first, of use when 0 was asked for."""
        return int(self._listeners[0].sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut the connections; who asks will ask again."""
        for listener in self._listeners:
            listener.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) <= MOST_CONNECTIONS:
                await self._converse(reader, writer)
            else:
                log.warning("socketmap: more than %d connections", MOST_CONNECTIONS)
        except NetstringError as error:
            log.warning("socketmap: connection closed: bad netstring: %s", error)
        except (OSError, TimeoutError) as error:  # gone, idle, or not reading its replies
            log.debug("socketmap: connection closed: %r", error)
        finally:
            self._connections.discard(task)
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()  # a client that does not read would keep it open for ever
            else:
                writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = Netstrings(LARGEST_REQUEST)
        while True:
            async with asyncio.timeout(self._idle_timeout):
                block = await reader.read(_READ_BLOCK)
            if not block:
                return
            requests.feed(block)
            while (request := requests.next_string()) is not None:
                reply = await self._answer_in_time(request)
                log.debug("socketmap: %r: %r", request, reply)
                writer.write(netstring(reply))
                async with asyncio.timeout(self._idle_timeout):
                    await writer.drain()

    async def _answer_in_time(self, request: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._lookup_timeout):
                return await answer(self._postman, request)
        except TimeoutError:
            log.warning("socketmap: no answer to %r in %g s", request, self._lookup_timeout)
            return TOO_SLOW
