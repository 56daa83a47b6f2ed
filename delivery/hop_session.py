"""One message on its way to next hops: sessions with other LMTP servers (RFC 2033), and which of them are down.

A hop that cannot be reached, hangs, or says what is no LMTP is left alone for some seconds: whoever comes meanwhile
gets 451 4.4.1 at once, and the first one after that asks again for all.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from delivery.lmtp_client import LmtpClient
from delivery.replies import one_reply
from mailcore.charset import one_line
from mailcore.errors import MailError, TemporaryError, UsageError
from mailcore.listen import UnixAddress
from mailcore.next_hop import parse_next_hop
from mailcore.path import MAX_HALF_OCTETS, canonical_quoted
from mailcore.reply import LmtpReply
from mailcore.settings import DeliverySettings

log = logging.getLogger(__name__)

HOP_DOWN = LmtpReply(451, "4.4.1", "the next hop cannot be reached now, please try again later")
WRONG_HOP = LmtpReply(451, "4.3.5", "the next hop of this mailbox is set wrongly")
DOWN_SECONDS = 5.0
"""How long a hop that failed is not asked."""
_LONGEST_TEXT = 300  # characters of a reply's text


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one recipient gets: `copies` are the folder (empty: the Inbox) and the trace headers of each.

    `notices` are whole mails of our own for the Inbox, which go behind it when it is taken.
    """

    hop: str
    address: str
    copies: tuple[tuple[str, bytes], ...]
    notices: tuple[bytes, ...] = ()


class NextHops:
    """The ways to all next hops; safe to share between threads.  `helo` is our name."""

    def __init__(self, helo: str) -> None:
        self._helo = helo
        self._lock = threading.Lock()
        self._ask_again: dict[str, float] = {}  # the hops that are down; time.monotonic()
        self._open: set[LmtpClient] = set()
        self._closed = False

    def send(
        self,
        hop: str,
        mail_from: str,
        raw: bytes,
        parcels: Sequence[Parcel],
        settings: DeliverySettings,
    ) -> list[LmtpReply]:
        """Send one message to some recipients of one hop; return one reply for each, whatever happens.

        Not safe to repeat: who has got 250 has the mail.  A 4yz does not say that it was not taken.
        """
        replies = [HOP_DOWN] * len(parcels)
        if not self._may_ask(hop):
            return replies
        try:
            with self._session(hop, settings) as client:
                _send_all(client, mail_from, raw, parcels, replies, settings)
        except UsageError as error:
            log.error("%s", error)
            return [WRONG_HOP] * len(parcels)
        except MailError as error:
            self._note_down(hop, error)
        else:
            self._note_up(hop)
        return replies

    def close(self) -> None:
        """End every session, for good: what has no reply yet is 451."""
        with self._lock:
            self._closed = True
            clients = list(self._open)
        for client in clients:
            client.interrupt()

    @contextmanager
    def _session(self, hop: str, settings: DeliverySettings) -> Iterator[LmtpClient]:
        client = self._client(hop, settings)
        with self._lock:
            if self._closed:
                raise TemporaryError("shutting down")
            self._open.add(client)
        try:
            with client:
                yield client
        finally:
            with self._lock:
                self._open.discard(client)

    def _client(self, hop: str, settings: DeliverySettings) -> LmtpClient:
        address = parse_next_hop(hop, "deliver_via")
        assert address is not None, "our own store is no hop"
        path, host, port = None, "", 0
        if isinstance(address, UnixAddress):
            path = address.path
        else:
            host, port = address.host, address.port
        return LmtpClient(
            host,
            port,
            path=path,
            timeout=settings.deliver_via_timeout,
            connect_timeout=settings.deliver_via_connect_timeout,
            helo=self._helo,
        )

    def _may_ask(self, hop: str) -> bool:
        """Whether to try this hop; when its pause is over the first who asks tries for all."""
        with self._lock:
            again = self._ask_again.get(hop)
            now = time.monotonic()
            if again is not None and now < again:
                return False
            if again is not None:
                self._ask_again[hop] = now + DOWN_SECONDS
            return True

    def _note_down(self, hop: str, error: MailError) -> None:
        with self._lock:
            begins = hop not in self._ask_again
            self._ask_again[hop] = time.monotonic() + DOWN_SECONDS
        if begins:
            log.warning("next hop %s cannot be used: %s; its mail waits at the sender", hop, error)

    def _note_up(self, hop: str) -> None:
        with self._lock:
            ends = self._ask_again.pop(hop, None) is not None
        if ends:
            log.info("next hop %s can be used again", hop)


def _send_all(
    client: LmtpClient,
    mail_from: str,
    raw: bytes,
    parcels: Sequence[Parcel],
    replies: list[LmtpReply],
    settings: DeliverySettings,
) -> None:
    """Send the parcels, each in transactions of its own, and set `replies`; raises MailError when the hop fails."""
    utf8 = "SMTPUTF8" in client.lhlo()
    for number, parcel in enumerate(parcels):
        replies[number] = _send_one(
            client, mail_from, raw, parcel, details=settings.deliver_via_detail, utf8=utf8
        )
        for notice in parcel.notices if replies[number].positive else ():
            (reply,) = client.send("", [parcel.address], notice)
            if not reply.positive:
                log.warning("%s: a notice of ours was refused: %s", parcel.address, reply)
        if not client.connected:
            raise TemporaryError("the connection was lost before all replies")


def _send_one(
    client: LmtpClient, mail_from: str, raw: bytes, parcel: Parcel, *, details: bool, utf8: bool
) -> LmtpReply:
    """Send one recipient's copies, those of the same bytes in one transaction; return the reply for all of them.

    The Inbox takes what is refused for a folder.
    """
    by_trace: dict[bytes, dict[str, None]] = {}
    for folder, trace in parcel.copies:
        address = address_with(parcel.address, folder if details else "", utf8=utf8)
        by_trace.setdefault(trace, {})[address] = None
    replies: list[LmtpReply] = []
    for trace, addresses in by_trace.items():
        content = trace + raw
        answers = dict(
            zip(addresses, client.send(mail_from, list(addresses), content), strict=True)
        )
        for address in addresses:
            if address != parcel.address and answers[address].code >= 500:
                refusal = _as_ours(answers.pop(address))
                log.warning("%s: the next hop said %s; its Inbox is asked", address, refusal)
                if parcel.address not in answers:
                    (answers[parcel.address],) = client.send(mail_from, [parcel.address], content)
        replies += map(_as_ours, answers.values())
    return one_reply(replies)


def address_with(address: str, detail: str, *, utf8: bool) -> str:
    """The address with a detail; without it, where this address cannot be written or would be too long.

    >>> address_with("anna@example.org", "Junk E-mail", utf8=False)
    '"anna+Junk E-mail"@example.org'
    """
    if not detail or not detail.isprintable() or not (utf8 or detail.isascii()):
        return address
    local, at, domain = address.rpartition("@") if "@" in address else (address, "", "")
    plain = local[1:-1] if local.startswith('"') else local
    escaped = detail.replace("\\", "\\\\").replace('"', '\\"')
    whole = canonical_quoted(f'"{plain}+{escaped}"')
    return address if len(whole.encode()) > MAX_HALF_OCTETS else f"{whole}{at}{domain}"


def _as_ours(reply: LmtpReply) -> LmtpReply:
    """A reply of the hop as we pass it on: code and enhanced code agree, the text is one line and not long."""
    kind = reply.code // 100
    if kind not in (2, 4, 5):
        return HOP_DOWN
    enhanced = reply.enhanced if reply.enhanced.startswith(f"{kind}.") else f"{kind}.0.0"
    return LmtpReply(reply.code, enhanced, one_line(reply.text)[:_LONGEST_TEXT])
