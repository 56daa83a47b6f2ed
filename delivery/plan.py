"""The plan for one message and one recipient, made from values: junk? booking? rules, out-of-office.

Nothing is done here and nothing is read: the recipient was loaded when it was resolved, the memory of who got an
out-of-office answer is settled by the store in the transaction that writes the answer.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from delivery.archive import archive_filing
from delivery.arrival import Arrival, ForeignFolder
from delivery.filing import file_by_rules, filing, inbox
from delivery.verdict import verdict
from mailcore.address import address_key
from mailcore.meeting import meeting_method
from mailcore.reply import DELIVERED, LmtpReply
from mailcore.settings import DeliverySettings, Settings
from mailcore.view import MessageView
from oof.compose import compose_answer
from oof.decide import Respond, decide
from oof.settings import TIME_LIMIT, OofSettings
from store.mailboxes import JUNK, StoredOof
from store.plan import Filing, NewFolder, NewJob, OofClaim, Outgoing, StorePlan, ledger_key
from store.public import PUBLIC

BOOKING_METHODS = frozenset({"REQUEST", "CANCEL"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be committed, and how it came to that, in the words of the log.

    Without `store` nothing will be, and `reply` says why; else it is the reply when that is on disk.
    """

    store: StorePlan | None
    route: str
    folder: str = ""
    rule: str = ""
    oof: str = ""
    reply: LmtpReply = DELIVERED


def plan_delivery(arrival: Arrival, settings: Settings) -> Plan:
    """Plan a message as it arrives: is it taken at all? junk, then the booker's, then ordinary mail."""
    mailbox = arrival.recipient.mailbox
    refused = verdict(arrival, settings.delivery)
    if refused is not None:
        return Plan(None, "expired" if refused.positive else "loop", reply=refused)
    if arrival.wish.folder:
        return _with_archive(arrival, _plan_wish(arrival), settings)
    if arrival.wish.junk or is_spam(arrival.view, settings.delivery):
        folder_id = mailbox.special.get(JUNK) or inbox(mailbox)
        return Plan(_store_plan(arrival, (filing(arrival, folder_id),)), "junk", "Junk E-mail")
    if mailbox.mr_accept and meeting_method(arrival.view.root) in BOOKING_METHODS:
        return Plan(_store_plan(arrival, (), job=_job(arrival)), "booking")
    return plan_ordinary(arrival, settings)


def plan_ordinary(arrival: Arrival, settings: Settings) -> Plan:
    """Plan a message as ordinary mail, with rules and out-of-office; the booker's fallback too."""
    oof = _oof_settings(arrival.recipient.mailbox.oof)
    detail = _detail_folder(arrival, settings.delivery)
    if detail is None and arrival.wish.rules:
        active = oof is not None and oof.active(arrival.now)
        filed = file_by_rules(arrival, oof_active=active)
        filings, folder, rule = filed.filings, filed.folder, filed.rule
    else:  # rules are for what comes into the Inbox
        folder, folder_id = detail or ("Inbox", inbox(arrival.recipient.mailbox))
        filings, rule = (filing(arrival, folder_id),), ""
    answer, reason = _answer(arrival, oof)
    plan = Plan(
        store=_store_plan(arrival, filings, outgoing=answer),
        route="rule" if rule else "detail" if detail else "inbox",
        folder=folder,
        rule=rule,
        oof=reason,
    )
    return _with_archive(arrival, plan, settings)


def plan_plain(arrival: Arrival) -> Plan:
    """Plan a message for the Inbox and nothing else: for what no rule and no answer can be made of."""
    return Plan(_store_plan(arrival, (filing(arrival, inbox(arrival.recipient.mailbox)),)), "plain")


def is_spam(view: MessageView, settings: DeliverySettings) -> bool:
    """Whether the spam filter before us has marked this message, in any of its headers of that name."""
    wanted = settings.spam_header_value.casefold()
    return bool(settings.spam_header_name) and any(
        wanted in value.casefold() for value in view.headers(settings.spam_header_name)
    )


def _plan_wish(arrival: Arrival) -> Plan:
    """Into the folder that the command line names; where it cannot be had the Inbox takes the mail."""
    wish, mailbox = arrival.wish, arrival.recipient.mailbox
    if wish.public:
        place = arrival.foreign.get((PUBLIC, wish.folder))
        if isinstance(place, ForeignFolder):
            filed = filing(arrival, place.folder_id, store_id=place.store_id)
            return Plan(_store_plan(arrival, (filed,)), "public", wish.folder)
    else:
        folder_id: int | NewFolder | None = mailbox.folder_of(wish.folder)
        if folder_id is None and wish.create:
            folder_id = NewFolder(mailbox.id, wish.folder)
        if folder_id is not None:
            return Plan(_store_plan(arrival, (filing(arrival, folder_id),)), "folder", wish.folder)
    return replace(plan_plain(arrival), route="inbox", folder="Inbox")


def _with_archive(arrival: Arrival, plan: Plan, settings: Settings) -> Plan:
    """The plan with a copy for the archive, where there is one."""
    copy = archive_filing(arrival, settings.delivery)
    if copy is None or plan.store is None:
        return plan
    return replace(plan, store=replace(plan.store, filings=(*plan.store.filings, copy)))


def _detail_folder(arrival: Arrival, settings: DeliverySettings) -> tuple[str, int] | None:
    """The folder that user+detail names, where the setting asks for it and there is one."""
    detail = arrival.recipient.detail
    if not detail or not settings.detail_folder:
        return None
    folder_id = arrival.recipient.mailbox.folder_of(detail)
    return None if folder_id is None else (detail, folder_id)


def _store_plan(
    arrival: Arrival,
    filings: tuple[Filing, ...],
    *,
    job: NewJob | None = None,
    outgoing: tuple[Outgoing, ...] = (),
) -> StorePlan:
    recipient = arrival.recipient
    key = None
    if arrival.sha256 is not None:
        key = ledger_key(recipient.detail, arrival.envelope.mail_from, arrival.sha256)
    return StorePlan(
        recipient.mailbox.id, filings, job, outgoing, key, hard_quota=recipient.quota.hard
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
