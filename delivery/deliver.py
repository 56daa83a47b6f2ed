"""One message for its recipients: from bytes to a submission, and from receipts to replies.

Used by the LMTP edge, by direct delivery and by the booker when it hands a message back.  A recipient whose plan
fails hurts only itself.
"""

import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from delivery.plan import Arrival, Plan, plan_delivery, plan_ordinary
from delivery.trace import trace_headers
from mailcore.envelope import Envelope
from mailcore.log_fields import log_fields
from mailcore.reply import DELIVERED, TRY_LATER, LmtpReply
from mailcore.settings import LmtpSettings
from mailcore.view import MessageView
from store.jobs import Job
from store.message import prepare_message
from store.plan import Receipt, Submission
from userstore.resolve import Recipient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """A message ready to be committed.

    `plans` has an entry per recipient, None where planning failed; `submission` holds those that did not.
    """

    view: MessageView
    envelope: Envelope
    recipients: tuple[Recipient, ...]
    plans: tuple[Plan | None, ...]
    submission: Submission
    received_at: float


def plan_message(
    envelope: Envelope,
    recipients: Sequence[Recipient],
    content: bytes,
    *,
    settings: LmtpSettings,
    hostname: str,
    deduplicate: bool,
) -> Planned:
    """Plan a message that has just arrived; nothing is done yet.

    With `deduplicate`, the same bytes from the same sender to the same mailbox count once (LMTP).
    """
    now = time.time()
    view = MessageView(content)
    queue_id = secrets.token_hex(6)
    date = datetime.fromtimestamp(int(now), UTC)
    digest = view.sha256 if deduplicate else None
    plans: list[Plan | None] = []
    for number, recipient in enumerate(recipients):
        trace = trace_headers(
            envelope,
            recipient.user.address or recipient.user.name,
            hostname=hostname,
            queue_id=queue_id,
            date=date,
        )
        unique = f"{queue_id}.{number}"
        arrival = Arrival(view, envelope, recipient, trace, now, hostname, unique, digest)
        plans.append(_plan_one(arrival, settings))
    message = prepare_message(view, imap=any(recipient.imap for recipient in recipients))
    made = tuple(plan.store for plan in plans if plan is not None)
    return Planned(view, envelope, tuple(recipients), tuple(plans), Submission(message, made), now)


def _plan_one(arrival: Arrival, settings: LmtpSettings) -> Plan | None:
    try:
        return plan_delivery(arrival, settings)
    except Exception:  # the edge of one recipient: the others must not suffer
        log.exception("no plan for %s", arrival.recipient.address)
        return None


def plan_fallback(job: Job, recipient: Recipient, *, hostname: str) -> Submission:
    """Plan a job's message as ordinary mail, as if the booker did not exist."""
    view = MessageView(job.content)
    envelope = Envelope(job.mail_from, (job.rcpt_to,))
    arrival = Arrival(view, envelope, recipient, job.trace, time.time(), hostname, f"job.{job.id}")
    plan = plan_ordinary(arrival)
    return Submission(prepare_message(view, imap=recipient.imap), (plan.store,))


def replies_of(planned: Planned, receipts: Sequence[Receipt] | None) -> tuple[LmtpReply, ...]:
    """The reply of each recipient, and its line in the log; `receipts` is None when nothing was committed."""
    remaining = iter(receipts or ())
    replies = []
    for recipient, plan in zip(planned.recipients, planned.plans, strict=True):
        receipt = next(remaining, None) if plan is not None else None
        reply = DELIVERED if receipt is not None else TRY_LATER
        replies.append(reply)
        _log_line(planned, recipient, plan, receipt, reply)
    return tuple(replies)


def _log_line(
    planned: Planned,
    recipient: Recipient,
    plan: Plan | None,
    receipt: Receipt | None,
    reply: LmtpReply,
) -> None:
    fields: dict[str, object] = {
        "message-id": planned.view.message_id,
        "size": len(planned.view.raw),
        "from": planned.envelope.mail_from,
        "recipient": recipient.address,
        "user": recipient.user.name,
    }
    if plan is not None:
        fields |= {"route": plan.route, "folder": plan.folder, "rule": plan.rule, "oof": plan.oof}
    if receipt is not None:
        fields |= {
            "uid": ",".join(map(str, receipt.uids)),
            "job": receipt.job_id or "",
            "repeat": "yes" if receipt.duplicate else "",
        }
    fields |= {
        "reply": str(reply),
        "ms": f"{(time.time() - planned.received_at) * 1000:.1f}",
    }
    log.info("%s", log_fields(fields))
