"""One message for its recipients: from bytes to a submission, and from receipts to replies.

Used by the LMTP edge, by direct delivery and by the booker when it hands a message back.  A recipient whose plan
fails hurts only itself: it gets the message in its Inbox, without rules or answers.  A recipient that is a group
stands for all its members, and its one reply for all of theirs.
"""

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from delivery.arrival import Arrival, Foreign, Wish
from delivery.log_line import log_delivery, log_remarks
from delivery.plan import Plan, plan_delivery, plan_ordinary, plan_plain
from delivery.replies import one_reply, reply_of
from delivery.site import Site
from delivery.trace import trace_headers
from mailcore.envelope import Envelope
from mailcore.errors import TemporaryError
from mailcore.next_hop import next_hop_of
from mailcore.reply import TRY_LATER, LmtpReply
from mailcore.view import MessageView
from rules.message import Folded
from store.jobs import Job
from store.message import prepare_message
from store.plan import Receipt, Submission
from userstore.resolve import Recipient

log = logging.getLogger(__name__)

_NO_WISH = Wish()


@dataclass(frozen=True, slots=True)
class Planned:
    """A message ready to be committed.

    `plans` has an entry for each recipient of each address, None where planning met our own trouble; `submission`
    holds those of them that store something, in the same order.
    """

    view: MessageView
    envelope: Envelope
    addresses: tuple[Sequence[Recipient], ...]
    plans: tuple[tuple[Plan | None, ...], ...]
    submission: Submission
    received_at: float
    site: Site


def plan_message(
    envelope: Envelope,
    addresses: Sequence[Sequence[Recipient]],
    content: bytes,
    site: Site,
    *,
    deduplicate: bool,
    wish: Wish = _NO_WISH,
    foreign: Mapping[int, Foreign] | None = None,
) -> Planned:
    """Plan a message that has just arrived; nothing is done yet.

    `addresses` holds the recipients of each RCPT.  With `deduplicate`, the same bytes from the same sender to the
    same mailbox count once (LMTP).  `foreign` is what is known of folders elsewhere, by mailbox.  Raises TemporaryError
    where a hook fails for the whole message.
    """
    now = time.time()
    came = MessageView(content)
    view = site.hooks.converted(came, envelope) if site.hooks else came
    queue_id = secrets.token_hex(6)
    date = datetime.fromtimestamp(int(now), UTC)
    digest = came.sha256 if deduplicate else None  # whatever a hook makes of it, a repeat is known
    mail = Folded(view, envelope)
    number = 0
    plans: list[tuple[Plan | None, ...]] = []
    for recipients in addresses:
        own: list[Plan | None] = []
        for recipient in recipients:
            arrival = Arrival(
                mail=mail,
                recipient=recipient,
                trace=trace_headers(
                    envelope,
                    recipient.user.address or recipient.user.name,
                    hostname=site.hostname,
                    queue_id=queue_id,
                    date=date,
                ),
                now=now,
                unique=f"{queue_id}.{number}",
                sha256=digest,
                wish=wish,
                foreign=(foreign or {}).get(recipient.mailbox.id, {}),
                hop=next_hop_of(recipient.mailbox.deliver_via, site.settings.delivery.deliver_via),
            )
            number += 1
            own.append(_plan_one(arrival, site))
        plans.append(tuple(own))
    imap = any(recipient.imap for recipients in addresses for recipient in recipients)
    stored = tuple(plan.store for own in plans for plan in own if plan and plan.store)
    submission = Submission(prepare_message(view, imap=imap), stored)
    return Planned(view, envelope, tuple(addresses), tuple(plans), submission, now, site)


def _plan_one(arrival: Arrival, site: Site) -> Plan | None:
    try:
        if site.hooks:
            user = arrival.recipient.user
            said = site.hooks.verdict(arrival.view, arrival.envelope, user, arrival.wish)
            if isinstance(said, LmtpReply):
                return Plan(None, "hook", reply=said)
            arrival = replace(arrival, wish=said)
        return plan_delivery(arrival, site)
    except TemporaryError as error:
        log.warning("%s: no plan now: %s", arrival.recipient.address, error)
        return None
    except Exception:  # a bug of ours must neither lose the mail nor bounce it
        log.exception("%s: delivered without rules", arrival.recipient.address)
    try:
        return plan_plain(arrival)
    except Exception:  # the edge of one recipient: the others must not suffer
        log.exception("%s: no plan", arrival.recipient.address)
        return None


def plan_fallback(
    job: Job, recipient: Recipient, site: Site, *, foreign: Foreign | None = None
) -> Planned:
    """Plan a job's message as ordinary mail, as if the booker did not exist.

    `foreign` is what is known of folders elsewhere.  Raises TemporaryError where the archive cannot be had.
    """
    view = MessageView(job.content)
    envelope = Envelope(job.mail_from, (job.rcpt_to,))
    now = time.time()
    arrival = Arrival(
        mail=Folded(view, envelope),
        recipient=recipient,
        trace=job.trace,
        now=now,
        unique=f"job.{job.id}",
        foreign=foreign or {},
        hop=next_hop_of(recipient.mailbox.deliver_via, site.settings.delivery.deliver_via),
    )
    plan = plan_ordinary(arrival, site)
    log_remarks(recipient, plan)
    assert plan.store is not None
    # It was acknowledged when there was room.
    store = replace(plan.store, hard_quota=0)
    submission = Submission(prepare_message(view, imap=recipient.imap), (store,))
    plans = ((replace(plan, store=store),),)
    return Planned(view, envelope, ((recipient,),), plans, submission, now, site)


def replies_of(
    planned: Planned, receipts: Sequence[Receipt | None] | None
) -> tuple[LmtpReply, ...]:
    """The reply of each address, and a line in the log for each recipient.

    `receipts` is None when nothing was committed, and so is one of them when its plan was not.
    """
    hooks, settings = planned.site.hooks, planned.site.settings.delivery
    remaining = iter(receipts or ())
    replies = []
    for recipients, plans in zip(planned.addresses, planned.plans, strict=True):
        own = []
        for recipient, plan in zip(recipients, plans, strict=True):
            stored = plan is not None and plan.store is not None
            receipt = next(remaining, None) if stored else None
            reply = reply_of(plan, receipt, settings)
            log_delivery(
                planned.view, planned.envelope, recipient, plan, receipt, reply, planned.received_at
            )
            if hooks:
                hooks.delivered(planned.view, planned.envelope, recipient.user, reply)
            own.append(reply)
        replies.append(one_reply(own) if own else TRY_LATER)
    return tuple(replies)
