"""A report that a user refuses a mail: programs and people can read it, whatever the mail was."""

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore.dsn import compose_refusal
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from tests.support.dispatches import ANY_MAIL, DATE, HOSTILE_TEXTS, field_names, parsed

RAW = (
    b"From: ben@example.net\r\nSubject: Caf\xc3\xa9\r\nMessage-ID: <1@example.net>\r\n\r\n"
    b"secret body\r\n"
)
FIELDS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version"),
    *("auto-submitted", "x-kopano-rule-action", "content-type"),
}


def refusal(
    raw: bytes = RAW, reason: str = "No adverts, please.", recipient: str = "anna@example.org"
) -> OutgoingMail:
    return compose_refusal(
        MessageView(raw),
        recipient=recipient,
        reason=reason,
        to="ben@example.net",
        hostname="mx.example.org",
        date=DATE,
        message_id="<rule.1@host>",
    )


def status_of(content: bytes) -> dict[str, str]:
    (part,) = [
        part
        for part in parsed(content).walk()
        if part.get_content_type() == "message/delivery-status"
    ]
    return {name: str(value) for block in part.iter_parts() for name, value in block.items()}


def test_it_is_a_report_to_the_sender_from_nobody() -> None:
    mail = refusal()
    assert (mail.mail_from, mail.rcpt_to, mail.message_id) == (
        "",
        "ben@example.net",
        "<rule.1@host>",
    )
    assert set(field_names(mail.content)) == FIELDS
    found = parsed(mail.content)
    assert (found.get_content_type(), found.get_param("report-type")) == (
        "multipart/report",
        "delivery-status",
    )
    expected = {
        "From": "Mail Delivery System <mailer-daemon@mx.example.org>",
        "To": "ben@example.net",
        "Subject": "Undelivered: Caf\xe9",
        "In-Reply-To": "<1@example.net>",
        "Auto-Submitted": "auto-replied",
        "X-Kopano-Rule-Action": "bounce",
    }
    assert {name: found[name] for name in expected} == expected


def test_people_read_who_refused_it_and_why() -> None:
    text = parsed(refusal().content).get_body(("plain",)).get_content()
    for words in ("anna@example.org", "Caf\xe9", "No adverts, please."):
        assert words in text


@pytest.mark.parametrize(
    ("reason", "diagnostic"),
    [
        ("No adverts.", "x-recipient; No adverts."),
        ("b\xf6se", r"x-recipient; b\xf6se"),
        ("", "x-recipient; no reason was given"),
        ("a\r\nStatus: 2.0.0", "x-recipient; a Status: 2.0.0"),
        ("w " * 100, "x-recipient; " + "w " * 99 + "w"),
    ],
)
def test_programs_read_that_it_failed_for_good(reason: str, diagnostic: str) -> None:
    assert status_of(refusal(reason=reason).content) == {
        "Reporting-MTA": "dns; mx.example.org",
        "Final-Recipient": "rfc822; anna@example.org",
        "Action": "failed",
        "Status": "5.7.1",
        "Diagnostic-Code": diagnostic,
    }


def test_an_address_beyond_ascii_is_typed() -> None:
    fields = status_of(refusal(recipient="jos\xe9@example.org").content)
    assert fields["Final-Recipient"] == r"utf-8; jos\x{E9}@example.org"


@pytest.mark.parametrize(("end", "encoding"), [(b"\r\n", "8bit"), (b"\n", "base64")])
def test_the_headers_of_the_original_are_shown_and_its_body_is_not(
    end: bytes, encoding: str
) -> None:
    content = refusal(RAW.replace(b"\r\n", end)).content
    last: EmailMessage = list(parsed(content).iter_parts())[-1]
    assert last.get_content_type() == "text/rfc822-headers"
    assert last["Content-Transfer-Encoding"] == encoding
    shown = last.get_payload(decode=True)
    assert isinstance(shown, bytes)
    assert shown.splitlines()[:3] == RAW.splitlines()[:3]
    assert b"secret body" not in content


_TEXT = st.text(max_size=30) | st.sampled_from(HOSTILE_TEXTS)


@settings(max_examples=150, deadline=None)
@given(raw=ANY_MAIL, reason=_TEXT)
def test_any_mail_gives_a_report(raw: bytes, reason: str) -> None:
    content = refusal(raw, reason).content
    names = field_names(content)
    assert set(names) <= FIELDS
    assert len(names) == len(set(names))
    kinds = [part.content_type for part in MessageView(content).root.children]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    fields = status_of(content)
    assert (len(fields), fields["Action"], fields["Status"]) == (5, "failed", "5.7.1")
