"""To answer or to stay silent (RFC 3834 section 2, RFC 5230 section 4.5): people get an answer, robots never do.

Pure: the memory of who was answered lies with the store, which settles it in the transaction of the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mailcore.automatic import why_automatic, why_robot
from mailcore.envelope import Envelope
from mailcore.header_patterns import find_header
from mailcore.inside import domain_of, inside_of
from mailcore.meeting import meeting_method
from mailcore.view import MessageView
from oof.recipients import Owner, why_not_mine
from oof.settings import KNOWN, NOBODY, OofPolicy, OofSettings

Audience = Literal["internal", "external"]

_DEFAULT_POLICY = OofPolicy()


@dataclass(frozen=True, slots=True)
class Respond:
    """An answer with this text goes to the return path; `audience` is whom it is written for."""

    text: str
    to: str
    audience: Audience


@dataclass(frozen=True, slots=True)
class Suppress:
    """No answer; `reason` is for the log."""

    reason: str


def nobody(_sender: str) -> bool:
    """A user who knows nobody outside."""
    return False


def decide(
    view: MessageView,
    envelope: Envelope,
    owner: Owner,
    settings: OofSettings | None,
    now: float,
    *,
    policy: OofPolicy = _DEFAULT_POLICY,
    knows: Callable[[str], bool] = nobody,
) -> Respond | Suppress:
    """Decide whether this message, which has come to a folder of `owner` and is not junk, gets an answer.

    `now` is in epoch seconds.  `knows` tells of an envelope sender outside whether the owner knows it; it is asked
    where the settings say so.  Whether that sender has had its answer already is the store's to tell.
    """
    if settings is None or not settings.active(now):
        return Suppress("not active")
    sender = envelope.mail_from
    reason = (
        _about_sender(view, sender, owner, policy)
        or why_automatic(view)
        or _about_content(view, policy)
        or why_not_mine(view, owner, policy)
    )
    if reason:
        return Suppress(reason)
    inside = inside_of(owner.addresses, policy.internal_domains)
    internal = "@" not in sender or domain_of(sender) in inside
    if not internal and settings.external == NOBODY:
        return Suppress("outsider")
    if not internal and settings.external == KNOWN and not knows(sender):
        return Suppress("unknown outsider")
    text = settings.text_for(internal=internal)
    return Respond(text, sender, "internal" if internal else "external")


def _about_sender(view: MessageView, sender: str, owner: Owner, policy: OofPolicy) -> str:
    """Why this sender gets no answer: by the envelope, and by what From and Sender say of it."""
    if not sender:
        return "null sender"
    authors = [box.address for name in ("From", "Sender") for box in view.addresses(name)]
    for address in (sender, *filter(None, authors)):
        if owner.is_me(address, policy.delimiter):
            return "own address"
        if robot := why_robot(address):
            return robot
    return ""


def _about_content(view: MessageView, policy: OofPolicy) -> str:
    if name := find_header(view, policy.inhibit_auto_reply_headers):
        return f"header {name}"
    return "meeting reply" if meeting_method(view.root) == "REPLY" else ""
