"""The connection under an LMTP session: admission, reading, writing, TLS, the idle timer, and its end.

It stands on aiosmtpd's LMTP, which brings the transport and the loss of it.
"""

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Sequence

from aiosmtpd.lmtp import LMTP

from dagent import lmtp_commands as commands
from dagent.lmtp_commands import DEFAULT_LIMITS, LmtpLimits, reply_line
from mailcore.reply import LmtpReply

log = logging.getLogger(__name__)

READ_BLOCK = 128 * 1024
"""Octets taken from the connection at a time; asyncio stops reading with twice as many waiting."""
TLS_GOODBYE_SECONDS = 5.0
"""How long a client may take to agree that a TLS session is over."""
_LOCAL = "local"


class OpenWork:
    """The connections and deliveries that a shutdown waits for."""

    def __init__(self) -> None:
        self.connections: set[LmtpConnection] = set()
        self.deliveries: set[asyncio.Task[Sequence[LmtpReply]]] = set()
        self.closing = False
        self._of_host: Counter[str] = Counter()
        self._done = asyncio.Event()

    def begin(
        self, connection: "LmtpConnection", peer: str, limits: LmtpLimits
    ) -> LmtpReply | None:
        """Count a client that has connected; return why it cannot stay, None if it can."""
        refusal = self._refusal(peer, limits)
        self.connections.add(connection)
        self._of_host[peer] += 1
        return refusal

    def end(self, connection: "LmtpConnection", peer: str) -> None:
        """Forget a client that has gone."""
        self.connections.discard(connection)
        self._of_host[peer] -= 1
        if not self._of_host[peer]:
            del self._of_host[peer]
        self._notice()

    def track(self, delivery: asyncio.Task[Sequence[LmtpReply]]) -> None:
        """Count a delivery until it is done; the reference also keeps the task alive."""
        self.deliveries.add(delivery)
        delivery.add_done_callback(self._delivered)

    async def wait_until_done(self) -> None:
        """Return as soon as no connection and no delivery is left."""
        while self.connections or self.deliveries:
            self._done.clear()
            await self._done.wait()

    def _refusal(self, peer: str, limits: LmtpLimits) -> LmtpReply | None:
        if self.closing:
            return commands.SHUTTING_DOWN
        if len(self.connections) >= limits.sessions:
            return commands.TOO_MANY_SESSIONS
        if peer != _LOCAL and self._of_host[peer] >= limits.sessions_per_host:
            return commands.TOO_MANY_FROM_HOST
        return None

    def _delivered(self, delivery: asyncio.Task[Sequence[LmtpReply]]) -> None:
        self.deliveries.discard(delivery)
        self._notice()

    def _notice(self) -> None:
        if not (self.connections or self.deliveries):
            self._done.set()


class LmtpConnection(LMTP):
    """Reads blocks, writes replies, and knows how to say goodbye."""

    line_length_limit = READ_BLOCK  # aiosmtpd sizes the reader's buffer by this; no line is limited

    def __init__(
        self,
        hostname: str,
        limits: LmtpLimits = DEFAULT_LIMITS,
        *,
        open_work: OpenWork | None = None,
    ) -> None:
        super().__init__(
            None,
            data_size_limit=limits.message_size,
            enable_SMTPUTF8=True,
            hostname=hostname,
            timeout=limits.idle_timeout,
            loop=asyncio.get_running_loop(),
        )
        self._limits = limits
        self._open_work = open_work or OpenWork()
        self._peer = _LOCAL
        self._secured = False  # inside TLS
        self._out: list[bytes] = []
        # A command is being worked on, or further chunks of a message are to come.
        self._busy = False
        self._over = False
        self._farewell: LmtpReply | None = None
        self._waiting_since: float | None = None  # loop time; None while the client waits for us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to talk, unless the server is closing or full."""
        self._peer = address_literal(transport.get_extra_info("peername"))
        self._farewell = self._open_work.begin(self, self._peer, self._limits)
        if self._farewell is not None:
            log.warning("%s: sent away: %s", self._peer, self._farewell)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End the session; a delivery in progress goes on by itself."""
        if self.transport is None:
            return
        super().connection_lost(error)
        self._open_work.end(self, self._peer)

    def data_received(self, data: bytes) -> None:
        """Hand it to the reader; after STARTTLS that is another one."""
        self._reader.feed_data(data)

    def eof_received(self) -> bool | None:
        """Let the session meet the end by itself, after all that the client said before it.

        aiosmtpd cancels the session here, and a client that closes its sending side early would
        miss its replies.  TLS cannot be closed on one side only.
        """
        self._reader.feed_eof()
        return not self._secured

    def close_when_idle(self) -> None:
        """Say 421 4.3.2 and close, now or after the command or message in progress."""
        self._farewell = commands.SHUTTING_DOWN
        if not self._busy and self._waiting_since is not None:
            self._hang_up(commands.SHUTTING_DOWN)

    def abort(self) -> None:
        """Cut the connection without a word."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def _read(self) -> bytes:
        """Return what the client says next, empty at the end; first let it have all replies."""
        await self._flush()
        self._waiting_since = self.loop.time()
        block = await self._reader.read(READ_BLOCK)
        self._waiting_since = None
        return block

    async def _flush(self) -> None:
        """Send the replies collected so far in one write."""
        if not self._out:
            return
        self._writer.write(b"".join(self._out))
        self._out.clear()
        self._waiting_since = self.loop.time()
        await self._writer.drain()
        self._waiting_since = None

    async def _secure(self, certificate: ssl.SSLContext) -> None:
        """Go on inside TLS, after the 220 to STARTTLS; `idle_timeout` holds for the handshake too.

        What the client has sent behind its STARTTLS is never read: it stood in plain text, where anybody
        could have put it (RFC 3207 section 6).  Raises ConnectionError, and closes, if there is no TLS.
        """
        # Whatever has come by now is in the old reader, and nothing can come until start_tls() listens.
        self._reader = asyncio.StreamReader(READ_BLOCK, self.loop)
        assert isinstance(self.transport, asyncio.WriteTransport)
        try:
            transport = await self.loop.start_tls(
                self.transport,
                self,
                certificate,
                server_side=True,
                ssl_handshake_timeout=self._limits.idle_timeout,
                ssl_shutdown_timeout=TLS_GOODBYE_SECONDS,
            )
            if transport is None:
                raise ConnectionAbortedError("cut during the handshake")
        except OSError as error:
            self.connection_lost(error)  # asyncio does not always say so itself
            raise ConnectionAbortedError(f"no TLS: {error}") from error
        self._secured = True
        self.transport = transport
        self._reader.set_transport(transport)
        self._writer = asyncio.StreamWriter(transport, self, self._reader, self.loop)

    def _hang_up(self, reply: LmtpReply) -> None:
        transport = self.transport
        if not isinstance(transport, asyncio.WriteTransport):
            return
        self._over = True
        if not transport.is_closing():
            transport.write(reply_line(reply))
        if transport.get_write_buffer_size():
            transport.abort()  # a client that does not read would keep it open for ever
        else:
            transport.close()

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Start the idle timer; it is never moved, but asks how long we have waited when it fires.

        So no command has to touch the timer, and it cannot run out while a delivery works.
        """
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_later(
                duration or self._limits.idle_timeout, self._timeout_cb
            )

    def _timeout_cb(self) -> None:
        left = self._limits.idle_timeout
        if self._waiting_since is not None:
            left += self._waiting_since - self.loop.time()
        if left <= 0:
            log.info("%s: idle for too long", self._peer)
            self._hang_up(commands.IDLE_TOO_LONG)
        else:
            self._timeout_handle = self.loop.call_later(left, self._timeout_cb)


def address_literal(peername: object) -> str:
    """Return a peer's address as RFC 5321 section 4.1.3 writes it; ``local`` for a unix socket.

    An IPv4 client has one address, also where it came in by a socket for both.
    """
    if not isinstance(peername, tuple):
        return _LOCAL
    host = str(peername[0]).removeprefix("::ffff:")
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"
