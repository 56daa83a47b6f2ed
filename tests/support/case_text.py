"""The texts of the booker's case folders: calendars in the other order, by UID, in a mail, and as answers.

The files have LF line ends; what is sent has CRLF.
"""

import email
import email.policy
import itertools
import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import NamedTuple

from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.zones import UTC

_CALENDAR = re.compile(rb"^BEGIN:VCALENDAR\n.*?^END:VCALENDAR$", re.DOTALL | re.MULTILINE)
_COMPONENT = re.compile(rb"^BEGIN:(V[A-Z]+)\n.*?^END:\1\n", re.DOTALL | re.MULTILINE)
_EVENT = re.compile(r"^BEGIN:VEVENT\n.*?^END:VEVENT\n", re.DOTALL | re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_numbers = itertools.count(1)


def reversed_blocks(raw: bytes) -> bytes:
    """The same file with the components of each VCALENDAR in it in the opposite order."""
    return _CALENDAR.sub(lambda match: _reversed(match[0]), raw)


def _reversed(calendar: bytes) -> bytes:
    head, rest = calendar.split(b"\n", 1)
    blocks = [match[0] for match in _COMPONENT.finditer(rest)]
    return head + b"\n" + b"".join([*_around(rest, blocks), *reversed(blocks)]) + b"END:VCALENDAR"


def _around(rest: bytes, blocks: list[bytes]) -> Iterator[bytes]:
    """The properties of the calendar itself; they come first."""
    for block in blocks:
        rest = rest.replace(block, b"", 1)
    yield rest.removesuffix(b"END:VCALENDAR")


def split_by_uid(content: bytes) -> list[bytes]:
    """One calendar for each UID of a calendar, in the order in which they appear; each is a REQUEST."""
    _, rest = content.split(b"\n", 1)
    blocks = [match[0] for match in _COMPONENT.finditer(rest)]
    events = [block for block in blocks if block.startswith(b"BEGIN:VEVENT")]
    shared = [block for block in blocks if block not in events]
    head = b"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example//cases//EN\nMETHOD:REQUEST\n"
    uids = dict.fromkeys(_value(block, b"UID") for block in events)
    return [
        head
        + b"".join([*shared, *(block for block in events if _value(block, b"UID") == uid)])
        + b"END:VCALENDAR\n"
        for uid in uids
    ]


def wrapped(content: bytes, to: str) -> bytes:
    """A calendar in the mail of its organizer, with CRLF line ends."""
    method = _value(content, b"METHOD").decode()
    organizer = _value(content, b"ORGANIZER").lower().rpartition(b"mailto:")[2].decode()
    head = [
        f"From: {organizer}",
        f"To: {to}",
        "Subject: A meeting",
        f"Message-ID: <{next(_numbers)}@cases.example.net>",
        "MIME-Version: 1.0",
        f"Content-Type: text/calendar; method={method}; charset=UTF-8",
        "",
        "",
    ]
    return with_crlf("\n".join(head).encode() + content)


def with_crlf(raw: bytes) -> bytes:
    """The bytes with CRLF line ends."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _value(content: bytes, name: bytes) -> bytes:
    """The value of the first property with that name, its parameters before it where it has any."""
    unfolded = _FOLD.sub(b"", content)
    found = re.search(rb"^%s[:;]([^\r\n]*)" % name, unfolded, re.MULTILINE)
    return found[1].strip() if found else b""


class SentReply(NamedTuple):
    """A reply as the organizer gets it.

    `answers` has "ACCEPTED", or "DECLINED 20260105T080000Z" for an instance, for each VEVENT, joined by "; ".
    """

    to: str
    subject: str
    text: str
    lines: frozenset[str]
    answers: str


def read_reply(rcpt_to: str, content: bytes) -> SentReply:
    """Read a reply; its answers are found as the booker reads a request."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    parts = {part.get_content_type(): part for part in message.walk()}
    calendar = str(parts["text/calendar"].get_content()).replace("\r\n", "\n").replace("\n ", "")
    answers = [_answer(calendar, block) for block in _EVENT.findall(calendar)]
    text = " ".join(str(parts["text/plain"].get_content()).split())
    lines = frozenset(calendar.splitlines())
    return SentReply(rcpt_to, str(message["Subject"]), text, lines, "; ".join(answers))


def _answer(calendar: str, event: str) -> str:
    """What one VEVENT of a reply says; a REPLY does not repeat the rule, so each is read by itself."""
    alone = _EVENT.sub("", calendar).replace("END:VCALENDAR", f"{event}END:VCALENDAR")
    meeting = parse_meeting(alone.replace("METHOD:REPLY", "METHOD:REQUEST"), UTC, Limits())
    (item,) = meeting.instances
    (attendee,) = item.attendees
    return f"{attendee.status} {item.recurrence_id}".strip()
