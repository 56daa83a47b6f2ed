"""Mail that a machine has written, and senders that are machines: neither gets an answer of ours (RFC 3834 section 2).

Each function gives the reason in words for the log, or an empty text where there is none.
"""

import re

from mailcore.address import address_key
from mailcore.view import MessageView

ACTION_FIELD = "X-Kopano-Rule-Action"
"""Stands in every mail that a rule has sent: what the rule did."""
DELEGATED_FIELD = "X-Kopano-Delegated-For"
"""Stands in mail that a rule has passed to a delegate: whose mail it is."""

_ROBOTS = re.compile(
    r"mailer-daemon|postmaster|root|listserv|majordomo|bounces?|(?:do-?not-?|no-?)reply"
    r"|(?:owner|no-?reply|bounces?)-.*"
    r"|.*-(?:request|owner|bounces?|no-?reply)"
)
_LIST_FIELDS = ("Id", "Help", "Subscribe", "Unsubscribe", "Post", "Owner", "Archive")
_BULK = frozenset({"bulk", "list", "junk"})
_NO_ANSWER = frozenset({"all", "oof", "autoreply"})


def why_robot(sender: str) -> str:
    """Why nobody reads what this envelope sender is sent: it is null, or a robot by its name.

    What follows a `+` is not looked at: it names what the robot was doing.

    >>> why_robot("List-Bounces+anna=example.org@example.net")
    'robot sender'
    """
    if not sender:
        return "null sender"
    address = address_key(sender)
    local = address.rpartition("@")[0] or address  # a local MTA may leave the domain out
    return "robot sender" if _ROBOTS.fullmatch(local.partition("+")[0]) else ""


def why_automatic(view: MessageView) -> str:
    """Why this mail wants no automatic answer: a list, bulk mail, an answer itself, spam or a report."""
    if any(view.has(f"List-{name}") for name in _LIST_FIELDS):
        return "mailing list"
    if (view.header("Precedence") or "").strip().casefold() in _BULK:
        return "bulk precedence"
    if not all(map(is_by_hand, view.headers("Auto-Submitted"))):
        return "auto-submitted"
    if view.has(DELEGATED_FIELD):
        return "delegated mail"
    if view.has("X-Kopano-Vacation"):
        return "out-of-office answer"
    suppress = (view.header("X-Auto-Response-Suppress") or "").casefold()
    if any(word.strip() in _NO_ANSWER for word in suppress.split(",")):
        return "sender asked for no answer"
    if (view.header("X-Spam-Flag") or "").strip().casefold() == "yes":
        return "spam"
    if view.root.content_type == "multipart/report":
        return "delivery report"
    return ""


def is_by_hand(auto_submitted: str) -> bool:
    """Whether this value of Auto-Submitted says that a person has sent the mail (RFC 3834 section 5).

    >>> is_by_hand("No; comment=x"), is_by_hand(""), is_by_hand("auto-generated")
    (True, False, False)
    """
    return auto_submitted.partition(";")[0].partition("(")[0].strip().casefold() == "no"
