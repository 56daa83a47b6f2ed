"""What all mail has in common that a rule sends: who sends it, to whom, and the headers that keep it from circling.

Auto-Submitted is `auto-replied` for a reply.  A forwarded mail is `auto-generated`: RFC 3834 section 5 has no word for
forwarding, and gives this one to what a program sends by itself and not as an answer.  So no autoresponder answers it,
and no rule of another server passes it on again.  A redirected mail keeps what it has: it is still its author's.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mailcore.automatic import ACTION_FIELD
from mailcore.charset import one_line
from mailcore.header_text import header_address, header_mailbox, header_text, threading_fields
from mailcore.headers import Mailbox
from mailcore.view import MessageView

_LONGEST_SUBJECT = 200  # characters
_MOST_HOPS = 100  # mailboxes that a mail can name as passed
_LONGEST_HOP = 320  # characters of an address


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One mail on its way out: `owner` is whose rule sends it, `to` one address; `date` is aware.

    `message_id` is that of the new mail, with brackets.  `trace` are the headers that this delivery puts before the
    original (Return-Path, Delivered-To, Received), with CRLF line ends: the next hop tells from them where it has been.
    """

    owner: Mailbox
    to: str
    date: datetime
    message_id: str
    trace: bytes


def compose_head(
    view: MessageView, dispatch: Dispatch, subject: str, *, action: str, submitted: str
) -> bytes:
    """The header fields of a new mail that comes of the original `view`, MIME-Version the last of them."""
    # No answers of any kind are wanted; of delivery reports only those to a forward reach anybody.
    suppress = "All" if submitted == "auto-replied" else "OOF, AutoReply"
    fields = [
        f"From: {header_mailbox(*dispatch.owner)}",
        f"To: {header_mailbox('', dispatch.to)}",
        f"Subject: {header_text(subject, 'Subject')}",
        f"Date: {format_datetime(dispatch.date)}",
        f"Message-ID: {dispatch.message_id}",
        *threading_fields(view.message_id, thread_of(view)),
        f"Auto-Submitted: {submitted}",
        f"{ACTION_FIELD}: {action}",
        f"X-Auto-Response-Suppress: {suppress}",
        "MIME-Version: 1.0",
    ]
    return header_block(fields)


def header_block(fields: list[str]) -> bytes:
    """Fields with their line ends."""
    return "".join(f"{field}\r\n" for field in fields).encode("utf-8", "replace")


def delivered_to_fields(view: MessageView, dispatch: Dispatch) -> bytes:
    """Delivered-To of every mailbox that the mail has passed, so that a forward of forwards ends (the latest first)."""
    passed = [
        header_address(box.address)
        for hop in (MessageView(dispatch.trace), view)
        for box in hop.addresses("Delivered-To")
        if len(box.address) <= _LONGEST_HOP
    ]
    return header_block([f"Delivered-To: {hop}" for hop in dict.fromkeys(passed[:_MOST_HOPS])])


def thread_of(view: MessageView) -> str:
    """The Message-IDs of the thread that the original belongs to (RFC 5322 section 3.6.4)."""
    return view.header("References") or view.header("In-Reply-To") or ""


def short_subject(subject: str) -> str:
    """A subject in one line, shortened to 200 characters."""
    return " ".join(one_line(subject).split())[:_LONGEST_SUBJECT]
