"""A redirected mail: the same bytes below a new block of Resent fields."""

import pytest
from hypothesis import given

from mailcore.view import MessageView
from rules.compose_redirect import compose_delegate, compose_redirect
from tests.support.dispatches import ANY_MAIL, DISPATCH, TRACE, parsed

RAW = (
    b"Resent-From: old@example.net\r\nReturn-Path: <kept@example.net>\r\n"
    b"Received: from x\r\n\tby y; z\r\nFrom: ben@example.net\r\nSender: b@example.net\r\n"
    b"Subject: =?utf-8?q?a?=  b\r\nMessage-ID: <1@example.net>\r\n\r\nHi \n\r\0\xff"
)
RESENT = (
    b"Resent-From: =?utf-8?q?=C3=84nne_Berg?=\r\n <anna@example.org>\r\n"
    b"Resent-To: <carl@example.com>\r\nResent-Date: Mon, 07 Jan 2030 09:30:00 +0000\r\n"
    b"Resent-Message-ID: <rule.1@host>\r\n"
)
ACTION = b"X-Kopano-Rule-Action: redirect\r\n"


@pytest.mark.parametrize("mail_from", ["", "SRS0=abcd=T2=example.net=ben@srs.example.org"])
def test_the_original_goes_on_below_the_new_block(mail_from: str) -> None:
    mail = compose_redirect(MessageView(RAW), DISPATCH, mail_from=mail_from)
    hop = TRACE.partition(b"\r\n")[2]  # without Return-Path
    assert mail.content == RESENT + ACTION + hop + RAW
    assert (mail.mail_from, mail.rcpt_to) == (mail_from, "carl@example.com")
    assert mail.message_id == "<1@example.net>"


def test_the_next_hop_sees_where_it_has_been_and_who_wrote_it() -> None:
    found = parsed(compose_redirect(MessageView(RAW), DISPATCH, mail_from="").content)
    assert found["Delivered-To"] == "anna@example.org"
    assert (found["From"], found["Sender"]) == ("ben@example.net", "b@example.net")
    assert found.get_all("Resent-From") == ["\xc4nne Berg <anna@example.org>", "old@example.net"]
    assert len(found.get_all("Received")) == 2


def test_a_delegated_mail_says_whose_it_is() -> None:
    mail = compose_delegate(MessageView(RAW), DISPATCH, mail_from="ben@example.net")
    assert mail.mail_from == "ben@example.net"
    assert mail.content.startswith(RESENT)
    assert mail.content.endswith(RAW)
    found = parsed(mail.content)
    assert found["X-Kopano-Delegated-For"] == "<anna@example.org>"
    assert found["X-Kopano-Rule-Action"] == "delegate"


def test_a_mail_without_a_message_id_is_known_by_ours() -> None:
    assert compose_redirect(MessageView(b""), DISPATCH, mail_from="").message_id == "<rule.1@host>"


@given(ANY_MAIL)
def test_every_mail_goes_on_as_it_is(raw: bytes) -> None:
    for compose in (compose_redirect, compose_delegate):
        content = compose(MessageView(raw), DISPATCH, mail_from="").content
        assert content.startswith(RESENT)
        assert content.endswith(TRACE.partition(b"\r\n")[2] + raw)
