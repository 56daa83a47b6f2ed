"""What rules make of a message: copies and their marks, mail that leaves, notices, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery.arrival import Arrival, ForeignFolder
from delivery.by_rules import Filed, file_by_rules
from delivery.site import Site, open_site
from mailcore.envelope import Envelope
from mailcore.settings import DeliverySettings, RuleSettings, Settings
from mailcore.view import MessageView
from rules.message import Folded
from store.mailboxes import DEFAULT_FOLDERS, Mailbox, StoredRule
from store.plan import FLAGGED, SEEN, NewFolder
from tests.support.mailboxes import NOW, recipient_of

FOLDERS = {name: number for number, (name, _) in enumerate(DEFAULT_FOLDERS, 1)} | {"Lists": 20}
SPECIAL = {use: FOLDERS[name] for name, use in DEFAULT_FOLDERS}
BOX = Mailbox(7, "GUID", "anna", "", False, False, False, 0, 0.0, FOLDERS, SPECIAL)
MAIL = "From: ben@example.net\r\nTo: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
TRACE = b"Return-Path: <ben@example.net>\r\nDelivered-To: anna@example.org\r\n"
SITE = open_site(Settings(), "mx.example.org")


def box(*actions: Any, **more: Any) -> Mailbox:
    document = json.dumps({"name": "r", "then": list(actions), **more})
    return replace(BOX, rules=(StoredRule(1, 1, True, 1, document),))


def filed(
    mailbox: Mailbox,
    raw: str = MAIL,
    site: Site = SITE,
    mail_from: str = "ben@example.net",
    **more: Any,
) -> Filed:
    envelope = Envelope(mail_from, ("anna@example.org",))
    recipient = recipient_of(mailbox, aliases=("info@example.org",))
    mail = Folded(MessageView(raw.encode()), envelope)
    return file_by_rules(Arrival(mail, recipient, TRACE, NOW, "u", **more), site, oof_active=False)


def test_marks_are_on_every_copy() -> None:
    found = filed(
        box({"copy": "Lists"}, "mark-read", "flag", {"tag": "Work"}, {"importance": "high"})
    )
    assert [one.folder_id for one in found.filings] == [FOLDERS["Inbox"], FOLDERS["Lists"]]
    for one in found.filings:
        assert (one.flags, one.keywords) == (SEEN | FLAGGED, ("Work", "$Important"))
        assert one.trace == TRACE + b"Importance: high\r\n"


@pytest.mark.parametrize(
    ("action", "places"),
    [
        ({"move": "New/One", "create": True}, [NewFolder(7, "New/One")]),
        ({"move": "lists", "create": True}, [FOLDERS["Lists"]]),
        ({"move": "Board", "store": "public"}, [90]),
        ({"move": "Secret", "store": "public"}, [FOLDERS["Inbox"]]),
        ({"move": "Elsewhere", "store": "ben"}, [FOLDERS["Inbox"]]),
    ],
)
def test_where_a_move_goes(action: dict[str, Any], places: list[Any]) -> None:
    known = {
        ("public", "Board"): ForeignFolder(5, 90),
        ("public", "Secret"): "anna may not put mail into it",
    }
    found = filed(box(action), foreign=known)
    assert [one.folder_id for one in found.filings] == places
    assert [one.store_id for one in found.filings] == [5 if places == [90] else None]


@pytest.mark.parametrize(
    ("action", "kind", "mail_from"),
    [
        ({"forward": "cleo@example.com"}, "forward", "anna@example.org"),
        ({"forward_as_attachment": "cleo@example.com"}, "forward", "anna@example.org"),
        ({"redirect": "cleo@example.com"}, "redirect", "ben@example.net"),
        ({"delegate": "cleo@example.com"}, "delegate", "ben@example.net"),
    ],
)
def test_what_is_passed_on(action: dict[str, Any], kind: str, mail_from: str) -> None:
    found = filed(box(action))
    (leaving,) = found.outgoing
    assert (leaving.kind, leaving.mail.mail_from, leaving.mail.rcpt_to) == (
        kind,
        mail_from,
        "cleo@example.com",
    )
    assert f"X-Kopano-Rule-Action: {kind}".encode() in leaving.mail.content
    assert [one.folder_id for one in found.filings] == [FOLDERS["Inbox"]]


def test_a_redirect_to_the_outside_has_a_sender_of_ours() -> None:
    rules = RuleSettings(srs_domain="srs.example.org", srs_secret="s3cret")
    settings = Settings(rules=rules, delivery=DeliverySettings(internal_domains="example.org"))
    site = open_site(settings, "mx")
    (leaving,) = filed(box({"redirect": "cleo@example.com"}), site=site).outgoing
    assert leaving.mail.mail_from.startswith("SRS0=")
    assert leaving.mail.mail_from.endswith("=example.net=ben@srs.example.org")
    (inside,) = filed(box({"redirect": "cleo@example.org"}), site=site).outgoing
    assert inside.mail.mail_from == "ben@example.net"
    (null,) = filed(box({"redirect": "cleo@example.com"}), site=site, mail_from="").outgoing
    assert null.mail.mail_from == ""


@pytest.mark.parametrize(
    ("target", "raw"),
    [
        ("ben@example.net", MAIL),  # who has sent it
        ("INFO@example.org", MAIL),  # an alias of mine
        ("cleo@example.com", "X-Kopano-Rule-Action: redirect\r\n" + MAIL),
        ("cleo@example.com", "Received: x\r\nDelivered-To: cleo@example.com\r\n" + MAIL),
        ("cleo@example.com", "Auto-Submitted: auto-replied\r\n" + MAIL),
    ],
)
def test_what_is_not_passed_on_stays(target: str, raw: str) -> None:
    found = filed(box({"redirect": target}), raw)
    assert found.outgoing == ()
    assert [one.folder_id for one in found.filings] == [FOLDERS["Inbox"]]


def test_a_redirect_that_is_refused_loses_nothing_even_with_delete() -> None:
    found = filed(box({"redirect": "ben@example.net"}, "delete"))
    assert found.outgoing == ()
    assert [one.folder_id for one in found.filings] == [FOLDERS["Inbox"]]


def test_a_domain_that_is_not_allowed_is_told_in_the_inbox() -> None:
    settings = Settings(rules=RuleSettings(forward_whitelist_domains="example.org *.example.com"))
    site = open_site(settings, "mx")
    found = filed(box({"forward": ["cleo@evil.test", "dora@x.example.com"]}), site=site)
    assert [one.mail.rcpt_to for one in found.outgoing] == ["dora@x.example.com"]
    (notice,) = found.notices
    assert notice.message.subject == "Not forwarded: Lunch"
    assert notice.filing.folder_id == FOLDERS["Inbox"]


def test_at_most_so_many_targets() -> None:
    site = open_site(Settings(rules=RuleSettings(max_forwards=2)), "mx")
    targets = [f"u{number}@example.com" for number in range(5)]
    assert len(filed(box({"forward": targets}, {"redirect": "z@x.org"}), site=site).outgoing) == 2


@pytest.mark.parametrize(
    ("mail_from", "raw", "sent"),
    [
        ("ben@example.net", MAIL, 1),
        ("", MAIL, 0),
        ("mailer-daemon@example.net", MAIL, 0),
        ("ben@example.net", "List-Id: <l>\r\n" + MAIL, 0),
    ],
)
def test_a_reply_goes_to_people(mail_from: str, raw: str, sent: int) -> None:
    found = filed(box({"reply": {"text": "Thanks."}}), raw, mail_from=mail_from)
    assert [(one.kind, one.mail.mail_from) for one in found.outgoing] == [("answer", "")] * sent
    assert len(found.filings) == 1


@pytest.mark.parametrize(("mail_from", "bounced"), [("ben@example.net", True), ("", False)])
def test_what_is_bounced_is_not_kept_unless_nobody_can_be_told(
    mail_from: str, bounced: bool
) -> None:
    found = filed(box({"bounce": "No thanks"}), mail_from=mail_from)
    assert [one.kind for one in found.outgoing] == (["bounce"] if bounced else [])
    assert [one.folder_id for one in found.filings] == ([] if bounced else [FOLDERS["Inbox"]])


def test_the_message_ids_of_what_leaves_are_unique() -> None:
    found = filed(
        box({"forward": ["a@x.org", "b@x.org"]}, {"redirect": "c@x.org"}, {"reply": {"text": "x"}})
    )
    ids = [one.mail.message_id for one in found.outgoing]
    assert len(set(ids)) == 4


def test_a_rule_that_cannot_be_read_is_told_to_its_owner() -> None:
    bad = StoredRule(4, 1, True, 1, '{"name": "lists", "then": ["fly"]}')
    good = StoredRule(5, 2, True, 1, '{"name": "read", "then": ["mark-read"]}')
    found = filed(replace(BOX, rules=(bad, good)))
    assert (found.rule, [one.flags for one in found.filings]) == ("read", [SEEN])
    (notice,) = found.notices
    assert notice.rule_id == 4
    assert "lists" in notice.message.subject
    told = filed(replace(BOX, rules=(replace(bad, reported=True), good)))
    assert told.notices == ()
