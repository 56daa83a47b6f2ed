"""Where a message goes: filings in folders, and what a user's rules make of them."""

import logging
from dataclasses import dataclass

from delivery.arrival import Arrival
from mailcore.address import address_key
from rules.actions import Copy, MarkRead, Move
from rules.evaluate import evaluate
from rules.message import Folded, Me
from rules.model import Rule, parse_rules
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
    obeyed = _obeyed(arrival, oof_active=oof_active)
    names = ", ".join(rule.name for rule in obeyed)
    actions = [action for rule in obeyed for action in rule.actions]
    flags = SEEN if any(isinstance(action, MarkRead) for action in actions) else 0
    if any(rule.deletes for rule in obeyed):
        return Filed((), "", names)
    targets: dict[str, int] = {}
    moved = False
    for action in actions:
        if isinstance(action, Move | Copy):
            folder_id = None if action.store else mailbox.folders.get(action.folder)
            if folder_id is None:
                log.warning("%s: a rule names no folder: %s", mailbox.owner_name, action.folder)
                continue
            targets[action.folder] = folder_id
            moved = moved or isinstance(action, Move)
    if not moved:
        targets = {"Inbox": inbox(mailbox), **targets}
    filings = tuple(filing(arrival, folder_id, flags) for folder_id in targets.values())
    return Filed(filings, ", ".join(targets), names)


def _obeyed(arrival: Arrival, *, oof_active: bool) -> tuple[Rule, ...]:
    """The rules that the message meets; one that cannot be read is logged and hurts neither the others nor the mail."""
    mailbox = arrival.recipient.mailbox
    if not mailbox.rules:
        return ()
    parsed = parse_rules(stored for stored in mailbox.rules if stored.enabled)
    for bad in parsed.bad:
        log.warning("%s: rule %d is left out: %s", mailbox.owner_name, bad.id, bad.text)
    return evaluate(
        Folded(arrival.view, arrival.envelope),
        parsed.rules,
        me=Me(frozenset(map(address_key, arrival.recipient.user.addresses))),
        oof_active=oof_active,
        now=arrival.now,
    )
