"""Lookups through real sockets, as Postfix makes them."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from dagent.netstring import Netstrings, netstring
from dagent.socketmap import LARGEST_REQUEST, SocketmapServer, find_alias, find_recipient
from mailcore.envelope import Envelope
from mailcore.errors import NoSuchRecipientError, RecipientRefusedError, TemporaryError
from mailcore.reply import LmtpReply
from store.mailboxes import Mailbox
from userstore.model import User
from userstore.resolve import Recipient

DEADLINE = 10.0
ANNA = User("db:1", "anna", "Anna", "Anna@example.org", aliases=("Info@example.org",))
NAMELESS = User("db:2", "printer", "Printer", "")


class Found(NamedTuple):
    user: User
    via: str = ""


class Directory:
    """A postman who knows two users, and trouble by name."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[str] = []

    async def resolve(self, address: str, size: int | None = None) -> Any:
        self.asked.append(address)
        await asyncio.to_thread(self.gate.wait, DEADLINE)
        match address.lower().partition("@")[0]:
            case "anna" | "info":
                return (Found(ANNA),)
            case "printer":
                return (Found(NAMELESS),)
            case "refused":
                raise RecipientRefusedError("", LmtpReply(550, "5.1.0", "not for you"))
            case "down":
                raise TemporaryError("directory down")
            case "bug":
                raise RuntimeError("bug")
        raise NoSuchRecipientError("unknown")

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[Any], content: bytes
    ) -> Sequence[LmtpReply]:
        raise AssertionError("nothing is delivered here")


class ServerThread:
    """A server in an event loop of its own."""

    def __init__(self, idle_timeout: float, lookup_timeout: float) -> None:
        self.directory = Directory()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.server = SocketmapServer(self.directory, idle_timeout, lookup_timeout=lookup_timeout)
        self.call(self.server.listen_tcp("127.0.0.1", 0))
        self.port = self.server.port

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE)

    def stop(self) -> None:
        self.directory.gate.set()
        self.call(self.server.close())
        self.call(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(DEADLINE)
        self.loop.close()


class Client:
    """A raw connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self._replies = Netstrings(LARGEST_REQUEST)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> bytes | None:
        """The next reply; None when the server has closed the connection."""
        while (reply := self._replies.next_string()) is None:
            try:
                block = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not block:
                return None
            self._replies.feed(block)
        return reply

    def ask(self, request: bytes) -> bytes | None:
        self.send(netstring(request))
        return self.reply()


@pytest.fixture
def start_server() -> Iterator[Callable[..., ServerThread]]:
    with contextlib.ExitStack() as stack:

        def start(idle_timeout: float = DEADLINE, lookup_timeout: float = DEADLINE) -> ServerThread:
            server = ServerThread(idle_timeout, lookup_timeout)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def connect() -> Iterator[Callable[[ServerThread], Client]]:
    with contextlib.ExitStack() as stack:

        def open_client(server: ServerThread) -> Client:
            client = Client(server.port)
            stack.callback(client.socket.close)
            return client

        yield open_client


@pytest.fixture
def server(start_server: Callable[..., ServerThread]) -> ServerThread:
    return start_server()


@pytest.fixture
def client(server: ServerThread, connect: Callable[[ServerThread], Client]) -> Client:
    return connect(server)


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (b"recipient anna@example.org", b"OK Anna@example.org"),
        (b"recipient ANNA@Example.ORG", b"OK Anna@example.org"),
        (b"recipient info@example.org", b"OK Anna@example.org"),
        (b"recipient anna", b"OK Anna@example.org"),
        (b"recipient printer", b"OK printer"),
        (b"recipient nobody@example.org", b"NOTFOUND "),
        (b"recipient refused@example.org", b"NOTFOUND "),
        (b"recipient @example.org", b"NOTFOUND "),
        (b"recipient example.org", b"NOTFOUND "),
        (b"recipient ", b"NOTFOUND "),
        (b"recipient", b"NOTFOUND "),
        (b"recipient anna@example.org> NOTIFY=NEVER", b"NOTFOUND "),
        (b"recipient an na@example.org", b"NOTFOUND "),
        (b"recipient anna@example.org\0", b"NOTFOUND "),
        (b"recipient \xff@example.org", b"NOTFOUND "),
        (b"recipient " + b"x" * 5000 + b"@example.org", b"NOTFOUND "),
        (b'recipient "anna"@example.org', b"OK Anna@example.org"),
        (b"recipient down@example.org", b"TEMP cannot tell now"),
        (b"recipient bug@example.org", b"TEMP cannot tell now"),
        (b"alias info@example.org", b"OK Anna@example.org"),
        (b"alias INFO@example.org", b"OK Anna@example.org"),
        (b"alias anna@example.org", b"NOTFOUND "),
        (b"alias printer", b"NOTFOUND "),
        (b"alias nobody@example.org", b"NOTFOUND "),
        (b"alias down@example.org", b"TEMP cannot tell now"),
        (b"domain example.org", b"PERM no such map; known: recipient, alias"),
        (b"\xff anna@example.org", b"PERM no such map; known: recipient, alias"),
        (b"", b"PERM no such map; known: recipient, alias"),
    ],
)
def test_replies(client: Client, request_: bytes, reply: bytes) -> None:
    assert client.ask(request_) == reply


def test_requests_may_come_together_or_octet_by_octet(client: Client) -> None:
    known = netstring(b"recipient anna@example.org")
    client.send(known + netstring(b"recipient nobody@example.org") + known)
    replies = [client.reply() for _ in range(3)]
    assert replies == [b"OK Anna@example.org", b"NOTFOUND ", b"OK Anna@example.org"]
    for octet in known:
        client.send(bytes([octet]))
    assert client.reply() == b"OK Anna@example.org"


@pytest.mark.parametrize(
    "bad", [b"recipient anna\n", b"5:abcdef,", b"%d:" % (LARGEST_REQUEST + 1), b"-1:,"]
)
def test_a_bad_netstring_closes_the_connection(
    client: Client,
    server: ServerThread,
    connect: Callable[[ServerThread], Client],
    bad: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client.send(netstring(b"recipient anna") + bad)
    assert client.reply() == b"OK Anna@example.org"
    assert client.reply() is None
    assert "bad netstring" in caplog.text
    assert connect(server).ask(b"recipient anna") == b"OK Anna@example.org"


def test_the_largest_request_is_read(client: Client) -> None:
    assert client.ask(b"recipient ".ljust(LARGEST_REQUEST, b"x")) == b"NOTFOUND "


def test_an_idle_connection_is_closed(
    start_server: Callable[..., ServerThread], connect: Callable[[ServerThread], Client]
) -> None:
    client = connect(start_server(idle_timeout=0.05))
    assert client.reply() is None


def test_a_slow_directory_times_out_and_holds_up_nobody_else(
    start_server: Callable[..., ServerThread], connect: Callable[[ServerThread], Client]
) -> None:
    server = start_server(lookup_timeout=0.1)
    server.directory.gate.clear()
    slow, other = connect(server), connect(server)
    slow.send(netstring(b"recipient anna"))
    assert other.ask(b"domain example.org") == b"PERM no such map; known: recipient, alias"
    assert slow.reply() == b"TIMEOUT the lookup takes too long"
    server.directory.gate.set()
    assert slow.ask(b"recipient anna") == b"OK Anna@example.org"


def test_closing_ends_lookups_and_connections(
    server: ServerThread, connect: Callable[[ServerThread], Client]
) -> None:
    idle, busy = connect(server), connect(server)
    assert idle.ask(b"recipient anna") == b"OK Anna@example.org"
    server.directory.gate.clear()
    busy.send(netstring(b"recipient anna"))
    server.call(server.server.close())
    assert idle.reply() is None
    assert busy.reply() is None
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_a_client_that_goes_away_is_no_trouble(
    server: ServerThread, connect: Callable[[ServerThread], Client]
) -> None:
    gone = connect(server)
    gone.send(b"100:half")
    gone.socket.close()
    assert connect(server).ask(b"recipient anna") == b"OK Anna@example.org"


def test_who_has_no_primary_address_is_found_under_the_key() -> None:
    assert find_recipient("printer", (_recipient(NAMELESS),)) == "printer"


def test_a_group_is_found_under_the_address_it_was_asked_by() -> None:
    member = _recipient(ANNA, via="sales@example.org")
    assert find_recipient("sales@example.org", (member, member)) == "sales@example.org"
    assert find_alias("sales@example.org", (member, member)) is None


def _recipient(user: User, via: str = "") -> Recipient:
    mailbox = Mailbox(1, "GUID", user.name, "", False, False, False, 0, 0.0)
    return Recipient(user.address, user, mailbox, imap=False, via=via)
