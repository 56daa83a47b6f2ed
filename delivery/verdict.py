"""What is settled before any folder is chosen: mail that goes round in circles, and mail that has expired.

A mail that bears our own Delivered-To for this very mailbox, or more Received headers than a sane route has, is
refused with 5.4.6 (RFC 3463 section 3.5: routing loop).  A mail whose Expiry-Time (or Expires, which
RFC 4021 registers) is past is taken and not stored: 250 2.4.7, delivery time expired.
"""

from datetime import UTC, datetime

from delivery.arrival import Arrival
from mailcore.address import address_key
from mailcore.reply import LmtpReply
from mailcore.settings import DeliverySettings

LOOP = LmtpReply(550, "5.4.6", "mail loop: this message has been delivered here before")
TOO_MANY_HOPS = LmtpReply(550, "5.4.6", "mail loop: too many Received headers")
EXPIRED = LmtpReply(250, "2.4.7", "message has expired and is not stored")


def verdict(arrival: Arrival, settings: DeliverySettings) -> LmtpReply | None:
    """The reply of a message that is not delivered at all; None for every other."""
    view = arrival.view
    if view.has("Delivered-To"):
        own = address_key(arrival.delivered_to)
        if any(address_key(value.strip()) == own for value in view.headers("Delivered-To")):
            return LOOP
    if view.count("Received") >= settings.max_received:
        return TOO_MANY_HOPS
    if _expired(arrival, "Expiry-Time") or (
        settings.honour_expires and _expired(arrival, "Expires")
    ):
        return EXPIRED
    return None


def _expired(arrival: Arrival, name: str) -> bool:
    ends = arrival.view.moment(name)
    return ends is not None and ends < datetime.fromtimestamp(arrival.now, UTC)
