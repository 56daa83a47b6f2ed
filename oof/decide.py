"""To answer or to stay silent (RFC 3834 section 2, RFC 5230 section 4.5): people get an answer, robots never do.

Pure: the memory of who was answered lies with the store, which settles it in the transaction of the answer.
"""

from collections.abc import Collection
from dataclasses import dataclass

from mailcore.address import address_key
from mailcore.automatic import why_automatic, why_robot
from mailcore.envelope import Envelope
from mailcore.view import MessageView
from oof.settings import OofSettings

_RECIPIENT_HEADERS = ("To", "Cc", "Resent-To", "Resent-Cc")


@dataclass(frozen=True, slots=True)
class Respond:
    """An answer goes to the return path."""

    to: str


@dataclass(frozen=True, slots=True)
class Suppress:
    """No answer; `reason` is for the log."""

    reason: str


def decide(
    view: MessageView,
    envelope: Envelope,
    addresses: Collection[str],
    settings: OofSettings | None,
    now: float,
) -> Respond | Suppress:
    """Decide whether this message gets an out-of-office answer.

    `addresses` are all of the user's own; `now` is in epoch seconds.
    """
    if settings is None or not settings.active(now):
        return Suppress("not active")
    own = {address_key(address) for address in addresses}
    reason = (
        _about_sender(envelope.mail_from, own)
        or why_automatic(view)
        or _about_recipients(view, own)
    )
    return Suppress(reason) if reason else Respond(envelope.mail_from)


def _about_sender(sender: str, own: set[str]) -> str:
    return "own address" if address_key(sender) in own else why_robot(sender)


def _about_recipients(view: MessageView, own: set[str]) -> str:
    named = {
        address_key(box.address) for name in _RECIPIENT_HEADERS for box in view.addresses(name)
    }
    return "" if named & own else "not addressed to me"
