import email
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from spooler.bounce import Failure, compose_bounce
from spooler.outcome import SmtpReply

NOW = datetime(2030, 1, 7, 9, 30, tzinfo=UTC)
CONTENT = (
    b"From: room@example.org\r\nTo: anna@example.net\r\nSubject: Accepted: Caf\xc3\xa9\r\n"
    b"Message-ID: <r1@example.org>\r\n\r\nsecret body\r\n"
)
FAILURE = Failure(
    outbox_id=7,
    mail=OutgoingMail("room@example.org", "anna@example.net", CONTENT, "<r1@example.org>"),
    subject="Accepted: Café",
    created_at=NOW - timedelta(minutes=5),
    attempts=1,
    reply=SmtpReply(550, "5.1.1 no such user"),
    expired=False,
)


def compose(failure: Failure = FAILURE, owner: str = "room") -> bytes:
    return compose_bounce(failure, owner=owner, hostname="mx.example.org", now=NOW)


def parse(notice: bytes) -> EmailMessage:
    message = email.message_from_bytes(notice, policy=SMTP)
    assert not message.defects
    return message


def status_fields(message: EmailMessage) -> dict[str, str]:
    (part,) = [p for p in message.walk() if p.get_content_type() == "message/delivery-status"]
    return {name: str(value) for block in part.iter_parts() for name, value in block.items()}


def test_notice_is_a_report_of_three_parts() -> None:
    message = parse(compose())
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]


def test_headers_name_daemon_owner_and_original() -> None:
    message = parse(compose())
    assert message["From"] == "Mail Delivery System <mailer-daemon@mx.example.org>"
    assert message["To"] == "room@mx.example.org"
    assert message["Subject"] == "Undelivered: Accepted: Café"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["References"] == "<r1@example.org>"
    assert message["Date"].datetime == NOW
    assert MessageView(compose()).message_id == message["Message-ID"]


def test_text_says_what_to_whom_why_and_what_to_do() -> None:
    text = parse(compose()).get_body(("plain",)).get_content()
    for words in (
        "anna@example.net",
        "Accepted: Café",
        "550 5.1.1 no such user",
        "check the address",
    ):
        assert words in text


def test_original_headers_are_shown_and_its_body_is_not() -> None:
    notice = compose()
    assert b"secret body" not in notice
    last = list(parse(notice).iter_parts())[-1]
    assert last.get_payload(decode=True).startswith(CONTENT.partition(b"\r\n\r\n")[0])


@pytest.mark.parametrize(
    ("reply", "expired", "status", "diagnostic"),
    [
        (SmtpReply(550, "5.1.1 no"), False, "5.1.1", "smtp; 550 5.1.1 no"),
        (SmtpReply(550, "no"), False, "5.0.0", "smtp; 550 no"),
        (SmtpReply(451, "4.3.0 later"), True, "5.4.7", "smtp; 451 4.3.0 later"),
        (SmtpReply(0, "Connection refused"), True, "5.4.7", "x-spooler; Connection refused"),
        (SmtpReply(550, "böse"), False, "5.0.0", r"smtp; 550 b\xf6se"),
    ],
)
def test_status_part(reply: SmtpReply, expired: bool, status: str, diagnostic: str) -> None:
    fields = status_fields(parse(compose(replace(FAILURE, reply=reply, expired=expired))))
    assert fields["Reporting-MTA"] == "dns; mx.example.org"
    assert fields["Final-Recipient"] == "rfc822; anna@example.net"
    assert fields["Action"] == "failed"
    assert fields["Status"] == status
    assert fields["Diagnostic-Code"] == diagnostic


def test_giving_up_tells_the_attempts() -> None:
    text = parse(compose(replace(FAILURE, expired=True, attempts=12))).get_body().get_content()
    assert "12 times" in text


@pytest.mark.parametrize(
    ("owner", "to"),
    [
        ("anna", "anna@mx.example.org"),
        ("anna@tenant.example", "anna@tenant.example"),
        ("Room 1, upstairs", '"Room 1, upstairs":;'),
        ("Zoë", "Zoë:;"),
    ],
)
def test_owner_is_named_whatever_the_name(owner: str, to: str) -> None:
    assert parse(compose(owner=owner))["To"] == to


def test_same_failure_gives_the_same_notice() -> None:
    assert compose() == compose()
    assert compose() != compose(replace(FAILURE, outbox_id=8))


# What the database gives back: no surrogates and no NUL, but anything else.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)


@settings(max_examples=150)
@given(st.binary(max_size=400), texts, texts, texts, texts, texts)
def test_any_mail_gives_a_notice(
    content: bytes, rcpt_to: str, message_id: str, subject: str, reply: str, owner: str
) -> None:
    mail = OutgoingMail("", rcpt_to, content, message_id)
    failure = replace(FAILURE, mail=mail, subject=subject, reply=SmtpReply(550, reply))
    notice = compose(failure, owner=owner)
    view = MessageView(notice)
    assert view.from_ is not None
    assert view.from_.address == "mailer-daemon@mx.example.org"
    assert view.header("auto-submitted") == "auto-replied"
    assert len(view.root.children) == 3


@pytest.mark.parametrize("hidden", ["=?utf-8?q?x=0ABcc=3A_evil?=", "=??Q?=0AX-Evil:_z?="])
def test_a_strangers_text_brings_no_field_of_its_own(hidden: str) -> None:
    mail = replace(FAILURE.mail, message_id=f"<{hidden}@x>")
    view = MessageView(compose(replace(FAILURE, subject=hidden, mail=mail)))
    assert {field.name for field in view.fields} <= {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "References",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    }  # fmt: skip
