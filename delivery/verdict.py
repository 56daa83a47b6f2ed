"""What is settled before any folder is chosen: mail that goes round in circles, and mail that has expired.

A mail that bears our own Delivered-To for this very mailbox has been here before: it is kept, in the Inbox, and nothing
more is done for it, so that it goes nowhere a second time.  Where a next hop has the mailbox it may be that hop which
brings it back: more than a few of ours are a loop.  One with more Received headers than a sane route has is
refused with 5.4.6 (RFC 3463 section 3.5: routing loop).  A mail whose Expiry-Time (or Expires, which RFC 4021
registers) is past is taken and not stored: 250 2.4.7, delivery time expired.
"""

from datetime import UTC, datetime

from delivery.arrival import Arrival
from mailcore.address import address_key
from mailcore.hops import delivered_before
from mailcore.reply import LmtpReply
from mailcore.settings import DeliverySettings

LOOP = LmtpReply(550, "5.4.6", "mail loop: the next hop of this mailbox sends its mail back")
TOO_MANY_HOPS = LmtpReply(550, "5.4.6", "mail loop: too many Received headers")
EXPIRED = LmtpReply(250, "2.4.7", "message has expired and is not stored")
_MOST_TURNS = 3
"""A redirect that comes back once, past an MTA that writes Delivered-To too, bears no more of ours."""


def verdict(arrival: Arrival, settings: DeliverySettings) -> LmtpReply | None:
    """The reply of a message that is not delivered at all; None for every other."""
    if arrival.view.count("Received") >= settings.max_received:
        return TOO_MANY_HOPS
    if arrival.hop and _turns(arrival) > _MOST_TURNS:
        return LOOP
    if _expired(arrival, "Expiry-Time") or (
        settings.honour_expires and _expired(arrival, "Expires")
    ):
        return EXPIRED
    return None


def has_been_here(arrival: Arrival) -> bool:
    """Whether this very mailbox has had the message before."""
    return address_key(arrival.delivered_to) in delivered_before(arrival.view)


def _turns(arrival: Arrival) -> int:
    """How many Delivered-To fields name this very mailbox."""
    own = address_key(arrival.delivered_to)
    named = arrival.view.headers("Delivered-To")
    return sum(address_key(value.strip().strip("<>")) == own for value in named)


def _expired(arrival: Arrival, name: str) -> bool:
    ends = arrival.view.moment(name)
    return ends is not None and ends < datetime.fromtimestamp(arrival.now, UTC)
