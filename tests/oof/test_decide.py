"""To answer or not: people get an answer, robots, lists and loops never do."""

import pytest

from mailcore.envelope import Envelope
from mailcore.view import MessageView
from oof.decide import Respond, Suppress, decide
from oof.settings import OofSettings

ON = OofSettings(True, "Away", "Back in June.")
OWN = ("anna@example.org", "anna.berg@xn--bcher-kva.example")
TO_ME = "To: anna@example.org"
NOW = 1_000.0


def decided(
    *fields: str,
    mail_from: str = "ben@example.net",
    settings: OofSettings | None = ON,
    to: str = TO_ME,
) -> Respond | Suppress:
    raw = "".join(f"{field}\r\n" for field in (*fields, to)) + "\r\nHello\r\n"
    envelope = Envelope(mail_from, ("anna@example.org",))
    return decide(MessageView(raw.encode()), envelope, OWN, settings, NOW)


@pytest.mark.parametrize(
    ("settings", "active"),
    [
        (None, False),
        (OofSettings(False, "", "", 0.0, 2 * NOW), False),
        (OofSettings(True, "", ""), True),
        (OofSettings(True, "", "", NOW, None), True),
        (OofSettings(True, "", "", NOW + 0.001, None), False),
        (OofSettings(True, "", "", None, NOW), True),
        (OofSettings(True, "", "", None, NOW - 0.001), False),
        (OofSettings(True, "", "", NOW, NOW), True),
        (OofSettings(True, "", "", 0.0, 0.0), False),
    ],
)
def test_the_window_includes_both_its_ends(settings: OofSettings | None, active: bool) -> None:
    expected = Respond("ben@example.net") if active else Suppress("not active")
    assert decided(settings=settings) == expected
    assert settings is None or settings.active(NOW) is active


@pytest.mark.parametrize(
    ("mail_from", "reason"),
    [
        ("", "null sender"),
        ("anna@example.org", "own address"),
        ("ANNA@Example.ORG", "own address"),
        ("anna.berg@bücher.example", "own address"),
        ("MAILER-DAEMON@example.net", "robot sender"),
        ("mailer-daemon", "robot sender"),
        ("postmaster@example.net", "robot sender"),
        ("root@example.net", "robot sender"),
        ("LISTSERV@example.net", "robot sender"),
        ("majordomo@example.net", "robot sender"),
        ("noreply@example.net", "robot sender"),
        ("no-reply@example.net", "robot sender"),
        ("owner-list@example.net", "robot sender"),
        ("noreply-7@example.net", "robot sender"),
        ("bounce-7@example.net", "robot sender"),
        ("bounces-7@example.net", "robot sender"),
        ("list-request@example.net", "robot sender"),
        ("list-owner@example.net", "robot sender"),
        ("list-bounces@example.net", "robot sender"),
        ("shop-noreply@example.net", "robot sender"),
    ],
)
def test_senders_that_get_no_answer(mail_from: str, reason: str) -> None:
    assert decided(mail_from=mail_from) == Suppress(reason)


@pytest.mark.parametrize("mail_from", ["rooter@example.net", "anna@example.net", "owner@x", "ben"])
def test_senders_that_only_look_alike(mail_from: str) -> None:
    assert decided(mail_from=mail_from) == Respond(mail_from)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("List-Id: <a.example.net>", "mailing list"),
        ("list-unsubscribe: <mailto:x@example.net>", "mailing list"),
        ("List-Help: x", "mailing list"),
        ("List-Subscribe: x", "mailing list"),
        ("List-Post: NO", "mailing list"),
        ("List-Owner: x", "mailing list"),
        ("List-Archive: x", "mailing list"),
        ("Precedence: bulk", "bulk precedence"),
        ("Precedence:  List ", "bulk precedence"),
        ("Precedence: junk", "bulk precedence"),
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("Auto-Submitted: auto-generated; type=x", "auto-submitted"),
        ("X-Kopano-Vacation: yes", "out-of-office answer"),
        ("X-Auto-Response-Suppress: All", "sender asked for no answer"),
        ("X-Auto-Response-Suppress: DR, OOF, RN", "sender asked for no answer"),
        ("X-Auto-Response-Suppress: AutoReply", "sender asked for no answer"),
        ("X-Spam-Flag: YES", "spam"),
        ("Content-Type: multipart/report; boundary=b", "delivery report"),
    ],
)
def test_mail_that_gets_no_answer(field: str, reason: str) -> None:
    assert decided(field) == Suppress(reason)


@pytest.mark.parametrize(
    "field",
    [
        "Precedence: first-class",
        "Auto-Submitted: no",
        "Auto-Submitted:",
        "Auto-Submitted: No ; comment=x",
        "X-Auto-Response-Suppress: DR, NDR, RN, NRN",
        "X-Auto-Response-Suppress: none",
        "X-Spam-Flag: NO",
        "X-List: x",
        "Content-Type: multipart/mixed; boundary=b",
    ],
)
def test_mail_that_only_looks_automatic(field: str) -> None:
    assert decided(field) == Respond("ben@example.net")


@pytest.mark.parametrize(
    ("to", "mine"),
    [
        ("To: Anna <ANNA@example.org>", True),
        ("To: team: ben@example.net, anna@example.org;", True),
        ("Cc: anna.berg@bücher.example", True),  # an alias, in its other form
        ("Resent-To: anna@example.org", True),
        ("Resent-Cc: anna@example.org", True),
        ("To: ben@example.net\r\nTo: anna@example.org", True),
        ("To: everybody@example.org", False),
        ("To: undisclosed-recipients:;", False),
        ("Bcc: anna@example.org", False),
        ('To: "anna@example.org" <team@example.org>', False),
        ("X: nothing", False),
    ],
)
def test_only_mail_that_names_me_is_answered(to: str, mine: bool) -> None:
    expected = Respond("ben@example.net") if mine else Suppress("not addressed to me")
    assert decided(to=to) == expected


def test_the_answer_goes_to_the_return_path() -> None:
    found = decided("From: someone@else.example", "Reply-To: trap@example.com")
    assert found == Respond("ben@example.net")
