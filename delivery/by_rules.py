"""What a user's rules make of a message: copies, flags, and mail that leaves (docs/rules.md).

A move takes the message out of the Inbox, and later rules go on; where no target of a move can be had the Inbox keeps
it.  Delete and bounce leave no copy in the Inbox either, unless the mail should have been passed on to somebody and
could not be; copies that rules have put elsewhere stay.  A rule that cannot be read hurts neither the others nor the
delivery: its owner gets a notice, once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from delivery.arrival import Arrival, ForeignFolder
from delivery.by_rules_sent import Sender
from delivery.filing import filing, inbox, place_of
from delivery.rule_notice import compose_rule_notice
from delivery.site import Site
from mailcore.address import address_key
from mailcore.view import MessageView
from rules.actions import (
    Action,
    Bounce,
    Copy,
    Delete,
    Flag,
    MarkRead,
    Move,
    Reply,
    SetImportance,
    Tag,
)
from rules.evaluate import evaluate
from rules.message import Me
from rules.model import BadRule, ParsedRules, Rule, parse_rules
from store.mailboxes import Mailbox, StoredRule
from store.message import prepare_message
from store.plan import FLAGGED, SEEN, Filing, NewFolder, Notice, Outgoing
from userstore.resolve import Recipient

IMPORTANT = "$Important"
"""The keyword of RFC 8457; other importance is told by a header of the copy."""
_ALWAYS = 64  # mailboxes whose rules are kept parsed


@dataclass(slots=True)
class Filed:
    """What the rules made of a message: copies and their folders, mail that leaves, notices; names for the log.

    `remarks` say what was not done as a rule asks for it, and why.
    """

    filings: tuple[Filing, ...] = ()
    folder: str = ""
    rule: str = ""
    outgoing: tuple[Outgoing, ...] = ()
    notices: tuple[Notice, ...] = ()
    remarks: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def parsed(stored: tuple[StoredRule, ...]) -> ParsedRules:
    """The rules of a mailbox, read once as long as they do not change."""
    return parse_rules(stored)


def me_of(recipient: Recipient, site: Site) -> Me:
    """For whom the rules run."""
    return Me(
        frozenset(map(address_key, (*recipient.user.addresses, recipient.address))),
        recipient.groups,
        site.settings.delivery.spam_header_name,
    )


def obeyed_rules(arrival: Arrival, site: Site, *, oof_active: bool) -> tuple[Rule, ...]:
    """The rules that this message meets, in their order."""
    rules = parsed(arrival.recipient.mailbox.rules).rules
    if not rules:
        return ()
    me = me_of(arrival.recipient, site)
    return evaluate(arrival.mail, rules, me=me, oof_active=oof_active, now=arrival.now)


def file_by_rules(arrival: Arrival, site: Site, *, oof_active: bool) -> Filed:
    """Let the rules decide."""
    rules = obeyed_rules(arrival, site, oof_active=oof_active)
    filed = Filed(rule=", ".join(rule.name for rule in rules))
    sender = Sender(arrival, site)
    copies = _Copies(arrival)
    for rule in rules:
        for action in rule.actions:
            if isinstance(action, Reply):
                sender.reply(action)
            elif isinstance(action, Bounce):
                copies.dropped = sender.bounce(action) or copies.dropped
            elif not copies.take(action):
                sender.pass_on(action)
    # What was to be passed on and deleted, and could not be passed on, would be lost.
    copies.dropped = copies.dropped and not sender.kept_back
    filed.filings, filed.folder = copies.filings()
    filed.outgoing = tuple(sender.outgoing)
    filed.notices = (*sender.notices, *_notices_of_bad_rules(arrival, site))
    filed.remarks = (*copies.remarks, *sender.remarks, *_remarks_on_bad_rules(arrival))
    return filed


class _Copies:
    """The copies as the actions ask for them, one after the other."""

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._places: dict[str, int | NewFolder | ForeignFolder] = {}
        self._moved = False
        self._flags = 0
        self._keywords: dict[str, None] = {}
        self._importance = ""
        self.dropped = False
        self.remarks: list[str] = []

    def take(self, action: Action) -> bool:
        """Do what an action asks of the copies; False for one that asks for something else."""
        match action:
            case Move(folder, create, store) | Copy(folder, create, store):
                self._place(folder, create, store, moves=isinstance(action, Move))
            case Delete():
                self.dropped = True
            case MarkRead():
                self._flags |= SEEN
            case Flag():
                self._flags |= FLAGGED
            case Tag(keyword):
                self._keywords[keyword] = None
            case SetImportance(importance):
                self._importance = importance
            case _:
                return False
        return True

    def _place(self, path: str, create: bool, store: str, *, moves: bool) -> None:
        place = place_of(self._arrival, path, store=store, create=create)
        if isinstance(place, str):
            self.remarks.append(place)
            return
        self._places[f"{store}:{path}" if store else path] = place
        self._moved = self._moved or moves

    def filings(self) -> tuple[tuple[Filing, ...], str]:
        """The copies and, for the log, the names of their folders."""
        places = self._places
        if not (self._moved or self.dropped):
            places = {"Inbox": inbox(self._arrival.recipient.mailbox), **places}
        keywords = tuple(self._keywords)
        header = b""
        if self._importance == "high":
            keywords = (*keywords, IMPORTANT)
        if self._importance:
            header = f"Importance: {self._importance}\r\n".encode()
        unique = {place: name for name, place in reversed(places.items())}
        filings = [
            filing(self._arrival, place, self._flags, keywords=keywords, header=header)
            for place in reversed(unique)
        ]
        return tuple(filings), ", ".join(places)


def _bad_rules(mailbox: Mailbox) -> Iterator[tuple[BadRule, StoredRule]]:
    """The rules that cannot be read, and are not switched off."""
    stored = {one.id: one for one in mailbox.rules}
    return ((bad, stored[bad.id]) for bad in parsed(mailbox.rules).bad if stored[bad.id].enabled)


def _remarks_on_bad_rules(arrival: Arrival) -> Iterator[str]:
    for bad, _ in _bad_rules(arrival.recipient.mailbox):
        yield f"number {bad.id} is left out: {bad.text}"


def _notices_of_bad_rules(arrival: Arrival, site: Site) -> Iterator[Notice]:
    """A notice about each rule that cannot be read and has not been told of."""
    mailbox = arrival.recipient.mailbox
    for bad, stored in _bad_rules(mailbox):
        if stored.reported:
            continue
        content = compose_rule_notice(arrival, bad, site.hostname)
        message = prepare_message(MessageView(content), imap=arrival.recipient.imap)
        place = Filing(
            inbox(mailbox), b"Return-Path: <>\r\n", arrival.now, imap=arrival.recipient.imap
        )
        yield Notice(message, place, rule_id=bad.id)
