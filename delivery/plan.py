"""The plan for one message and one recipient, made from values: junk? booking? rules, out-of-office.

Nothing is done here and nothing is read: the recipient was loaded when it was resolved, the memory of who got an
out-of-office answer is settled by the store in the transaction that writes the answer.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from mailcore.address import address_key
from mailcore.envelope import Envelope
from mailcore.errors import UsageError
from mailcore.meeting import meeting_method
from mailcore.settings import LmtpSettings
from mailcore.view import MessageView
from oof.compose import compose_answer
from oof.decide import Respond, decide
from oof.settings import TIME_LIMIT, OofSettings
from rules.evaluate import Matched, evaluate
from rules.model import Rule, parse_rule
from store.mailboxes import INBOX, JUNK, Mailbox, StoredOof
from store.plan import SEEN, Filing, NewJob, OofClaim, Outgoing, StorePlan, ledger_key
from userstore.resolve import Recipient

log = logging.getLogger(__name__)

BOOKING_METHODS = frozenset({"REQUEST", "CANCEL"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message on its way to one recipient.

    `trace` are the headers put before it, `now` is in epoch seconds, `sha256` the digest of the bytes (None where
    repeats are not looked for), `unique` a text that makes a Message-ID of ours unique.
    """

    view: MessageView
    envelope: Envelope
    recipient: Recipient
    trace: bytes
    now: float
    hostname: str
    unique: str
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be committed, and how it came to that, in the words of the log."""

    store: StorePlan
    route: str
    folder: str
    rule: str = ""
    oof: str = ""


def plan_delivery(arrival: Arrival, settings: LmtpSettings) -> Plan:
    """Plan a message as it arrives: junk, then the booker's, then ordinary mail."""
    mailbox = arrival.recipient.mailbox
    if is_spam(arrival.view, settings):
        folder_id = mailbox.special.get(JUNK, mailbox.special[INBOX])
        return Plan(_store_plan(arrival, (_filing(arrival, folder_id),)), "junk", "Junk E-mail")
    if mailbox.mr_accept and meeting_method(arrival.view.root) in BOOKING_METHODS:
        return Plan(_store_plan(arrival, (), job=_job(arrival)), "booking", "")
    return plan_ordinary(arrival)


def plan_ordinary(arrival: Arrival) -> Plan:
    """Plan a message as ordinary mail, with rules and out-of-office; the booker's fallback too."""
    mailbox = arrival.recipient.mailbox
    oof = _oof_settings(mailbox.oof)
    active = oof is not None and oof.active(arrival.now)
    matched = evaluate(arrival.view, _rules(mailbox), oof_active=active)
    filings, folder = _file(arrival, matched)
    answer, reason = _answer(arrival, oof)
    return Plan(
        store=_store_plan(arrival, filings, outgoing=answer),
        route="rule" if matched else "inbox",
        folder=folder,
        rule=", ".join(one.rule for one in matched),
        oof=reason,
    )


def is_spam(view: MessageView, settings: LmtpSettings) -> bool:
    """Whether the spam filter before us has marked this message, in any of its headers of that name."""
    wanted = settings.spam_header_value.casefold()
    return bool(settings.spam_header_name) and any(
        wanted in value.casefold() for value in view.headers(settings.spam_header_name)
    )


def _store_plan(
    arrival: Arrival,
    filings: tuple[Filing, ...],
    *,
    job: NewJob | None = None,
    outgoing: tuple[Outgoing, ...] = (),
) -> StorePlan:
    key = None
    if arrival.sha256 is not None:
        key = ledger_key("", arrival.envelope.mail_from, arrival.sha256)
    return StorePlan(arrival.recipient.mailbox.id, filings, job, outgoing, key)


def _filing(arrival: Arrival, folder_id: int, flags: int = 0) -> Filing:
    return Filing(
        folder_id=folder_id,
        trace=arrival.trace,
        internal_date=arrival.now,
        flags=flags,
        imap=arrival.recipient.imap,
    )


def _job(arrival: Arrival) -> NewJob:
    return NewJob(
        mail_from=arrival.envelope.mail_from,
        rcpt_to=arrival.recipient.address,
        message_id=arrival.view.message_id,
        subject=arrival.view.subject,
        content=arrival.view.raw,
        trace=arrival.trace,
    )


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


def _file(arrival: Arrival, matched: Sequence[Matched]) -> tuple[tuple[Filing, ...], str]:
    """Turn the rules' actions into filings.

    A move takes the message out of the Inbox; when every target of a move is missing the Inbox keeps it.
    """
    mailbox = arrival.recipient.mailbox
    actions = [action for one in matched for action in one.actions]
    flags = SEEN if any(action.kind == "mark-read" for action in actions) else 0
    if any(action.kind == "delete" for action in actions):
        return (), ""
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
        targets = {"Inbox": mailbox.special[INBOX], **targets}
    filings = tuple(_filing(arrival, folder_id, flags) for folder_id in targets.values())
    return filings, ", ".join(targets)


def _oof_settings(stored: StoredOof | None) -> OofSettings | None:
    if stored is None:
        return None
    return OofSettings(
        stored.enabled, stored.subject, stored.message, stored.starts_at, stored.ends_at
    )


def _answer(arrival: Arrival, oof: OofSettings | None) -> tuple[tuple[Outgoing, ...], str]:
    """The out-of-office answer, if one is due, and the decision in a word for the log."""
    user = arrival.recipient.user
    if oof is None:
        return (), "not active"
    decision = decide(arrival.view, arrival.envelope, user.addresses, oof, arrival.now)
    if not isinstance(decision, Respond):
        return (), decision.reason
    mail = compose_answer(
        arrival.view,
        oof,
        sender=(user.fullname, user.address),
        to=decision.to,
        date=datetime.fromtimestamp(arrival.now, UTC),
        message_id=f"<oof.{arrival.unique}@{arrival.hostname}>",
    )
    claim = OofClaim(address_key(decision.to), arrival.now - TIME_LIMIT)
    return (Outgoing("oof", oof.subject, mail, claim=claim),), "answered"
