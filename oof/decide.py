"""To answer or to stay silent (RFC 3834 section 2, RFC 5230 section 4.5): people get an answer, robots never do.

Pure: the memory of who was answered lies with the store, which settles it in the transaction of the answer.
"""

from collections.abc import Collection
from dataclasses import dataclass

from mailcore.address import address_key
from mailcore.envelope import Envelope
from mailcore.view import MessageView
from oof.settings import OofSettings

_ROBOTS = frozenset(
    {"mailer-daemon", "postmaster", "root", "listserv", "majordomo", "noreply", "no-reply"}
)
_ROBOT_PREFIXES = ("owner-", "noreply-", "no-reply-", "bounce-", "bounces-")
_ROBOT_SUFFIXES = ("-request", "-owner", "-bounces", "-bounce", "-noreply", "-no-reply")
_LIST_HEADERS = (
    "List-Id",
    "List-Help",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
)
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
    sender = address_key(envelope.mail_from)
    reason = _about_sender(sender, own) or _about_headers(view) or _about_recipients(view, own)
    return Suppress(reason) if reason else Respond(envelope.mail_from)


def _about_sender(sender: str, own: set[str]) -> str:
    if not sender:
        return "null sender"
    if sender in own:
        return "own address"
    local = sender.rpartition("@")[0] or sender  # a local MTA may leave the domain out
    if local in _ROBOTS or local.startswith(_ROBOT_PREFIXES) or local.endswith(_ROBOT_SUFFIXES):
        return "robot sender"
    return ""


def _about_headers(view: MessageView) -> str:
    if any(view.has(name) for name in _LIST_HEADERS):
        return "mailing list"
    if (view.header("Precedence") or "").strip().casefold() in {"bulk", "list", "junk"}:
        return "bulk precedence"
    if (view.header("Auto-Submitted") or "no").partition(";")[0].strip().casefold() != "no":
        return "auto-submitted"
    if view.has("X-Kopano-Vacation"):
        return "out-of-office answer"
    suppress = (view.header("X-Auto-Response-Suppress") or "").casefold()
    if any(word.strip() in {"all", "oof", "autoreply"} for word in suppress.split(",")):
        return "sender asked for no answer"
    if (view.header("X-Spam-Flag") or "").strip().casefold() == "yes":
        return "spam"
    if view.root.content_type == "multipart/report":
        return "delivery report"
    return ""


def _about_recipients(view: MessageView, own: set[str]) -> str:
    named = {
        address_key(box.address) for name in _RECIPIENT_HEADERS for box in view.addresses(name)
    }
    return "" if named & own else "not addressed to me"
