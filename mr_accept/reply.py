"""The mail that answers a request: a REPLY for programs and in words (RFC 5546, RFC 6047).

From is the address as invited, so that the organizer's program finds its attendee; the envelope
sender is the resource.  The same arguments give the same bytes.
"""

import base64
import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from typing import NamedTuple

from mailcore.charset import one_line
from mailcore.outgoing import OutgoingMail
from mr_accept.model import CalendarUser, Decision, Instance, Meeting, Zone
from mr_accept.reply_calendar import compose_calendar
from mr_accept.reply_text import compose_text, title_of

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_MOST_REFERENCES = 20
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LONGEST_NAME = 100  # characters


class Resource(NamedTuple):
    """The mailbox that answers: its display name, its own address, and its time zone."""

    name: str
    address: str
    zone: Zone


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

    `attendee` is the resource as it was invited; `now` is in epoch seconds; `message_id` has its
    brackets.  Composing it twice gives the same bytes.
    """
    calendar = compose_calendar(meeting, instance, attendee, decision, now)
    text = compose_text(instance, decision, resource.name, resource.zone).replace("\n", "\r\n")
    boundary = "=_" + hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32]
    organizer = instance.organizer
    verdict = "Accepted" if decision.accepted else "Declined"
    head = [
        f"From: {_mailbox(attendee.name or resource.name, attendee.written)}",
        f"To: {_mailbox(organizer.name, organizer.written)}",
        f"Subject: {_unstructured(f'{verdict}: {title_of(instance)}', 'Subject')}",
        f"Date: {format_datetime(datetime.fromtimestamp(now, UTC))}",
        f"Message-ID: {message_id}",
        *_threading(request),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    parts = [
        _part("text/plain; charset=UTF-8", text),
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


def _unstructured(text: str, field: str) -> str:
    """Text for a header field, folded, as encoded words where needed (RFC 2047).

    Text that looks like an encoded word is encoded too: it would else be shown decoded.
    """
    plain = text.isascii() and "=?" not in text
    charset = "us-ascii" if plain else "utf-8"
    return Header(text, charset, header_name=field).encode(linesep="\r\n")


def _mailbox(name: str, address: str) -> str:
    """A display name and an address for a header field; an IDN domain goes as A-labels."""
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        with suppress(UnicodeError):  # what is no valid domain name is left as it was written
            domain = domain.encode("idna").decode("ascii")
    wire = f"<{local}{at}{domain}>"
    shown = " ".join(one_line(name).split())[:_LONGEST_NAME].strip()
    if not shown:
        return wire
    if _ATOMS.fullmatch(shown) and "=?" not in shown:
        phrase = shown
    elif shown.isascii() and "=?" not in shown:
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{escaped}"'
    else:
        phrase = Header(shown, "utf-8", header_name="From").encode(linesep="\r\n")
    return f"{phrase}\r\n {wire}"


def _threading(request: Request) -> list[str]:
    """In-Reply-To and References (RFC 5322 section 3.6.4), from well-formed message ids only."""
    parent = _MESSAGE_ID.search(request.message_id)
    if parent is None:
        return []
    earlier = [found for found in _MESSAGE_ID.findall(request.references) if found != parent[0]]
    if len(earlier) > _MOST_REFERENCES:
        earlier = [earlier[0], *earlier[1 - _MOST_REFERENCES :]]
    references = "\r\n ".join([*earlier, parent[0]])
    return [f"In-Reply-To: {parent[0]}", f"References: {references}"]
