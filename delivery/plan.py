"""The plan for one message and one recipient, made from values: junk? booking? rules, out-of-office.

Nothing is done here and nothing is read: the recipient was loaded when it was resolved, the memory of who got an
out-of-office answer is settled by the store in the transaction that writes the answer.
"""

import logging
from dataclasses import dataclass, replace

from delivery.answer import absence_of, answer
from delivery.archive import archive_filing
from delivery.arrival import Arrival
from delivery.by_rules import Filed, file_by_rules
from delivery.filing import filing, inbox, place_of
from delivery.site import Site
from delivery.verdict import has_been_here, verdict
from mailcore.meeting import BOOKING_METHODS, meeting_method
from mailcore.reply import DELIVERED, LmtpReply
from mailcore.settings import DeliverySettings
from mailcore.view import MessageView
from store.mailboxes import JUNK
from store.plan import Filing, NewFolder, NewJob, Notice, Outgoing, StorePlan, ledger_key
from store.public import PUBLIC

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be committed, and how it came to that, in the words of the log.

    Without `store` nothing will be, and `reply` says why; else it is the reply when that is on disk.  `hop` is the
    next hop that was asked to take the message.  `by_rules` is what the rules made of it, None where none was asked.
    """

    store: StorePlan | None
    route: str
    folder: str = ""
    rule: str = ""
    oof: str = ""
    reply: LmtpReply = DELIVERED
    hop: str = ""
    by_rules: Filed | None = None


def plan_delivery(arrival: Arrival, site: Site) -> Plan:
    """Plan a message as it arrives: is it taken at all? junk, then the booker's, then ordinary mail."""
    mailbox, settings = arrival.recipient.mailbox, site.settings
    refused = verdict(arrival, settings.delivery)
    if refused is not None:
        return Plan(None, "expired" if refused.positive else "loop", reply=refused)
    if has_been_here(arrival):
        return _with_archive(arrival, plan_plain(arrival, "loop"), settings.delivery)
    if arrival.wish.folder:
        return _with_archive(arrival, _plan_wish(arrival), settings.delivery)
    if arrival.wish.junk or is_spam(arrival.view, settings.delivery):
        folder_id = mailbox.special.get(JUNK) or inbox(mailbox)
        filed = _store_plan(arrival, (filing(arrival, folder_id),))
        return Plan(filed, "junk", "Junk E-mail", oof="junk")
    if mailbox.mr_accept and meeting_method(arrival.view.root) in BOOKING_METHODS:
        return Plan(
            _store_plan(arrival, (), job=_job(arrival)), "booking", oof="left to the booker"
        )
    return plan_ordinary(arrival, site)


def plan_ordinary(arrival: Arrival, site: Site) -> Plan:
    """Plan a message as ordinary mail, with rules and out-of-office; the booker's fallback too."""
    settings = site.settings.delivery
    oof = absence_of(arrival.recipient.mailbox.oof)
    detail = _detail_folder(arrival, settings)
    asked = detail is None and arrival.wish.rules
    if asked:
        filed = file_by_rules(arrival, site, oof_active=oof is not None and oof.active(arrival.now))
    else:  # rules are for what comes into the Inbox
        folder, folder_id = detail or ("Inbox", inbox(arrival.recipient.mailbox))
        filed = Filed((filing(arrival, folder_id),), folder)
    answers, reason = answer(arrival, oof, site)
    outgoing = (*filed.outgoing, *answers)
    plan = Plan(
        store=_store_plan(arrival, filed.filings, outgoing=outgoing, notices=filed.notices),
        route="rule" if filed.rule else "detail" if detail else "inbox",
        folder=filed.folder,
        rule=filed.rule,
        oof=reason,
        by_rules=filed if asked else None,
    )
    return _with_archive(arrival, plan, settings)


def plan_plain(arrival: Arrival, route: str = "plain") -> Plan:
    """Plan a message for the Inbox and nothing else: where no rule and no answer can, or may, be made of it."""
    filed = filing(arrival, inbox(arrival.recipient.mailbox))
    return Plan(_store_plan(arrival, (filed,)), route, "Inbox")


def is_spam(view: MessageView, settings: DeliverySettings) -> bool:
    """Whether the spam filter before us has marked this message, in any of its headers of that name."""
    wanted = settings.spam_header_value.casefold()
    return bool(settings.spam_header_name) and any(
        wanted in value.casefold() for value in view.headers(settings.spam_header_name)
    )


def _plan_wish(arrival: Arrival) -> Plan:
    """Into the folder that the command line or a hook names; where it cannot be had the Inbox takes the mail."""
    wish = arrival.wish
    store = PUBLIC if wish.public else ""
    place = place_of(arrival, wish.folder, store=store, create=wish.create)
    if isinstance(place, str):
        log.warning("%s: into the Inbox: %s", arrival.recipient.mailbox.owner_name, place)
        return plan_plain(arrival, "inbox")
    route = "public" if wish.public else "folder"
    return Plan(_store_plan(arrival, (filing(arrival, place),)), route, wish.folder)


def _with_archive(arrival: Arrival, plan: Plan, settings: DeliverySettings) -> Plan:
    """The plan with a copy for the archive, where there is one."""
    copy = archive_filing(arrival, settings)
    if copy is None or plan.store is None:
        return plan
    return replace(plan, store=replace(plan.store, filings=(*plan.store.filings, copy)))


def _detail_folder(
    arrival: Arrival, settings: DeliverySettings
) -> tuple[str, int | NewFolder] | None:
    """The folder that user+detail names, where the setting asks for it and there is one (or a next hop may have it)."""
    detail = arrival.recipient.detail
    if not detail or not settings.detail_folder:
        return None
    if arrival.hop:
        folder = NewFolder(arrival.recipient.mailbox.id, detail)
        return (detail, folder) if settings.deliver_via_detail else None
    folder_id = arrival.recipient.mailbox.folder_of(detail)
    return None if folder_id is None else (detail, folder_id)


def _store_plan(
    arrival: Arrival,
    filings: tuple[Filing, ...],
    *,
    job: NewJob | None = None,
    outgoing: tuple[Outgoing, ...] = (),
    notices: tuple[Notice, ...] = (),
) -> StorePlan:
    recipient = arrival.recipient
    key = None
    if arrival.sha256 is not None:
        key = ledger_key(recipient.detail, arrival.envelope.mail_from, arrival.sha256)
    hard_quota = 0 if arrival.hop else recipient.quota.hard
    return StorePlan(recipient.mailbox.id, filings, job, outgoing, key, hard_quota, notices)


def _job(arrival: Arrival) -> NewJob:
    return NewJob(
        mail_from=arrival.envelope.mail_from,
        rcpt_to=arrival.recipient.address,
        message_id=arrival.view.message_id,
        subject=arrival.view.subject,
        content=arrival.view.raw,
        trace=arrival.trace,
    )
