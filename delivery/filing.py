"""Where a message goes: filings in folders, and what a user's rules make of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from delivery.arrival import Arrival
from mailcore.errors import UsageError
from rules.evaluate import evaluate
from rules.model import Rule, parse_rule
from store.mailboxes import INBOX, Mailbox
from store.plan import SEEN, Filing, NewFolder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Filed:
    """What the rules made of a message: its copies, their folders, and the rules that matched, for the log."""

    filings: tuple[Filing, ...]
    folder: str
    rule: str


def inbox(mailbox: Mailbox) -> int:
    """The folder that takes what has no other place."""
    return mailbox.special[INBOX]


def filing(
    arrival: Arrival,
    folder_id: int | NewFolder,
    flags: int = 0,
    *,
    store_id: int | None = None,
) -> Filing:
    """A copy of the message as it came in one folder."""
    wish = arrival.wish
    return Filing(
        folder_id=folder_id,
        trace=arrival.trace,
        internal_date=arrival.now if wish.delivered_at is None else wish.delivered_at,
        flags=flags | (SEEN if wish.read else 0),
        imap=arrival.recipient.imap,
        store_id=store_id,
    )


def file_by_rules(arrival: Arrival, *, oof_active: bool) -> Filed:
    """Let the rules decide.

    A move takes the message out of the Inbox; when every target of a move is missing the Inbox keeps it.
    """
    mailbox = arrival.recipient.mailbox
    matched = evaluate(arrival.view, _rules(mailbox), oof_active=oof_active)
    names = ", ".join(one.rule for one in matched)
    actions = [action for one in matched for action in one.actions]
    flags = SEEN if any(action.kind == "mark-read" for action in actions) else 0
    if any(action.kind == "delete" for action in actions):
        return Filed((), "", names)
    targets: dict[str, int] = {}
    moved = False
    for action in actions:
        if action.kind in {"move", "copy"}:
            folder_id = mailbox.folders.get(action.folder)
            if folder_id is None:
                log.warning("%s: a rule names no folder: %s", mailbox.owner_name, action.folder)
                continue
            targets[action.folder] = folder_id
            moved = moved or action.kind == "move"
    if not moved:
        targets = {"Inbox": inbox(mailbox), **targets}
    filings = tuple(filing(arrival, folder_id, flags) for folder_id in targets.values())
    return Filed(filings, ", ".join(targets), names)


def _rules(mailbox: Mailbox) -> Sequence[Rule]:
    """The usable rules; one that cannot be read is logged and hurts neither the others nor the delivery."""
    usable = []
    for stored in mailbox.rules:
        if not stored.enabled:
            continue
        try:
            usable.append(_parsed(stored.document))
        except UsageError as error:
            log.warning("%s: rule %d is left out: %s", mailbox.owner_name, stored.id, error)
    return usable


@lru_cache(maxsize=4096)
def _parsed(document: str) -> Rule:
    return parse_rule(document)
