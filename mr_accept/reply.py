"""The mail that answers a request: a REPLY for programs and in words (RFC 5546, RFC 6047).

From is the address as invited, so that the organizer's program finds its attendee; the envelope
sender is the resource.  The same arguments give the same bytes.
"""

import base64
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple

from mailcore.header_text import header_mailbox, header_text, threading_fields
from mailcore.outgoing import OutgoingMail
from mr_accept.decision import Decision
from mr_accept.model import CalendarUser, Instance, Meeting, Zone
from mr_accept.reply_calendar import compose_calendar
from mr_accept.reply_text import compose_text, title_of


class Resource(NamedTuple):
    """The mailbox that answers: its display name, its own address, its time zone, and what it adds to each reply.

    With `separate` it declines single occurrences of a series in mails of their own.
    """

    name: str
    address: str
    zone: Zone
    text: str = ""
    separate: bool = False


class Request(NamedTuple):
    """What threading needs of the mail that is answered: its Message-ID and References fields."""

    message_id: str = ""
    references: str = ""


def compose_reply(
    meeting: Meeting,
    instance: Instance,
    attendee: CalendarUser,
    decision: Decision,
    *,
    resource: Resource,
    request: Request,
    now: int,
    message_id: str,
) -> OutgoingMail:
    """Return the answer to the organizer about one instance, or about the series for its master.

    Where a series is accepted in part the same REPLY declines the other occurrences.  A resource that answers in
    `separate` mails needs one more for each of them, about its `series_instance.instance_for`.
    `attendee` is the resource as it was invited; `now` is in epoch seconds; `message_id` has its
    brackets.  Composing it twice gives the same bytes.
    """
    calendar = compose_calendar(
        meeting, instance, attendee, decision, now, partial=not resource.separate
    )
    text = compose_text(instance, decision, resource.name, resource.zone, resource.text)
    boundary = "=_" + hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
    organizer = instance.organizer
    verdict = "Accepted" if decision.accepted else "Declined"
    head = [
        f"From: {header_mailbox(attendee.name or resource.name, attendee.written)}",
        f"To: {header_mailbox(organizer.name, organizer.written)}",
        f"Subject: {header_text(f'{verdict}: {title_of(instance)}', 'Subject')}",
        f"Date: {format_datetime(datetime.fromtimestamp(now, UTC))}",
        f"Message-ID: {message_id}",
        *threading_fields(request.message_id, request.references),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    parts = [
        _part("text/plain; charset=UTF-8", text.replace("\n", "\r\n")),
        _part("text/calendar; method=REPLY; charset=UTF-8", calendar),
    ]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    content = "\r\n".join([*head, "", body]).encode("utf-8", "replace")
    return OutgoingMail(resource.address, organizer.written, content, message_id)


def _part(content_type: str, text: str) -> str:
    """One part of the body; beyond ASCII it is base64, so that no relay has to convert it."""
    if text.isascii():
        return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{text}"
    encoded = base64.encodebytes(text.encode("utf-8", "replace")).decode("ascii")
    return (
        f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + encoded.replace("\n", "\r\n")
    )
