"""A delivery report that refuses a message on behalf of a user (RFC 3464, in a report of RFC 6522).

Pure.  Whether one may be sent is decided before: none goes to the null sender (RFC 3464 section 2).
"""

import re
from datetime import datetime
from email.utils import format_datetime

from mailcore.automatic import ACTION_FIELD
from mailcore.charset import one_line
from mailcore.header_text import header_mailbox, header_text, threading_fields
from mailcore.headers import header_end
from mailcore.mime_writing import (
    base64_body,
    identity_encoding,
    make_boundary,
    multipart_entity,
    text_entity,
)
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView

REFUSED_STATUS = "5.7.1"
"""Delivery not authorised, message refused (RFC 3463 section 3.8)."""

_MOST_HEADER_OCTETS = 65_536
_LONGEST_TEXT = 500  # characters of the reason, and of a subject
_NOT_IN_UTF8_ADDRESS = re.compile(r"[^!-*,-<>-\[\]-~]")
_TEXT = """\
This is the mail system of {hostname}.

Your message was refused by its recipient

    {recipient}

Subject: {subject}

The reason given is:

    {reason}

It will not be delivered, and trying again will not help.
"""


def compose_refusal(
    view: MessageView,
    *,
    recipient: str,
    reason: str,
    to: str,
    hostname: str,
    date: datetime,
    message_id: str,
) -> OutgoingMail:
    """The report to `to`, the envelope sender of the message, that `recipient` has refused it.

    `reason` is the recipient's, in words; `hostname` is the MTA that reports; `date` is aware; `message_id` is the
    report's, with brackets.  The envelope sender is null.
    """
    reason = _shortened(reason) or "no reason was given"
    subject = _shortened(view.subject)
    text = _TEXT.format(
        hostname=hostname, recipient=one_line(recipient), subject=subject, reason=reason
    )
    fields = [
        f"From: {header_mailbox('Mail Delivery System', f'mailer-daemon@{hostname}')}",
        f"To: {header_mailbox('', to)}",
        f"Subject: {header_text(f'Undelivered: {subject}'.rstrip(), 'Subject')}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        *threading_fields(view.message_id, view.header("References") or ""),
        "Auto-Submitted: auto-replied",
        f"{ACTION_FIELD}: bounce",
        "MIME-Version: 1.0",
    ]
    head = "".join(f"{field}\r\n" for field in fields).encode("utf-8", "replace")
    parts = [
        text_entity("text/plain", text),
        _delivery_status(recipient, reason, hostname),
        _original_headers(view.raw),
    ]
    boundary = make_boundary(view.sha256, message_id.encode("utf-8", "replace"))
    report = multipart_entity("report; report-type=delivery-status", parts, boundary)
    return OutgoingMail("", to, head + report, message_id)


def _delivery_status(recipient: str, reason: str, hostname: str) -> bytes:
    """The part for programs: fields of the message, then of its recipient (RFC 3464 section 2)."""
    diagnostic = reason.encode("ascii", "backslashreplace").decode()
    return (
        "Content-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; {hostname}\r\n\r\n"
        f"Final-Recipient: {typed_address(recipient)}\r\n"
        "Action: failed\r\n"
        f"Status: {REFUSED_STATUS}\r\n"
        # No `smtp` type: nobody has said this in a session (RFC 3464 section 2.3.6).
        f"Diagnostic-Code: x-recipient; {header_text(diagnostic, 'Diagnostic-Code: x-recipient')}\r\n"
    ).encode("utf-8", "replace")


def typed_address(address: str) -> str:
    r"""An address with its type; one beyond ASCII in the 7-bit form of RFC 6533 section 3.

    >>> typed_address("anna@example.org"), typed_address("jos\xe9@example.org")
    ('rfc822; anna@example.org', 'utf-8; jos\\x{E9}@example.org')
    """
    line = one_line(address)
    if line.isascii():
        return f"rfc822; {line}"
    escaped = _NOT_IN_UTF8_ADDRESS.sub(lambda found: f"\\x{{{ord(found[0]):X}}}", line)
    return f"utf-8; {escaped}"


def _original_headers(raw: bytes) -> bytes:
    """The header block of the message, which tells its sender which one it was (RFC 6522 section 4)."""
    headers = raw[: min(header_end(raw), _MOST_HEADER_OCTETS)]
    encoding = identity_encoding(headers)
    if encoding == "binary":
        encoding, headers = "base64", base64_body(headers)
    return (
        f"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode() + headers


def _shortened(text: str) -> str:
    return " ".join(one_line(text).split())[:_LONGEST_TEXT]
