"""The view that rules, out-of-office and the auto-booker share."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.headers import Mailbox
from mailcore.view import MessageView


def view(*fields: str, body: str = "") -> MessageView:
    return MessageView(("\r\n".join(fields) + "\r\n\r\n" + body).encode())


def test_headers_are_found_in_any_case_decoded_and_in_order() -> None:
    mail = view("X-Tag: =?utf-8?q?caf=C3=A9?=", "x-tag: two\r\n lines", "Empty:")
    assert mail.header("X-TAG") == "café"
    assert mail.headers("x-Tag") == ("café", "two lines")
    assert mail.header("empty") == ""
    assert mail.has("EMPTY")
    assert (mail.header("other"), mail.headers("other"), mail.has("other")) == (None, (), False)


def test_addresses() -> None:
    mail = view(
        'From: "Berg, Anna" <anna@example.org>',
        "Sender: office@example.org",
        "To: =?utf-8?q?Caf=C3=A9?= <c@example.org>, team: ben@example.org;",
        "To: dora@example.org",
        "Cc: =?utf-8?q?Eve=2C_evil=40example=2Eorg?= <eve@example.org>",
    )
    assert mail.from_ == Mailbox("Berg, Anna", "anna@example.org")
    assert mail.sender == Mailbox("", "office@example.org")
    assert [box.address for box in mail.to] == [f"{n}@example.org" for n in ("c", "ben", "dora")]
    assert mail.cc == (Mailbox("Eve, evil@example.org", "eve@example.org"),)


def test_a_message_without_header_fields() -> None:
    mail = MessageView(b"")
    assert (mail.subject, mail.message_id, mail.text, mail.fields) == ("", "", "", ())
    assert (mail.from_, mail.sender, mail.date, mail.to, mail.cc) == (None, None, None, (), ())


def test_a_subject_cannot_bring_a_line_break() -> None:
    assert view("Subject: =?utf-8?q?a=0D=0ABcc=3A_x?=").subject == "a Bcc: x"


@pytest.mark.parametrize(
    ("value", "message_id"),
    [
        ("<a@b>", "<a@b>"),
        ("  <a@b> (comment)", "<a@b>"),
        ("a@b", "<a@b>"),
        ("<a@b", "<a@b>"),
        ("", ""),
        ("<>", ""),
    ],
)
def test_message_id(value: str, message_id: str) -> None:
    assert view(f"Message-ID: {value}").message_id == message_id


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("Mon, 2 Feb 2026 10:00:00 +0100", datetime(2026, 2, 2, 9, tzinfo=UTC)),
        ("2 Feb 2026 10:00 GMT", datetime(2026, 2, 2, 10, tzinfo=UTC)),
        ("Mon, 2 Feb 2026 10:00:00 -0000", datetime(2026, 2, 2, 10, tzinfo=UTC)),
        ("Mon, 2 Feb 2026 10:00:00", datetime(2026, 2, 2, 10, tzinfo=UTC)),
        ("Mon, 2 Feb 2026 25:00:00 +0100", None),
        ("Mon, 2 Feb 2026 10:00:00 +9999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
        ("soon", None),
        ("", None),
        ("1 " * 500, None),
    ],
)
def test_date(value: str, date: datetime | None) -> None:
    assert view(f"Date: {value}").date == date


def part(content_type: str, body: str, *more: str) -> str:
    return "\r\n".join(["--b", f"Content-Type: {content_type}", *more, "", body, ""])


_HTML = part("text/html", "<p>marked <b>up</b></p>")
_PLAIN = part("text/plain", "one\r\ntwo")
_FILE = part("text/plain", "a file", "Content-Disposition: attachment; filename=a.txt")
_FORWARDED = part("message/rfc822", "Subject: x\r\n\r\nforwarded")


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([_PLAIN, _HTML], "one\ntwo"),
        ([_HTML, _PLAIN], "one\ntwo"),
        ([_HTML], "marked up"),
        ([_FILE, _HTML], "marked up"),
        ([_FORWARDED, _HTML], "marked up"),
        ([_FILE], ""),
        ([_FORWARDED], ""),
    ],
)
def test_text(parts: list[str], text: str) -> None:
    mail = view("Content-Type: multipart/mixed; boundary=b", body="".join(parts) + "--b--\r\n")
    assert mail.text == text


_NAMES = ["From", "Sender", "To", "Cc", "Date", "Message-ID", "Subject", "Content-Type"]
_VALUES = st.binary() | st.text('=?utf-8qB <>@,;:"()\\ 0129 text/html\n').map(str.encode)


@given(st.lists(st.tuples(st.sampled_from(_NAMES), _VALUES)), st.binary())
def test_no_message_raises(fields: list[tuple[str, bytes]], body: bytes) -> None:
    block = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields)
    mail = MessageView(block + b"\r\n" + body)
    words = [
        mail.subject,
        mail.message_id,
        mail.text,
        *(mail.header(name) or "" for name in _NAMES),
    ]
    boxes = [box for box in (mail.from_, mail.sender, *mail.to, *mail.cc) if box]
    "".join([*words, *(f"{box.name}{box.address}" for box in boxes)]).encode()
    assert mail.date is None or mail.date.tzinfo is UTC
