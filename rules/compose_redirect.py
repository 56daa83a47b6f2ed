"""Mail that a rule passes on as it is: the same bytes below a new block of Resent fields (RFC 5322 section 3.6.6)."""

import re
from email.utils import format_datetime

from mailcore.automatic import ACTION_FIELD, DELEGATED_FIELD
from mailcore.header_text import header_mailbox
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from rules.compose import Dispatch, header_block

_RETURN_PATH = re.compile(rb"^Return-Path:[^\n]*\n(?:[ \t][^\n]*\n)*", re.MULTILINE | re.IGNORECASE)


def compose_redirect(view: MessageView, dispatch: Dispatch, *, mail_from: str) -> OutgoingMail:
    """The original byte for byte, for somebody else.

    `mail_from` is the envelope sender it leaves with: the original's, rewritten by SRS where it goes outside, or null.
    Delivered-To and Received of this delivery go along, so that the next hop can see a loop; Return-Path does not,
    since only the last hop writes it (RFC 5321 section 4.4).
    """
    return _resent(view, dispatch, mail_from, [f"{ACTION_FIELD}: redirect"])


def compose_delegate(view: MessageView, dispatch: Dispatch, *, mail_from: str) -> OutgoingMail:
    """As compose_redirect, and marked as delegated: the delegate's mailbox answers it to nobody by itself."""
    fields = [
        f"{DELEGATED_FIELD}: {header_mailbox('', dispatch.owner.address)}",
        f"{ACTION_FIELD}: delegate",
    ]
    return _resent(view, dispatch, mail_from, fields)


def _resent(
    view: MessageView, dispatch: Dispatch, mail_from: str, fields: list[str]
) -> OutgoingMail:
    head = header_block(
        [
            f"Resent-From: {header_mailbox(*dispatch.owner)}",
            f"Resent-To: {header_mailbox('', dispatch.to)}",
            f"Resent-Date: {format_datetime(dispatch.date)}",
            f"Resent-Message-ID: {dispatch.message_id}",
            *fields,
        ]
    )
    content = head + _RETURN_PATH.sub(b"", dispatch.trace) + view.raw
    return OutgoingMail(mail_from, dispatch.to, content, view.message_id or dispatch.message_id)
