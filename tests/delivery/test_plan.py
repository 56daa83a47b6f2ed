"""The plan: which way a message goes, and what is done to it there."""

import json
from dataclasses import replace
from typing import Any

import pytest

from delivery.arrival import Arrival, ForeignFolder, Wish
from delivery.plan import Plan, is_spam, plan_delivery, plan_ordinary
from delivery.site import Site, open_site
from mailcore.envelope import Envelope
from mailcore.errors import TemporaryError, UsageError
from mailcore.header_patterns import parse_header_patterns
from mailcore.settings import DeliverySettings, OofSectionSettings, Settings, UserStoreSettings
from mailcore.view import MessageView
from oof.settings import TIME_LIMIT, OofPolicy
from rules.message import Folded
from store.mailboxes import DEFAULT_FOLDERS, INBOX, JUNK, Mailbox, StoredOof, StoredRule
from store.message import prepare_message
from store.plan import SEEN, Filing, NewFolder, OofClaim, ledger_key
from store.public import PUBLIC
from tests.support.mailboxes import NOW, recipient_of

FOLDERS = {name: number for number, (name, _) in enumerate(DEFAULT_FOLDERS, 1)} | {"Lists": 20}
SPECIAL = {use: FOLDERS[name] for name, use in DEFAULT_FOLDERS}
BOX = Mailbox(7, "GUID", "anna", "", False, False, False, 0, 0.0, FOLDERS, SPECIAL)
ROOM = replace(BOX, mr_accept=True)
AWAY = StoredOof(True, "Away", "Back in June.", None, None, 0.0)
TEXT = "To: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
SPAM = "X-Spam-Status: Yes, score=9\r\n" + TEXT
TRACE = b"Return-Path: <ben@example.net>\r\n"
SETTINGS = Settings()
SITE = Site(SETTINGS, "mx.example.org")


def calendar(method: str, *, content_type: str = "text/calendar") -> str:
    return f"Content-Type: {content_type}; method={method}\r\n{TEXT}"


def arrival(raw: str = TEXT, box: Mailbox = BOX, **more: Any) -> Arrival:
    envelope = Envelope(more.pop("mail_from", "ben@example.net"), ("anna@example.org",))
    recipient = recipient_of(box, imap=more.pop("imap", False))
    view = MessageView(raw.encode())
    return Arrival(Folded(view, envelope), recipient, TRACE, NOW, "u1", **more)


def planned(raw: str = TEXT, box: Mailbox = BOX, **more: Any) -> Plan:
    return plan_delivery(arrival(raw, box, **more), SITE)


def rules(*documents: Any, enabled: bool = True) -> Mailbox:
    """The mailbox with rules; a document that is no text is written as JSON."""
    stored = (
        StoredRule(number, number, enabled, 1, one if isinstance(one, str) else json.dumps(one))
        for number, one in enumerate(documents, 1)
    )
    return replace(BOX, rules=tuple(stored))


def then(*actions: Any, name: str = "r", **more: Any) -> dict[str, Any]:
    return {"name": name, "then": list(actions), **more}


# --- junk ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "spam"),
    [
        ("X-Spam-Status: Yes, score=9", True),
        ("x-spam-status: YES, SCORE=9", True),
        ("X-Spam-Status:\r\n Yes,\r\n\tscore=9", True),
        ("X-Spam-Status: No, score=1\r\nX-Spam-Status: Yes, score=9", True),
        ("X-Spam-Status: No, score=1", False),
        ("X-Spam-Status: Yes", False),  # the value is matched with its comma
        ("X-Spam-Status:", False),
        ("X-Spam-Flag: Yes,", False),
        ("Subject: X-Spam-Status: Yes,", False),
    ],
)
def test_what_counts_as_spam(header: str, spam: bool) -> None:
    view = MessageView(f"{header}\r\n\r\nX-Spam-Status: Yes, in the body\r\n".encode())
    assert is_spam(view, SETTINGS.delivery) is spam


def test_the_header_of_another_filter() -> None:
    settings = DeliverySettings(spam_header_name="X-Verdict", spam_header_value="junk")
    assert is_spam(MessageView(b"X-Verdict: JUNK mail\r\n\r\n"), settings)
    assert not is_spam(MessageView(SPAM.encode()), settings)
    nothing = DeliverySettings(spam_header_name="")
    assert not is_spam(MessageView(SPAM.encode()), nothing)


def test_junk_goes_to_its_folder_and_no_further() -> None:
    plan = planned(SPAM, replace(rules(then("delete")), oof=AWAY))
    assert (plan.route, plan.folder, plan.rule, plan.oof) == ("junk", "Junk E-mail", "", "junk")
    assert [filing.folder_id for filing in plan.store.filings] == [FOLDERS["Junk E-mail"]]
    assert plan.store.outgoing == ()


def test_without_a_junk_folder_the_inbox_takes_it() -> None:
    special = {use: number for use, number in SPECIAL.items() if use != JUNK}
    plan = planned(SPAM, replace(BOX, special=special))
    assert [filing.folder_id for filing in plan.store.filings] == [FOLDERS["Inbox"]]


# --- the command line's wishes, details, the archive ---------------------------------------------


@pytest.mark.parametrize(
    ("wish", "route", "folder"),
    [
        (Wish(junk=True), "junk", FOLDERS["Junk E-mail"]),
        (Wish(folder="lists"), "folder", FOLDERS["Lists"]),
        (Wish(folder="Nowhere"), "inbox", FOLDERS["Inbox"]),
        (Wish(folder="New/One", create=True), "folder", NewFolder(7, "New/One")),
        (Wish(folder="Lists", create=True), "folder", FOLDERS["Lists"]),
        (Wish(folder="Board", public=True), "public", 99),
        (Wish(folder="Nowhere", public=True), "inbox", FOLDERS["Inbox"]),
    ],
)
def test_where_the_command_line_wants_it(wish: Wish, route: str, folder: int | NewFolder) -> None:
    board = {(PUBLIC, "Board"): ForeignFolder(5, 99), (PUBLIC, "Nowhere"): "no such folder"}
    plan = planned(SPAM if not wish.junk else TEXT, wish=wish, foreign=board)
    assert plan.store is not None
    (filed,) = plan.store.filings
    assert (plan.route, filed.folder_id) == (route, folder)
    assert filed.store_id == (5 if route == "public" else None)


def test_read_and_delivered_when_the_command_line_says() -> None:
    plan = planned(wish=Wish(read=True, delivered_at=5.0))
    assert plan.store is not None
    (filed,) = plan.store.filings
    assert (filed.flags, filed.internal_date) == (SEEN, 5.0)


@pytest.mark.parametrize(
    ("detail", "asked", "route", "folder"),
    [
        ("lists", True, "detail", "Lists"),
        ("lists", False, "inbox", "Inbox"),
        ("nowhere", True, "inbox", "Inbox"),
        ("", True, "inbox", "Inbox"),
    ],
)
def test_mail_to_a_detail_goes_to_its_folder(
    detail: str, asked: bool, route: str, folder: str
) -> None:
    came = arrival()
    came = replace(came, recipient=replace(came.recipient, detail=detail))
    settings = replace(SETTINGS, delivery=DeliverySettings(detail_folder=asked))
    plan = plan_delivery(came, open_site(settings, "mx"))
    assert plan.store is not None
    assert plan.route == route
    assert [filed.folder_id for filed in plan.store.filings] == [FOLDERS[folder]]


@pytest.mark.parametrize(
    ("raw", "box", "archived"),
    [
        (TEXT, BOX, True),
        (TEXT, rules(then("delete")), True),
        (TEXT, rules(then({"move": "Lists"})), True),
        (SPAM, BOX, False),
        (calendar("REQUEST"), ROOM, False),  # when the booker hands it back
    ],
)
def test_the_archive_gets_a_copy(raw: str, box: Mailbox, archived: bool) -> None:
    settings = replace(SETTINGS, delivery=DeliverySettings(archive_folder="Archive"))
    plan = plan_delivery(arrival(raw, box), open_site(settings, "mx"))
    assert plan.store is not None
    copies = [f for f in plan.store.filings if f.folder_id == NewFolder(7, "Archive")]
    assert [copy.flags for copy in copies] == ([SEEN] if archived else [])


def test_an_archive_elsewhere_that_cannot_be_had_is_our_trouble() -> None:
    elsewhere = DeliverySettings(archive_folder="Mail", archive_store="archive")
    settings = replace(SETTINGS, delivery=elsewhere)
    there = {("archive", "Mail"): ForeignFolder(9, 90)}
    plan = plan_delivery(arrival(foreign=there), open_site(settings, "mx"))
    assert plan.store is not None
    assert [(f.store_id, f.folder_id) for f in plan.store.filings][1:] == [(9, 90)]
    gone = {("archive", "Mail"): "no such folder"}
    with pytest.raises(TemporaryError, match="archive folder 'Mail' of archive: no such folder"):
        plan_delivery(arrival(foreign=gone), open_site(settings, "mx"))


# --- booking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "box", "route"),
    [
        (calendar("REQUEST"), ROOM, "booking"),
        (calendar("request"), ROOM, "booking"),
        (calendar("CANCEL"), ROOM, "booking"),
        (calendar("REQUEST"), BOX, "inbox"),  # without mr-accept
        (calendar("REPLY"), ROOM, "inbox"),
        (calendar("COUNTER"), ROOM, "inbox"),
        (calendar("PUBLISH"), ROOM, "inbox"),
        (f"Content-Type: text/calendar\r\n{TEXT}", ROOM, "inbox"),  # no method parameter
        (calendar("REQUEST", content_type="application/ics"), ROOM, "inbox"),
        (f"Content-Type: message/rfc822\r\n\r\n{calendar('REQUEST')}", ROOM, "inbox"),
        (f"X-Spam-Status: Yes, 9\r\n{calendar('REQUEST')}", ROOM, "junk"),
        (TEXT, ROOM, "inbox"),
    ],
)
def test_only_requests_and_cancels_for_who_wants_it_go_to_the_booker(
    raw: str, box: Mailbox, route: str
) -> None:
    plan = planned(raw, box)
    assert plan.route == route
    assert (plan.store.job is not None) is (route == "booking")
    assert bool(plan.store.filings) is (route != "booking")


def test_a_job_has_all_that_a_delivery_needs_later() -> None:
    raw = "Message-ID: <1@x>\r\n" + calendar("REQUEST")
    box = replace(ROOM, oof=AWAY, rules=rules(then("delete")).rules)
    plan = planned(raw, box)
    job = plan.store.job
    assert job is not None
    assert (job.mail_from, job.rcpt_to) == ("ben@example.net", "anna@example.org")
    assert (job.message_id, job.subject) == ("<1@x>", "Lunch")
    assert (job.content, job.trace) == (raw.encode(), TRACE)
    assert (plan.store.outgoing, plan.rule) == ((), "")


def test_the_fallback_is_ordinary_mail() -> None:
    plan = plan_ordinary(arrival(calendar("REQUEST"), replace(ROOM, oof=AWAY)), SITE)
    assert (plan.route, plan.folder, plan.oof) == ("inbox", "Inbox", "answered")


# --- ordinary mail and rules --------------------------------------------------------------------


def test_ordinary_mail() -> None:
    plan = planned(imap=True)
    assert (plan.route, plan.folder, plan.rule, plan.oof) == ("inbox", "Inbox", "", "not active")
    assert (plan.store.store_id, plan.store.ledger_key) == (7, None)
    (filing,) = plan.store.filings
    assert (filing.folder_id, filing.trace, filing.flags) == (FOLDERS["Inbox"], TRACE, 0)
    assert (filing.internal_date, filing.internal_zone, filing.imap) == (NOW, 0, True)


def test_repeats_are_known_by_sender_and_bytes() -> None:
    plan = planned(sha256=b"s" * 32)
    assert plan.store.ledger_key == ledger_key("", "ben@example.net", b"s" * 32)
    assert planned(SPAM, sha256=b"s" * 32).store.ledger_key == plan.store.ledger_key
    booked = planned(calendar("REQUEST"), ROOM, sha256=b"s" * 32)
    assert booked.store.ledger_key == plan.store.ledger_key


@pytest.mark.parametrize(
    ("documents", "folders", "names"),
    [
        ([then({"move": "Lists"})], ["Lists"], "r"),
        ([then({"copy": "Lists"})], ["Inbox", "Lists"], "r"),
        ([then({"move": "Lists"}, {"copy": "Drafts"})], ["Lists", "Drafts"], "r"),
        ([then({"move": "Lists"}), then({"move": "Lists"}, name="s")], ["Lists"], "r, s"),
        ([then({"copy": "Inbox"})], ["Inbox"], "r"),
        ([then({"move": "Inbox"}, {"copy": "Inbox"})], ["Inbox"], "r"),
        ([then("delete")], [], "r"),
        ([then({"copy": "Lists"}, "delete")], ["Lists"], "r"),
        ([then({"move": "No such"})], ["Inbox"], "r"),
        ([then({"move": "No such"}, {"copy": "Lists"})], ["Inbox", "Lists"], "r"),
        ([then({"move": "No such"}), then({"move": "Lists"}, name="s")], ["Lists"], "r, s"),
        ([then("delete", when={"header": "Subject", "is": "Dinner"})], ["Inbox"], ""),
        ([then("delete", only_when_oof=True)], ["Inbox"], ""),
        ([then({"move": "Lists"}, stop=True), then("delete", name="s")], ["Lists"], "r"),
    ],
)
def test_what_rules_do_to_a_mail(documents: list[Any], folders: list[str], names: str) -> None:
    plan = planned(box=rules(*documents))
    assert [filing.folder_id for filing in plan.store.filings] == [FOLDERS[f] for f in folders]
    assert plan.folder == ", ".join(folders)
    assert (plan.rule, plan.route) == (names, "rule" if names else "inbox")
    assert {filing.flags for filing in plan.store.filings} <= {0}


def test_every_copy_is_marked_as_read() -> None:
    plan = planned(box=rules(then({"copy": "Lists"}), then("mark-read", name="s")))
    assert [filing.flags for filing in plan.store.filings] == [SEEN, SEEN]


def test_a_missing_folder_is_remarked_on() -> None:
    filed = planned(box=rules(then({"move": "No such"}))).by_rules
    assert filed.remarks == ("there is no folder 'No such'",)


@pytest.mark.parametrize(
    "document",
    ["", "{", "[]", '{"name": "r"}', '{"name": "r", "then": ["fly"]}', "\0", "[" * 10**5],
)
def test_a_rule_that_cannot_be_read_hurts_nobody(document: str) -> None:
    plan = planned(box=rules(document, then({"move": "Lists"})))
    assert (plan.folder, plan.rule) == ("Lists", "r")
    (remark,) = plan.by_rules.remarks
    assert remark.startswith("number 1 is left out: rule")


def test_a_rule_that_is_switched_off_is_not_even_read() -> None:
    plan = planned(box=rules("{", then("delete"), enabled=False))
    assert (plan.folder, plan.rule, plan.by_rules.remarks) == ("Inbox", "", ())


def test_rules_for_absence_work_while_it_lasts() -> None:
    box = replace(rules(then({"move": "Lists"}, only_when_oof=True)), oof=AWAY)
    assert planned(box=box).folder == "Lists"
    over = replace(box, oof=replace(AWAY, ends_at=NOW - 1))
    assert planned(box=over).folder == "Inbox"
    assert planned(box=replace(box, oof=replace(AWAY, enabled=False))).folder == "Inbox"


# --- out-of-office ------------------------------------------------------------------------------


def test_an_absent_owner_answers() -> None:
    plan = planned(
        "Message-ID: <1@x>\r\n" + TEXT, replace(BOX, oof=AWAY), mail_from="Ben@X.example"
    )
    assert (plan.route, plan.oof) == ("inbox", "answered")
    (leaving,) = plan.store.outgoing
    assert (leaving.kind, leaving.subject, leaving.not_before) == ("oof", "Away", 0.0)
    assert leaving.claim is not None
    assert leaving.claim.sender_key == "ben@x.example"  # whatever its case next time
    assert leaving.claim.not_since == NOW - TIME_LIMIT
    assert (leaving.mail.mail_from, leaving.mail.rcpt_to) == ("", "Ben@X.example")
    assert leaving.mail.message_id == "<oof.u1@mx.example.org>"
    answer = MessageView(leaving.mail.content)
    assert answer.from_ == ("Anna Berg", "anna@example.org")
    assert answer.header("In-Reply-To") == "<1@x>"


@pytest.mark.parametrize(
    ("raw", "mail_from", "oof", "reason"),
    [
        (TEXT, "ben@x", None, "not active"),
        (TEXT, "ben@x", replace(AWAY, enabled=False), "not active"),
        (TEXT, "ben@x", replace(AWAY, starts_at=NOW + 1), "not active"),
        (TEXT, "", AWAY, "null sender"),
        (TEXT, "anna@example.org", AWAY, "own address"),
        ("List-Id: <l>\r\n" + TEXT, "ben@x", AWAY, "mailing list"),
        ("To: ben@x\r\n\r\n", "ben@x", AWAY, "not addressed to me"),
        ("Subject: x\r\n\r\n", "ben@x", AWAY, "no recipient named"),
    ],
)
def test_silence_has_a_reason(raw: str, mail_from: str, oof: StoredOof | None, reason: str) -> None:
    plan = planned(raw, replace(BOX, oof=oof), mail_from=mail_from)
    assert (plan.oof, plan.store.outgoing) == (reason, ())
    assert plan.folder == "Inbox"


def test_a_copy_of_the_answer_goes_with_it_into_sent_items() -> None:
    (leaving,) = planned(box=replace(BOX, oof=AWAY), imap=True).store.outgoing
    assert leaving.filed is not None
    assert leaving.filed.filing == Filing(FOLDERS["Sent Items"], b"", NOW, flags=SEEN, imap=True)
    assert leaving.filed.message == prepare_message(MessageView(leaving.mail.content), imap=True)


@pytest.mark.parametrize(
    ("box", "settings", "more"),
    [
        (BOX, OofSectionSettings(copy_to_sentmail=False), {}),
        (replace(BOX, special={INBOX: 1}), OofSectionSettings(), {}),
        (BOX, OofSectionSettings(), {"hop": "lmtp:127.0.0.1:24"}),  # whose folders are elsewhere
    ],
)
def test_without_a_copy_it_leaves_all_the_same(
    box: Mailbox, settings: OofSectionSettings, more: dict[str, str]
) -> None:
    site = open_site(Settings(oof=settings), "mx.example.org")
    (leaving,) = plan_delivery(arrival(box=replace(box, oof=AWAY), **more), site).store.outgoing
    assert leaving.filed is None


@pytest.mark.parametrize(
    ("settings", "not_since"),
    [
        (OofSectionSettings(timelimit=60.0), NOW - 60.0),
        (OofSectionSettings(repeat="once-per-period"), 5.0),
    ],
)
def test_when_a_sender_is_answered_again(settings: OofSectionSettings, not_since: float) -> None:
    site = open_site(Settings(oof=settings), "mx.example.org")
    box = replace(BOX, oof=replace(AWAY, switched_on_at=5.0))
    (leaving,) = plan_delivery(arrival(box=box), site).store.outgoing
    assert leaving.claim == OofClaim("ben@example.net", not_since)


def test_what_the_settings_say_of_answers() -> None:
    settings = Settings(
        oof=OofSectionSettings(
            autorespond_cc=False, inhibit_auto_reply_headers="X-Robot*, Importance: low"
        ),
        delivery=DeliverySettings(internal_domains="b\xfccher.example EXAMPLE.net"),
        userstore=UserStoreSettings(recipient_delimiter="-"),
    )
    site = open_site(settings, "mx.example.org")
    assert site.oof == OofPolicy(
        autorespond_cc=False,
        inhibit_auto_reply_headers=parse_header_patterns(["X-Robot*", "Importance: low"]),
        internal_domains=frozenset({"b\xfccher.example", "example.net"}),
        delimiter="-",
    )
    box = replace(BOX, oof=replace(AWAY, external="none"))
    assert plan_delivery(arrival(box=box), site).oof == "answered"
    assert plan_delivery(arrival(box=box, mail_from="x@example.org"), site).oof == "outsider"
    with pytest.raises(UsageError, match=r"\[oof\] inhibit_auto_reply_headers: 'a b' is no header"):
        open_site(Settings(oof=OofSectionSettings(inhibit_auto_reply_headers="a b")), "mx")


def test_known_outsiders_answer_mail_of_ours() -> None:
    box = replace(BOX, oof=replace(AWAY, external="known"))
    assert planned(box=box).oof == "unknown outsider"
    answering = "In-Reply-To: <1@pc7.example.org>\r\n"
    assert planned(answering + TEXT, box).oof == "answered"


def test_mail_through_a_group_gets_no_answer() -> None:
    came = arrival("To: team@example.org\r\n\r\n", replace(BOX, oof=AWAY))
    for more in ({"via": "team@example.org"}, {"groups": frozenset({"team@example.org"})}):
        member = replace(came, recipient=replace(came.recipient, **more))
        assert plan_delivery(member, SITE).oof == "sent to a group"


def test_the_address_of_the_envelope_is_mine_too() -> None:
    came = arrival("To: sales+eu@example.net\r\n\r\n", replace(BOX, oof=AWAY))
    recipient = replace(came.recipient, address="sales+eu@example.net")
    assert plan_delivery(replace(came, recipient=recipient), SITE).oof == "answered"


def test_a_mail_that_a_rule_deletes_is_answered_all_the_same() -> None:
    plan = planned(box=replace(rules(then("delete")), oof=AWAY))
    assert (plan.store.filings, plan.oof) == ((), "answered")
