"""To answer or not: people get an answer, robots, lists and loops never do."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore.envelope import Envelope
from mailcore.header_patterns import parse_header_patterns
from mailcore.view import MessageView
from oof.decide import Respond, Suppress, decide
from oof.recipients import Owner
from oof.settings import KNOWN, NOBODY, OofPolicy, OofSettings

ON = OofSettings(True, "Away", "Back in June.")
OWN = frozenset({"anna@example.org", "anna.berg@xn--bcher-kva.example"})
ANNA = Owner(OWN, frozenset({"team@example.org"}))
TO_ME = "To: anna@example.org"
NOW = 1_000.0


def decided(
    *fields: str,
    mail_from: str = "ben@example.net",
    settings: OofSettings | None = ON,
    to: str = TO_ME,
    owner: Owner = ANNA,
    **more: Any,
) -> Respond | Suppress:
    raw = "".join(f"{field}\r\n" for field in (*fields, to)) + "\r\nHello\r\n"
    envelope = Envelope(mail_from, ("anna@example.org",))
    return decide(MessageView(raw.encode()), envelope, owner, settings, NOW, **more)


def answered(to: str = "ben@example.net", text: str = "Back in June.") -> Respond:
    """The answer to a sender outside."""
    return Respond(text, to, "external")


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
    expected = answered(text="") if active else Suppress("not active")
    assert decided(settings=settings) == expected
    assert settings is None or settings.active(NOW) is active


@pytest.mark.parametrize(
    ("mail_from", "reason"),
    [
        ("", "null sender"),
        ("anna@example.org", "own address"),
        ("ANNA@Example.ORG", "own address"),
        ("anna.berg@bücher.example", "own address"),
        ("anna+lists@example.org", "own address"),
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
    found = decided(mail_from=mail_from)
    assert isinstance(found, Respond)
    assert found.to == mail_from


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
        ("Auto-Submitted:", "auto-submitted"),  # a value other than no
        ("X-Kopano-Vacation: yes", "out-of-office answer"),
        ("X-Auto-Response-Suppress: All", "sender asked for no answer"),
        ("X-Auto-Response-Suppress: DR, OOF, RN", "sender asked for no answer"),
        ("X-Auto-Response-Suppress: AutoReply", "sender asked for no answer"),
        ("X-Spam-Flag: YES", "spam"),
        ("Content-Type: multipart/report; boundary=b", "delivery report"),
        ("X-Kopano-Delegated-For: carla@example.org", "delegated mail"),
        ("X-Is-Junk: yes", "header X-Is-Junk"),
        ("X-Amazon-Mail: x", "header X-Amazon-Mail"),
        ("X-LINKEDIN-class: x", "header X-LINKEDIN-class"),
        ("Content-Type: text/calendar; method=REPLY", "meeting reply"),
        ("From: Anna <anna@example.org>", "own address"),
        ("From: MAILER-DAEMON@mx.example.net", "robot sender"),
        ("Sender: list-bounces@example.net", "robot sender"),
    ],
)
def test_mail_that_gets_no_answer(field: str, reason: str) -> None:
    assert decided(field) == Suppress(reason)


@pytest.mark.parametrize(
    "field",
    [
        "Precedence: first-class",
        "Auto-Submitted: no",
        "Auto-Submitted: No ; comment=x",
        "X-Auto-Response-Suppress: DR, NDR, RN, NRN",
        "X-Auto-Response-Suppress: none",
        "X-Spam-Flag: NO",
        "X-List: x",
        "Content-Type: multipart/mixed; boundary=b",
        "X-Is-Junk: no",
        "Content-Type: text/calendar; method=REQUEST",
        "From: nobody in particular",
    ],
)
def test_mail_that_only_looks_automatic(field: str) -> None:
    assert decided(field) == answered()


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("To: Anna <ANNA@example.org>", ""),
        ("To: team: ben@example.net, anna@example.org;", ""),
        ("To: anna+lists@example.org", ""),
        ("Cc: anna.berg@bücher.example", ""),  # an alias, in its other form
        ("Resent-To: anna@example.org", ""),
        ("Resent-Cc: anna@example.org", ""),
        ("To: ben@example.net\r\nTo: anna@example.org", ""),
        ("To: team@example.org\r\nCc: anna@example.org", ""),
        ("To: team@example.org", "sent to a group"),
        ("Cc: ben@example.net, TEAM@example.org", "sent to a group"),
        ("To: everybody@example.org", "not addressed to me"),
        ("To: hanna@example.org", "not addressed to me"),
        ("To: +anna@example.org", "not addressed to me"),
        ('To: "anna@example.org" <ben@example.net>', "not addressed to me"),
        ("Bcc: anna@example.org", "blind copy"),
        ("Resent-Bcc: anna@example.org", "blind copy"),
        ("To: undisclosed-recipients:;", "no recipient named"),
        ("X: nothing", "no recipient named"),
    ],
)
def test_only_mail_that_names_me_is_answered(to: str, reason: str) -> None:
    assert decided(to=to) == (Suppress(reason) if reason else answered())


@pytest.mark.parametrize(
    ("policy", "to", "reason"),
    [
        (OofPolicy(autorespond_cc=False), "Cc: anna@example.org", "only a copy"),
        (OofPolicy(autorespond_cc=False), "Cc: anna@example.org\r\nTo: anna@example.org", ""),
        (OofPolicy(autorespond_bcc=True), "Bcc: anna@example.org", ""),
        (OofPolicy(autorespond_bcc=True), "To: ben@example.net", ""),
        (OofPolicy(autorespond_bcc=True), "To: team@example.org", "sent to a group"),
        (OofPolicy(autorespond_bcc=True), "X: nothing", "no recipient named"),
        (OofPolicy(autorespond_norecip=True), "X: nothing", ""),
        (OofPolicy(autorespond_norecip=True), "To: ben@example.net", "not addressed to me"),
        (OofPolicy(delimiter=""), "To: anna+lists@example.org", "not addressed to me"),
        (OofPolicy(delimiter="-+"), "To: anna-lists@example.org", ""),
    ],
)
def test_what_counts_as_named_can_be_set(policy: OofPolicy, to: str, reason: str) -> None:
    assert decided(to=to, policy=policy) == (Suppress(reason) if reason else answered())


def test_mail_through_a_group_is_answered_only_where_it_names_me_too() -> None:
    member = replace(ANNA, via="all@example.org")
    everything = OofPolicy(autorespond_bcc=True, autorespond_norecip=True)
    for to in ("To: all@example.org", "X: nothing", "To: ben@example.net"):
        assert decided(to=to, owner=member, policy=everything) == Suppress("sent to a group")
    assert decided(owner=member) == answered()


def test_other_headers_can_be_set() -> None:
    policy = OofPolicy(inhibit_auto_reply_headers=parse_header_patterns(["X-Robot*", "Importance"]))
    assert decided("Importance: low", policy=policy) == Suppress("header Importance")
    assert decided("X-Is-Junk: YES", policy=policy) == answered()
    none = OofPolicy(inhibit_auto_reply_headers=())
    assert decided("Precedence: bulk", policy=none) == Suppress("bulk precedence")


@pytest.mark.parametrize(
    ("mail_from", "domains", "audience"),
    [
        ("ben@EXAMPLE.org", frozenset(), "internal"),  # the user's own domain
        ("ben@bücher.example", frozenset(), "internal"),
        ("ben@xn--bcher-kva.example", frozenset(), "internal"),
        ("ben@example.net", frozenset(), "external"),
        ("ben@example.net", frozenset({"example.net"}), "internal"),
        ("ben@example.org", frozenset({"example.net"}), "external"),
        ("ben@sub.example.net", frozenset({"example.net"}), "external"),
        ("ben", frozenset({"example.net"}), "internal"),
    ],
)
def test_who_is_inside(mail_from: str, domains: frozenset[str], audience: str) -> None:
    texts = replace(ON, internal_message="Ask Carla.", external_message="I am away.")
    found = decided(mail_from=mail_from, settings=texts, policy=OofPolicy(internal_domains=domains))
    text = {"internal": "Ask Carla.", "external": "I am away."}[audience]
    assert found == Respond(text, mail_from, audience)


def test_without_a_text_of_their_own_all_get_the_same() -> None:
    inside_only = replace(ON, internal_message="Ask Carla.")
    assert decided(settings=inside_only) == answered(text="Back in June.")
    outside_only = replace(ON, external_message="Away.")
    assert decided(settings=outside_only) == answered(text="Away.")
    found = decided(mail_from="ben@example.org", settings=outside_only)
    assert found == Respond("Back in June.", "ben@example.org", "internal")


@pytest.mark.parametrize(
    ("external", "known", "reason"),
    [
        (NOBODY, "ben@example.net", "outsider"),
        (KNOWN, "carl@example.net", "unknown outsider"),
        (KNOWN, "ben@example.net", ""),
        ("all", "", ""),
    ],
)
def test_who_outside_is_answered(external: str, known: str, reason: str) -> None:
    oof = replace(ON, external=external)
    found = decided(settings=oof, knows=known.__eq__)
    assert found == (Suppress(reason) if reason else answered())
    assert isinstance(decided(mail_from="ben@example.org", settings=oof), Respond)


def test_the_answer_goes_to_the_return_path() -> None:
    assert decided("From: someone@else.example", "Reply-To: trap@example.com") == answered()


_FIELDS = (
    *("From", "Sender", "To", "Cc", "Bcc", "Resent-To", "Precedence", "Auto-Submitted", "List-Id"),
    *("Content-Type", "X-Auto-Response-Suppress", "X-Spam-Flag", "X-Amazon", "In-Reply-To"),
)


@settings(max_examples=200, deadline=None)
@given(
    fields=st.lists(
        st.tuples(st.sampled_from(_FIELDS), st.binary(max_size=60) | st.just(b"anna@example.org"))
    ),
    body=st.binary(max_size=100),
    mail_from=st.text(max_size=20) | st.just("ben@example.net"),
)
def test_whatever_the_mail_there_is_an_answer_or_a_reason(
    fields: list[tuple[str, bytes]], body: bytes, mail_from: str
) -> None:
    block = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields)
    view = MessageView(block + body)
    found = decide(view, Envelope(mail_from, ("anna@example.org",)), ANNA, ON, NOW)
    if isinstance(found, Respond):
        assert found.to == mail_from != ""
    else:
        assert found.reason.isprintable()
        assert found.reason
