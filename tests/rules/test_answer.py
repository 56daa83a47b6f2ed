"""Answers of a rule: people get them, nobody else does."""

import pytest

from mailcore.envelope import Envelope
from mailcore.view import MessageView
from rules.answer import may_refuse, may_reply

OWN = ("anna@example.org",)


@pytest.mark.parametrize(
    ("mail_from", "reason"),
    [
        ("ben@example.net", None),
        ("", "null sender"),
        ("Anna@Example.org", "own address"),
        ("MAILER-DAEMON@example.net", "robot sender"),
        ("do-not-reply@example.net", "robot sender"),
        ("donotreply+shop@example.net", "robot sender"),
        ("bounces+anna=example.org@example.net", "robot sender"),
        ("owner+x@example.net", None),
        ("root+x@example.net", "robot sender"),
    ],
)
def test_senders(mail_from: str, reason: str | None) -> None:
    envelope = Envelope(mail_from, OWN)
    assert may_reply(MessageView(b"Subject: a\r\n\r\n"), envelope, OWN) == reason
    assert may_refuse(envelope, OWN) == reason


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("List-Id: <a.example.net>", "mailing list"),
        ("Precedence: bulk", "bulk precedence"),
        ("Auto-Submitted: no\r\nAuto-Submitted: auto-replied", "auto-submitted"),
        ("Auto-Submitted: no (by hand)", None),
        ("X-Auto-Response-Suppress: All", "sender asked for no answer"),
        ("X-Kopano-Delegated-For: <ben@example.net>", "delegated mail"),
        ("X-Kopano-Rule-Action: redirect", None),
        ("Content-Type: multipart/report; boundary=b", "delivery report"),
    ],
)
def test_automatic_mail_gets_no_reply(field: str, reason: str | None) -> None:
    view = MessageView(f"{field}\r\n\r\n".encode())
    assert may_reply(view, Envelope("ben@example.net", OWN), OWN) == reason
