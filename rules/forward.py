"""Whether a rule may pass a mail on to an address: the guards against loops, and what the administrator allows.

Pure.  What has been forwarded once bears X-Kopano-Rule-Action, and every hop leaves its Delivered-To, so that a loop
ends even where `no_double_forward` is off.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from mailcore.address import address_key
from mailcore.automatic import ACTION_FIELD
from mailcore.envelope import Envelope
from mailcore.errors import PermanentError
from mailcore.header_patterns import HeaderPattern, find_header, parse_header_patterns
from mailcore.hops import delivered_before
from mailcore.path import parse_path_argument
from mailcore.view import MessageView

INHIBIT_FORWARD_HEADERS = ("X-Kopano-Vacation", "Auto-Submitted")


@dataclass(frozen=True, slots=True)
class ForwardPolicy:
    """What the settings of these names allow.

    `inhibit_forward_headers` keep a mail from being passed on; `forward_whitelist_domains` are those of the targets,
    where `*` stands for anything, dots included; `max_received` is the number of Received fields from which a mail
    counts as going round in circles; `max_forwards` is the number of targets that one mail may have.
    """

    no_double_forward: bool = True
    inhibit_forward_headers: tuple[HeaderPattern, ...] = parse_header_patterns(
        INHIBIT_FORWARD_HEADERS
    )
    forward_whitelist_domains: tuple[str, ...] = ("*",)
    max_received: int = 50
    max_forwards: int = 10


@dataclass(frozen=True, slots=True)
class Refusal:
    """The mail is not passed on; `reason` is for the log, and with `notify` the user gets a notice in the Inbox."""

    reason: str
    notify: bool = False


def check_target(
    target: str,
    *,
    view: MessageView,
    envelope: Envelope,
    own_addresses: Collection[str],
    earlier: Collection[str],
    policy: ForwardPolicy,
) -> Refusal | None:
    """None where a rule may pass the mail on to `target`, else why it must not.

    `own_addresses` are those of the mailbox, aliases included; `earlier` are the targets of the same mail for which
    the answer was None before.
    """
    if not _is_address(target):
        return Refusal(f"{target!r} is not an address")
    key = address_key(target)
    own = set(map(address_key, own_addresses))
    reason = _about_mail(view, policy) or _about_route(key, view, envelope, own)
    if reason:
        return Refusal(reason)
    domain = key.rpartition("@")[2]
    if not any(_matches(pattern, domain) for pattern in policy.forward_whitelist_domains):
        return Refusal(
            f"the domain {domain} is not allowed by forward_whitelist_domains", notify=True
        )
    if key in set(map(address_key, earlier)):
        return Refusal("it goes there already")
    if len(earlier) >= policy.max_forwards:
        return Refusal(
            f"it has {policy.max_forwards} targets already, as many as max_forwards allows"
        )
    return None


def _about_mail(view: MessageView, policy: ForwardPolicy) -> str:
    if policy.no_double_forward and view.has(ACTION_FIELD):
        return f"a rule has sent it ({ACTION_FIELD})"
    if name := find_header(view, policy.inhibit_forward_headers):
        return f"it bears {name}, one of inhibit_forward_headers"
    if view.count("Received") >= policy.max_received:
        return f"it has {policy.max_received} Received headers or more: a loop"
    return ""


def _about_route(target: str, view: MessageView, envelope: Envelope, own: set[str]) -> str:
    if target in own:
        return "the target is one's own address"
    authors = {address_key(box.address) for box in view.addresses("From")}
    if target in {address_key(envelope.mail_from), *authors}:
        return "the target has sent it"
    passed = delivered_before(view)
    if target in passed:
        return "it has been delivered to the target before: a loop"
    if passed & own:
        return "it has been delivered here before: a loop"
    return ""


def _is_address(target: str) -> bool:
    try:
        address = parse_path_argument("TO", f"TO:<{target}>").address
    except PermanentError:
        return False
    return "@" in address and address_key(address) == address_key(target)


def _matches(pattern: str, domain: str) -> bool:
    parts = address_key(f"@{pattern.strip()}")[1:].split("*")
    return re.fullmatch(".*".join(map(re.escape, parts)), domain) is not None
