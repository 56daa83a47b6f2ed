"""What a rule sends, for tests: who sends it, mails that are made to break it, and a strict reading of the outcome."""

import email
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.policy import default

from hypothesis import strategies as st

from mailcore.headers import Mailbox
from mailcore.view import MessageView
from rules.compose import Dispatch

DATE = datetime(2030, 1, 7, 9, 30, tzinfo=UTC)
TRACE = (
    b"Return-Path: <ben@example.net>\r\n"
    b"Delivered-To: anna@example.org\r\n"
    b"Received: from mx (127.0.0.1)\r\n\tby host with LMTP id 7;\r\n"
    b"\tMon, 07 Jan 2030 09:30:00 +0000\r\n"
)
DISPATCH = Dispatch(
    owner=Mailbox("Änne Berg", "anna@example.org"),
    to="carl@example.com",
    date=DATE,
    message_id="<rule.1@host>",
    trace=TRACE,
)


def parsed(content: bytes) -> EmailMessage:
    """The mail as the standard library reads it; it has no defects, in none of its parts."""
    found = email.message_from_bytes(content, policy=default)
    assert isinstance(found, EmailMessage)
    assert not [defect for part in found.walk() for defect in part.defects]
    return found


def text_of(part: Message) -> str:
    """The text of a part, with LF line ends."""
    assert isinstance(part, EmailMessage)
    text = part.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


def field_names(content: bytes) -> list[str]:
    """The names of the header fields, read by us and by the standard library alike."""
    ours = [field.name.lower() for field in MessageView(content).fields]
    theirs = email.message_from_bytes(content, policy=default)
    assert [name.lower() for name in theirs.keys()] == ours  # noqa: SIM118 - not a mapping
    return ours


def leaves(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The type and the octets, still encoded, of every part without children."""
    for part in MessageView(content).root.walk():
        if not part.children:
            yield part.content_type, content[part.body_start : part.body_end]


HOSTILE_TEXTS = (
    "=??Q?=0A",
    "=?utf-8?q?=0D=0AX:_y?=",
    "a\r\nBcc: evil@x",
    "a\rBcc: evil@x",
    "a\nX: y\n\nbody",
    "\r",
    "\x0b\x0c\x85\u2028",
    "<>",
    "%sender%subject{subject}",
)
_VALUES = st.binary(max_size=40) | st.sampled_from([text.encode() for text in HOSTILE_TEXTS])
_FIELD_NAMES = st.sampled_from(
    [
        *("Subject", "References", "In-Reply-To", "Message-ID", "From", "To", "Cc", "Date"),
        *("Delivered-To", "Content-Disposition", "Content-ID", "X-Kopano-Rule-Action"),
    ]
)
_TYPES = st.sampled_from(
    [
        "text/plain",
        "text/plain; charset=utf-16",
        "text/html; charset=iso-8859-1",
        "text/plain; format=flowed; delsp=yes",
        "message/rfc822",
        "application/pdf",
        "multipart/mixed; boundary=b",
        "multipart/alternative; boundary=b",
        "multipart/related; boundary=b",
        "multipart/mixed",
        "multipart/signed; boundary=b\rBcc: evil@x",
        "text/html\rBcc: evil@x",
    ]
)
_ENCODINGS = st.sampled_from(["", "7bit", "base64", "quoted-printable", "8bit", "x-unknown"])


@st.composite
def _entities(draw: st.DrawFn, depth: int = 2) -> bytes:
    head = f"Content-Type: {draw(_TYPES)}\r\nContent-Transfer-Encoding: {draw(_ENCODINGS)}\r\n"
    body = draw(st.binary(max_size=60))
    if depth and draw(st.booleans()):
        inner = draw(st.lists(_entities(depth - 1), max_size=3))
        end = draw(st.sampled_from([b"--b--\r\n", b"--b", b""]))
        body = b"".join(b"--b\r\n" + entity + b"\r\n" for entity in inner) + end
    return head.encode() + b"\r\n" + body


@st.composite
def _mails(draw: st.DrawFn) -> bytes:
    fields = draw(st.lists(st.tuples(_FIELD_NAMES, _VALUES), max_size=5))
    block = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields)
    return block + draw(_entities())


ANY_MAIL = _mails() | st.binary(max_size=80)
"""Mails that look like mail and are broken in every way, and octets that are none."""
