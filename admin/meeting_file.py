"""A file with a meeting message: a mail, or a bare iCalendar file that is read as if its organizer had mailed it."""

import re
from typing import NamedTuple

from admin.files import read_file
from dagent.direct import with_crlf
from mailcore.charset import decode_bytes
from mailcore.errors import UsageError
from mailcore.view import MessageView

_CALENDAR = re.compile(rb"(?:\xef\xbb\xbf)?\s*BEGIN:VCALENDAR[ \t]*\r?\n", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_METHOD = re.compile(r"^METHOD:[ \t]*([A-Za-z-]+)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_ORGANIZER = re.compile(r"^ORGANIZER[;:].*?mailto:([^\s;:,\"]+)\s*$", re.MULTILINE | re.IGNORECASE)
_HEADERS = ("From", "Content-Type", "Subject", "Received")


class MeetingFile(NamedTuple):
    """A mail with CRLF, and what had to be added to make it one."""

    content: bytes
    notes: tuple[str, ...] = ()


def read_meeting_file(name: str) -> MeetingFile:
    """Read a mail or an iCalendar file (``-``: standard input).

    Raises UsageError for a file that cannot be read, or is neither.
    """
    content = read_file(name)
    if not content.strip():
        raise UsageError(f"{name}: is empty; expected a mail with a meeting request")
    if found := _CALENDAR.match(content):
        return _wrapped(content, found.end())
    mail = with_crlf(content)
    view = MessageView(mail)
    if not any(view.has(field) for field in _HEADERS):
        raise UsageError(
            f"{name}: is neither a mail (it has no header) nor an iCalendar file (BEGIN:VCALENDAR)"
        )
    return MeetingFile(mail)


def _wrapped(content: bytes, head: int) -> MeetingFile:
    """A mail around a calendar; without a METHOD, as files have it, it is a REQUEST."""
    text = decode_bytes(_FOLD.sub(b"", content), "utf-8")
    method = _METHOD.search(text)
    organizer = _ORGANIZER.search(text)
    sender = organizer[1] if organizer else ""
    notes = [f"the file is a calendar without a mail: read as sent by {sender or 'nobody'}"]
    if method is None:
        content = content[:head] + b"METHOD:REQUEST\r\n" + content[head:]
        notes.append("it has no METHOD: read as REQUEST")
    stated = method[1].upper() if method else "REQUEST"
    fields = [
        *([f"From: {sender}"] if sender else []),
        "Subject: ",
        "MIME-Version: 1.0",
        f"Content-Type: text/calendar; method={stated}; charset=UTF-8",
        "",
        "",
    ]
    mail = "\r\n".join(fields).encode() + with_crlf(content.removeprefix(b"\xef\xbb\xbf"))
    return MeetingFile(mail, tuple(notes))
