"""The line in the log for each recipient of a message: what became of it, and why."""

import logging
import re
import time

from delivery.plan import Plan
from mailcore.envelope import Envelope
from mailcore.log_fields import LogFields
from mailcore.reply import LmtpReply
from mailcore.view import MessageView
from store.plan import Receipt
from userstore.resolve import Recipient

log = logging.getLogger("delivery")

_QUEUE_ID = re.compile(r"\bid\s+<?([!-:=?-~]+)")


def log_delivery(
    view: MessageView,
    envelope: Envelope,
    recipient: Recipient,
    plan: Plan | None,
    receipt: Receipt | None,
    reply: LmtpReply,
    received_at: float,
) -> None:
    """Write the line; `received_at` in epoch seconds."""
    fields: dict[str, object] = {
        "queue-id": queue_id(view),
        "message-id": view.message_id,
        "size": len(view.raw),
        "from": envelope.mail_from,
        "recipient": recipient.address,
        "user": recipient.user.name,
        "group": recipient.via,
    }
    if plan is not None:
        log_remarks(recipient, plan)
        fields |= {"route": plan.route, "folder": plan.folder, "rule": plan.rule, "oof": plan.oof}
        fields["hop"] = plan.hop
    if receipt is not None:
        fields |= {
            "uid": ",".join(map(str, receipt.uids)),
            "job": receipt.job_id or "",
            "repeat": "yes" if receipt.duplicate else "",
        }
    fields |= {"reply": str(reply), "ms": f"{(time.time() - received_at) * 1000:.1f}"}
    log.info("%s", LogFields(fields))


def log_remarks(recipient: Recipient, plan: Plan) -> None:
    """Warn of what the rules ask for and was not done."""
    for remark in plan.by_rules.remarks if plan.by_rules else ():
        log.warning("%s: rules: %s", recipient.mailbox.owner_name, remark)


def queue_id(view: MessageView) -> str:
    """The queue id of the MTA that handed the message over: in its Received header, which is the first."""
    found = _QUEUE_ID.search(view.header("Received") or "")
    return found[1].rstrip(";") if found else ""
