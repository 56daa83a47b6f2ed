"""What the client is told: the reply of one recipient, and the one reply for all members of a group."""

from collections.abc import Sequence

from delivery.plan import Plan
from mailcore.reply import MAILBOX_FULL, MAILBOX_FULL_NOW, TRY_LATER, LmtpReply
from mailcore.settings import DeliverySettings
from store.plan import Receipt


def reply_of(plan: Plan | None, receipt: Receipt | None, settings: DeliverySettings) -> LmtpReply:
    """The reply for one recipient; without a receipt nothing was committed for it."""
    if plan is None:
        return TRY_LATER
    if plan.store is None:
        return plan.reply
    if receipt is None:
        return TRY_LATER
    if receipt.over_quota:
        return full_reply(settings)
    return plan.reply


def full_reply(settings: DeliverySettings) -> LmtpReply:
    """The reply for a mailbox over its hard quota."""
    return MAILBOX_FULL if settings.quota_full == "reject" else MAILBOX_FULL_NOW


def one_reply(replies: Sequence[LmtpReply]) -> LmtpReply:
    """One reply for the members of a group, at least one.

    Who tries again reaches only those who have not got the mail yet (the ledger knows the others), so a member's
    temporary trouble is everybody's.  A member who is full keeps the mail in the client's queue while others could
    take it; the refusal that counts in the end is the client's own bounce, which names the group.  Where all refuse,
    the group does.

    >>> str(one_reply([MAILBOX_FULL, LmtpReply(250, "2.1.5", "delivered")]))
    '452 4.2.2 mailbox is full, please try again later'
    """
    temporary = [reply for reply in replies if 400 <= reply.code < 500]
    if temporary:
        return temporary[0]
    taken = [reply for reply in replies if reply.positive]
    if not taken:
        return replies[0]
    return MAILBOX_FULL_NOW if MAILBOX_FULL in replies else taken[0]
