"""What a rule answers its sender, and what it tells its owner."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from rules.compose_notice import compose_notice
from rules.compose_reply import compose_reply
from tests.support.dispatches import ANY_MAIL, DISPATCH, HOSTILE_TEXTS, field_names, parsed, text_of

RAW = (
    b"From: Ben <ben@example.net>\r\nSubject: Caf\xc3\xa9 %sender\r\nMessage-ID: <1@example.net>\r\n"
    b"References: <0@example.net>\r\n\r\nHi\r\n"
)
TO_BEN = replace(DISPATCH, to="ben@example.net")
FIELDS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"),
    *("auto-submitted", "content-type", "content-transfer-encoding"),
}
REPLY_FIELDS = FIELDS | {"x-kopano-rule-action", "x-auto-response-suppress"}


def reply(raw: bytes = RAW, subject: str = "Thanks", text: str = "We got it.\n") -> OutgoingMail:
    return compose_reply(MessageView(raw), TO_BEN, subject=subject, text=text)


def test_a_reply_is_an_automatic_one_from_nobody() -> None:
    mail = reply(text="Gr\xfc\xdfe\n")
    assert (mail.mail_from, mail.rcpt_to, mail.message_id) == (
        "",
        "ben@example.net",
        "<rule.1@host>",
    )
    assert set(field_names(mail.content)) == REPLY_FIELDS
    found = parsed(mail.content)
    expected = {
        "From": "\xc4nne Berg <anna@example.org>",
        "To": "ben@example.net",
        "Subject": "Thanks",
        "In-Reply-To": "<1@example.net>",
        "References": "<0@example.net> <1@example.net>",
        "Auto-Submitted": "auto-replied",
        "X-Kopano-Rule-Action": "reply",
        "X-Auto-Response-Suppress": "All",
    }
    assert {name: found[name] for name in expected} == expected
    assert text_of(found) == "Gr\xfc\xdfe\n"


@pytest.mark.parametrize(
    ("template", "original", "subject"),
    [
        ("Thanks", "Hello", "Thanks"),
        ("", "Hello", "BT: Hello"),
        (" \n", "Gr\xfc\xdfe", "BT: Gr\xfc\xdfe"),
        ("", "", "BT:"),
        ("Danke\nBcc: x", "Hello", "Danke Bcc: x"),
    ],
)
def test_the_subject_of_a_reply(template: str, original: str, subject: str) -> None:
    raw = f"Subject: {original}\r\n\r\n".encode()
    assert parsed(reply(raw, template).content)["Subject"] == subject


def notice(raw: bytes = RAW, template: str = "No: %subject (%sender)") -> bytes:
    return compose_notice(
        MessageView(raw), DISPATCH, hostname="mx.example.org", subject_template=template
    )


def test_a_notice_says_what_was_not_forwarded_and_what_to_do() -> None:
    found = parsed(notice())
    assert found["From"] == "Mail Delivery System <mailer-daemon@mx.example.org>"
    assert found["To"] == "\xc4nne Berg <anna@example.org>"
    assert found["Subject"] == "No: Caf\xe9 %sender (ben@example.net)"
    assert found["Auto-Submitted"] == "auto-generated"
    for words in ("Caf\xe9 %sender", "ben@example.net", "carl@example.com", "whitelist_domains"):
        assert words in found.get_content()


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("%subject", "a"),
        ("%subject%subject", "aa"),
        ("%subjects %s %% {subject}", "as %s %% {subject}"),
        ("", ""),
        ("x\r\nBcc: y", "x Bcc: y"),
        ("=?utf-8?q?x=0ABcc:_y?= %subject", "=?utf-8?q?x=0ABcc:_y?= a"),
        ("ab " * 100, ("ab " * 67)[:200]),
    ],
)
def test_the_subject_of_a_notice(template: str, subject: str) -> None:
    assert parsed(notice(b"Subject: a\r\n\r\n", template))["Subject"] == subject


_TEXT = st.text(max_size=30) | st.sampled_from(HOSTILE_TEXTS)


@settings(max_examples=150, deadline=None)
@given(raw=ANY_MAIL, subject=_TEXT, text=_TEXT)
def test_no_mail_brings_a_field_of_its_own(raw: bytes, subject: str, text: str) -> None:
    for content, fields in (
        (reply(raw, subject, text).content, REPLY_FIELDS),
        (notice(raw, subject), FIELDS),
    ):
        names = field_names(content)
        assert set(names) <= fields
        assert len(names) == len(set(names))
