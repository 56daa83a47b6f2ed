"""A forwarded mail: the original is in it, whatever it was, and nothing of it becomes a header of ours."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore.headers import Mailbox
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from rules.compose_forward import NOTE, compose_attached, compose_forward
from tests.support.dispatches import (
    ANY_MAIL,
    DISPATCH,
    HOSTILE_TEXTS,
    field_names,
    leaves,
    parsed,
    text_of,
)

HEAD = (
    b"From: =?utf-8?q?B=C3=A9n?= <ben@example.net>\r\nTo: anna@example.org\r\n"
    b"Cc: Dora <dora@example.org>\r\nBcc: eve@example.org\r\nSubject: Caf\xc3\xa9 & <b>\r\n"
    b"Date: Mon, 7 Jan 2030 10:29:00 +0100\r\nMessage-ID: <1@example.net>\r\n"
    b"References: <0@example.net>\r\nX-Secret: x\r\n"
)
BLOCK = f"""{NOTE}

From: B\xe9n <ben@example.net>
Sent: Mon, 7 Jan 2030 10:29:00 +0100
To: anna@example.org
Cc: Dora <dora@example.org>
Subject: Caf\xe9 & <b>

"""
FIELDS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"),
    *("auto-submitted", "x-kopano-rule-action", "x-auto-response-suppress", "delivered-to"),
    *("content-type", "content-transfer-encoding"),
}
DESCRIBING = {f"content-{what}" for what in ("disposition", "id", "description", "language")}
PDF = (
    b"Content-Type: application/pdf; name=a.pdf\nX-Odd:  kept \r\n\r\n\0\x80raw\n\rbytes\r\n--c\r\n"
)
ALTERNATIVES = (
    b"--i\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-ID: <t>\r\n\r\nGr\xfc\xdfe\r\n"
    b"--i\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"<p>Gr=C3=BC=C3=9Fe</p>\r\n--i--\r\n"
)


def forwarded(raw: bytes, mail_from: str = "ben@example.net") -> OutgoingMail:
    return compose_forward(MessageView(raw), DISPATCH, mail_from=mail_from)


def attached(raw: bytes, mail_from: str = "ben@example.net") -> OutgoingMail:
    return compose_attached(MessageView(raw), DISPATCH, mail_from=mail_from)


def with_type(content_type: str, body: bytes) -> bytes:
    return HEAD + f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n".encode() + body


@pytest.mark.parametrize("compose", [compose_forward, compose_attached])
def test_it_is_a_new_mail_from_the_owner(compose: object) -> None:
    assert callable(compose)
    mail = compose(MessageView(HEAD + b"\r\nHello\r\n"), DISPATCH, mail_from="ben@example.net")
    assert (mail.mail_from, mail.rcpt_to, mail.message_id) == (
        "anna@example.org",
        "carl@example.com",
        "<rule.1@host>",
    )
    found = parsed(mail.content)
    expected = {
        "From": "\xc4nne Berg <anna@example.org>",
        "To": "carl@example.com",
        "Subject": "FW: Caf\xe9 & <b>",
        "Date": "Mon, 07 Jan 2030 09:30:00 +0000",
        "Message-ID": "<rule.1@host>",
        "In-Reply-To": "<1@example.net>",
        "References": "<0@example.net> <1@example.net>",
        "X-Kopano-Rule-Action": "forward",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Delivered-To": "anna@example.org",
    }
    assert {name: found[name] for name in expected} == expected
    assert set(field_names(mail.content)) <= FIELDS


def test_the_forward_of_a_report_can_cause_no_report() -> None:
    assert forwarded(HEAD, mail_from="").mail_from == ""
    assert attached(HEAD, mail_from="").mail_from == ""


@pytest.mark.parametrize(
    ("original", "subject"),
    [
        ("Hello", "FW: Hello"),
        ("FW: Hello", "FW: Hello"),
        ("fwd : Hello", "fwd : Hello"),
        ("Re: FW: Hello", "FW: Re: FW: Hello"),
        ("", "FW:"),
        ("Firm: a", "FW: Firm: a"),
        ("=?utf-8?q?a=0D=0ABcc:_evil@x?=", "FW: a Bcc: evil@x"),
        ("a\r\n\tb", "FW: a b"),
        ("\xfc" * 300, "FW: " + "\xfc" * 196),
    ],
)
def test_the_subject(original: str, subject: str) -> None:
    mail = forwarded(f"Subject: {original}\r\n\r\n".encode())
    assert parsed(mail.content)["Subject"] == subject
    assert all(len(line) < 998 for line in mail.content.split(b"\r\n"))


@pytest.mark.parametrize(
    "body", [b"Hello\r\n", b"Hello", b"", b"Gr\xfc\xdfe\r\n", b"--\r\nBen\r\n", b"a\nb\rc\0\r\n"]
)
def test_a_text_has_the_block_before_it(body: bytes) -> None:
    text = text_of(parsed(forwarded(HEAD + b"\r\n" + body).content))
    original = body.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    assert text == BLOCK + original


def test_a_mark_of_the_byte_order_does_not_get_into_the_middle() -> None:
    raw = with_type("text/plain; charset=utf-8", b"\xef\xbb\xbfHello\r\n")
    assert text_of(parsed(forwarded(raw).content)) == BLOCK + "Hello\n"


def test_flowed_text_stays_flowed() -> None:
    raw = with_type("text/plain; format=Flowed; delsp=yes; charset=us-ascii; x=y", b"a \r\nb\r\n")
    part = MessageView(forwarded(raw).content).root
    assert part.params == {"format": "Flowed", "delsp": "yes", "charset": "utf-8"}


def test_html_alone_gets_the_block_escaped_and_a_text_beside_it() -> None:
    raw = with_type("text/html; charset=windows-1252", b"<!--<body>--><p>Gr\xfc\xdfe</p>")
    found = parsed(forwarded(raw).content)
    assert found.get_content_type() == "multipart/alternative"
    plain, marked_up = map(text_of, found.iter_parts())
    assert plain == BLOCK + "Gr\xfc\xdfe"
    assert marked_up.startswith(f"<div><p>{NOTE}</p>")
    assert "<b>From:</b> B\xe9n &lt;ben@example.net&gt;<br>" in marked_up
    assert "<b>Subject:</b> Caf\xe9 &amp; &lt;b&gt;<br>" in marked_up
    assert marked_up.endswith("<!--<body>--><p>Gr\xfc\xdfe</p>")


def test_alternatives_each_get_it() -> None:
    mail = forwarded(with_type("multipart/alternative; boundary=i", ALTERNATIVES))
    plain, marked_up = parsed(mail.content).iter_parts()
    assert text_of(plain) == BLOCK + "Gr\xfc\xdfe"
    assert plain["Content-ID"] == "<t>"
    assert NOTE in marked_up.get_content()
    assert marked_up.get_content().endswith("<p>Gr\xfc\xdfe</p>")


@pytest.mark.parametrize("subtype", ["mixed", "related"])
def test_all_other_parts_go_along_byte_for_byte(subtype: str) -> None:
    inner = b"Content-Type: multipart/alternative; boundary=i\r\n\r\n" + ALTERNATIVES
    rest = b"\r\n--c\r\n" + PDF + b"\r\n--c--\r\nepilogue"
    raw = with_type(f"multipart/{subtype};\r\n boundary=c", b"preamble\r\n--c\r\n" + inner + rest)
    mail = forwarded(raw)
    assert mail.content.endswith(rest)
    assert b"\r\n\r\npreamble\r\n--c\r\nContent-Type: multipart/alternative" in mail.content
    types = [part.get_content_type() for part in parsed(mail.content).walk()]
    assert types[:5] == [
        f"multipart/{subtype}",
        *("multipart/alternative", "text/plain", "text/html", "application/pdf"),
    ]
    assert BLOCK in MessageView(mail.content).text


SIGNED = (
    b"--c\r\n\r\nsigned \r\n--c\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--c--\r\n"
)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/signed; boundary=c; protocol=application/pgp-signature", SIGNED),
        ("application/pdf", b"%PDF\n\0"),
        ("message/rfc822", b"Subject: inner\r\n\r\ninner\r\n"),
        ("multipart/mixed; boundary=c", b"--c\r\nContent-Type: image/png\r\n\r\nx\r\n--c--\r\n"),
        ("multipart/mixed", b"no boundary\r\n"),
        ("multipart/mixed; boundary=c", b"never opened\r\n"),
        ("text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\n"),
        ("text/plain\r\nContent-Disposition: attachment; filename=a.txt", b"a file\r\n"),
    ],
)
def test_what_has_no_text_of_its_own_stays_whole_below_one(content_type: str, body: bytes) -> None:
    content = forwarded(with_type(content_type, body)).content
    root = MessageView(content).root
    assert root.content_type == "multipart/mixed"
    text, whole = root.children
    assert text.content_type == "text/plain"
    assert MessageView(content).text.startswith(BLOCK)
    whole_bytes = content[whole.header_start : whole.body_end]
    assert whole_bytes == f"Content-Type: {content_type}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "body", [b"--c", b"--c\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n--c--\r\n"]
)
def test_a_part_cut_off_before_its_first_line_has_room_for_the_block(body: bytes) -> None:
    content = forwarded(with_type("multipart/mixed; boundary=c", body)).content
    assert MessageView(content).text.startswith(BLOCK)


def test_text_that_looks_like_a_boundary_opens_no_part() -> None:
    inner = base64.b64encode(b"a\r\n--c\r\nContent-Type: text/html\r\n\r\nevil\r\n--c--\r\n")
    part = b"Content-Transfer-Encoding: base64\r\n\r\n" + inner
    raw = with_type("multipart/mixed; boundary=c", b"--c\r\n" + part + b"\r\n--c--\r\n")
    assert [kind for kind, _ in leaves(forwarded(raw).content)] == ["text/plain"]


def test_a_field_of_the_original_that_goes_along_brings_no_other() -> None:
    raw = b"Content-Type: text/html;\r\n x=a\rBcc: evil@x\r\n \r\n y=b\0c\r\nContent-ID: <1>\rBcc: e\r\n\r\n"
    mixed = (
        raw.replace(b"text/html", b"multipart/mixed; boundary=c") + b"--c\r\n\r\nHi\r\n--c--\r\n"
    )
    for original in (raw, mixed):
        content = forwarded(original).content
        assert set(field_names(content)) <= FIELDS | DESCRIBING
    assert (
        b"Content-Type: multipart/mixed; boundary=c;\r\n x=a Bcc: evil@x\r\n y=b c\r\n" in content
    )


def test_of_a_field_that_stands_twice_the_first_counts() -> None:
    body = b"--c\r\n\r\nHi\r\n--c--\r\n"
    raw = b"Content-Type: multipart/mixed; boundary=c\r\nContent-Type: text/html\r\n\r\n" + body
    content = forwarded(raw).content
    assert MessageView(content).root.content_type == "multipart/mixed"
    assert field_names(content).count("content-type") == 1


def test_every_hop_is_named_once_the_latest_first() -> None:
    hops = (b"dora@example.org", b"anna@example.org", b"x" * 1000 + b"@example.org")
    raw = b"".join(b"Delivered-To: " + hop + b"\r\n" for hop in hops) + HEAD + b"\r\n"
    assert parsed(forwarded(raw).content).get_all("Delivered-To") == [
        "anna@example.org",
        "dora@example.org",
    ]


def test_thousands_of_recipients_make_no_endless_block() -> None:
    many = ", ".join(f"user{n}@example.org" for n in range(5000))
    content = forwarded(f"To: {many}\r\n\r\nHello\r\n".encode()).content
    assert len(content) < 4000


@pytest.mark.parametrize(
    ("body", "kind", "encoding"),
    [
        (b"Hello\r\n", "message/rfc822", "7bit"),
        (b"Hello", "message/rfc822", "7bit"),
        (b"Gr\xfc\xdfe\r\n", "message/rfc822", "8bit"),
        (b"x" * 998 + b"\r\n", "message/rfc822", "7bit"),
        (b"x" * 999 + b"\r\n", "application/octet-stream", "base64"),
        (b"a\nb\r\n", "application/octet-stream", "base64"),
        (b"a\rb\r\n", "application/octet-stream", "base64"),
        (b"a\r\n\r", "application/octet-stream", "base64"),
        (b"a\0b\r\n", "application/octet-stream", "base64"),
    ],
)
def test_the_attached_original_is_there_byte_for_byte(
    body: bytes, kind: str, encoding: str
) -> None:
    raw = b"Subject: a\r\n\r\n" + body
    content = attached(raw).content
    note, original = MessageView(content).root.children
    assert NOTE in MessageView(content).text
    assert (note.content_type, original.content_type) == ("text/plain", kind)
    assert (original.encoding, original.disposition) == (encoding, "attachment")
    assert original.filename == "original.eml"
    octets = content[original.body_start : original.body_end]
    assert (base64.b64decode(octets) if encoding == "base64" else octets) == raw
    inner = parsed(content).get_payload(1)
    if kind == "message/rfc822":
        assert inner.get_content()["Subject"] == "a"


_TEXT = st.text(max_size=30) | st.sampled_from(HOSTILE_TEXTS)


@settings(max_examples=250, deadline=None)
@given(raw=ANY_MAIL, name=_TEXT, mail_from=st.sampled_from(["", "ben@example.net"]))
def test_no_mail_makes_it_raise_or_brings_a_field_of_its_own(
    raw: bytes, name: str, mail_from: str
) -> None:
    dispatch = replace(DISPATCH, owner=Mailbox(name, "anna@example.org"))
    for compose in (compose_forward, compose_attached):
        content = compose(MessageView(raw), dispatch, mail_from=mail_from).content
        names = [field for field in field_names(content) if field != "delivered-to"]
        assert set(names) <= FIELDS | DESCRIBING | {"content-location"}
        assert len(names) == len(set(names))
        view = MessageView(content)
        assert view.header("x-kopano-rule-action") == "forward"
        assert [box.address for box in view.addresses("from")] == ["anna@example.org"]
        assert view.text.startswith(NOTE)
    octets = [octets for _, octets in leaves(content)][-1:]
    assert raw in content or base64.b64decode(octets[0]) == raw
