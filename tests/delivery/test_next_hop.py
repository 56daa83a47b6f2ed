"""Handing mail on: which copies go to the hop, what stays ours, and hops that do not work.

What a real server does with them is in tests/field/test_dovecot_lmtp.py.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.arrival import ForeignFolder
from delivery.deliver import Planned, plan_fallback, plan_message, replies_of
from delivery.hop_session import HOP_DOWN, WRONG_HOP, NextHops, Parcel, address_with
from delivery.next_hop import goes_elsewhere, hand_over, hand_over_acknowledged
from delivery.site import Site, open_site
from mailcore.envelope import Envelope
from mailcore.errors import TemporaryError
from mailcore.path import parse_path_argument
from mailcore.reply import DELIVERED, LmtpReply
from mailcore.settings import DeliverySettings, RuleSettings, Settings
from mailcore.view import MessageView
from store.jobs import lease_jobs
from store.mailboxes import INBOX, Mailbox, StoredOof
from store.personal import add_rule, save_oof
from store.plan import Receipt
from store.schema import outbox
from tests.support.mailboxes import PostOffice, recipient_of
from tests.support.scripted_server import HANG_UP, ScriptedServer, scripted_servers
from tests.support.waiting import wait_for
from userstore.model import Quota
from userstore.resolve import Recipient

RAW = b"To: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
HOP = "lmtp:127.0.0.1:9"
TAKEN = LmtpReply(250, "2.0.0", "Saved")
FULL = LmtpReply(552, "5.2.2", "Quota exceeded")
BUSY = LmtpReply(451, "4.2.0", "busy")
SITE = Site(
    Settings(delivery=DeliverySettings(deliver_via_detail=True, deliver_via_connect_timeout=0.2)),
    "mx.example.org",
)


class Spy(NextHops):
    """Keeps what it is given and answers as told; the wire is tested below and with a real server."""

    def __init__(self, *replies: LmtpReply) -> None:
        super().__init__("mx.example.org")
        self._replies = replies
        self.sent: list[tuple[str, str, bytes, list[Parcel]]] = []

    def send(
        self, hop: str, mail_from: str, raw: bytes, parcels: Any, settings: DeliverySettings
    ) -> list[LmtpReply]:
        self.sent.append((hop, mail_from, raw, list(parcels)))
        return list(self._replies)

    @property
    def folders(self) -> list[list[str]]:
        """The folders of each parcel."""
        return [[path for path, _ in one.copies] for *_, parcels in self.sent for one in parcels]


def planned(*recipients: Recipient, raw: bytes = RAW, site: Site = SITE, **more: Any) -> Planned:
    addresses = tuple(recipient.address for recipient in recipients)
    envelope = Envelope("ben@example.net", addresses, "[192.0.2.7]", "mta")
    options = {"deduplicate": True, **more}
    return plan_message(envelope, [[one] for one in recipients], raw, site, **options)


def mailbox(office: PostOffice, *rules: object, **settings: object) -> Mailbox:
    """A mailbox with its folders elsewhere; each of the rules is its list of actions."""
    box = office.mailbox(deliver_via=HOP, **settings)
    with office.database.write() as connection:
        for number, actions in enumerate(rules, start=1):
            document = json.dumps({"name": f"rule {number}", "then": actions})
            add_rule(connection, box.id, number, True, 1, document)
    return office.reload(box.id)


def settle(
    office: PostOffice, found: Planned, hops: NextHops
) -> tuple[tuple[LmtpReply, ...], tuple[Receipt, ...]]:
    """Hand over, commit, and return the replies and receipts."""
    handed = hand_over(found, hops, office.database)
    receipts: tuple[Receipt, ...] = ()
    if handed.submission.plans:
        (receipts,) = office.commit(handed.submission)
    return replies_of(handed, receipts), receipts


# -- what goes, and what stays


def test_finished_mail_goes_without_our_return_path(post_office: PostOffice) -> None:
    box = mailbox(post_office)
    spy = Spy(TAKEN)
    found = planned(recipient_of(box))
    assert goes_elsewhere(found)
    assert settle(post_office, found, spy) == ((TAKEN,), (Receipt(()),))
    ((hop, mail_from, raw, (parcel,)),) = spy.sent
    assert (hop, mail_from, raw, parcel.address) == (
        HOP,
        "ben@example.net",
        RAW,
        "anna@example.org",
    )
    ((folder, trace),) = parcel.copies
    assert folder == ""
    assert trace.startswith(b"Delivered-To: anna@example.org\r\nReceived: from mta ")
    assert post_office.store(box).size == 0


def test_the_default_of_the_settings_and_the_mailboxs_own_word(post_office: PostOffice) -> None:
    site = replace(SITE, settings=Settings(delivery=DeliverySettings(deliver_via=HOP)))
    boxes = [post_office.mailbox(), post_office.mailbox(deliver_via="store")]
    found = planned(*map(recipient_of, boxes), site=site)
    spy = Spy(TAKEN)
    replies, receipts = settle(post_office, found, spy)
    assert replies == (TAKEN, DELIVERED)
    assert receipts == (Receipt(()), Receipt((1,)))
    assert not goes_elsewhere(planned(recipient_of(boxes[1]), site=site))


def test_a_repeat_is_not_handed_over_again(post_office: PostOffice) -> None:
    anna = recipient_of(mailbox(post_office))
    spy = Spy(TAKEN)
    settle(post_office, planned(anna), spy)
    replies, receipts = settle(post_office, planned(anna), spy)
    assert (replies, receipts) == ((DELIVERED,), (Receipt((), duplicate=True),))
    assert len(spy.sent) == 1


def test_an_address_named_twice_is_handed_over_once(post_office: PostOffice) -> None:
    anna = recipient_of(mailbox(post_office))
    spy = Spy(TAKEN)
    replies, _ = settle(post_office, planned(anna, replace(anna, address="a@example.org")), spy)
    assert replies == (TAKEN, TAKEN)
    assert spy.folders == [[""]]


@pytest.mark.parametrize("reply", [FULL, BUSY, HOP_DOWN])
def test_who_is_refused_there_commits_nothing_here(
    post_office: PostOffice, reply: LmtpReply
) -> None:
    box = mailbox(post_office, [{"redirect": ["cleo@example.net"]}])
    with post_office.database.write() as connection:
        save_oof(connection, box.id, StoredOof(True, "Away", "June.", None, None, 0.0))
    anna, ben = recipient_of(post_office.reload(box.id)), recipient_of(post_office.mailbox())
    replies, receipts = settle(post_office, planned(anna, ben), Spy(reply))
    assert replies == (reply, DELIVERED)
    assert receipts == (Receipt((1,)),)
    assert post_office.count(outbox, outbox.c.store_id == box.id) == 0
    replies, _ = settle(post_office, planned(anna), Spy(TAKEN))  # the sender tries again
    assert replies == (TAKEN,)
    assert post_office.count(outbox, outbox.c.store_id == box.id) == 2


def test_our_quota_does_not_count_there(post_office: PostOffice) -> None:
    anna = replace(recipient_of(mailbox(post_office)), quota=Quota(hard=1))
    assert settle(post_office, planned(anna), Spy(TAKEN))[0] == (TAKEN,)


@pytest.mark.parametrize(
    ("actions", "raw", "folders"),
    [
        ([{"move": "Lists/Python"}], RAW, [{"Lists/Python"}]),
        ([{"copy": "Lists"}, {"copy": "inbox"}], RAW, [{"", "Lists"}]),
        (["delete"], RAW, []),
        (["mark-read"], b"X-Spam-Status: Yes, 9\r\n" + RAW, [{"Junk E-mail"}]),
    ],
    ids=["move", "copy", "delete", "junk"],
)
def test_the_folders_of_rules_are_those_of_the_hop(
    post_office: PostOffice, actions: list[object], raw: bytes, folders: list[set[str]]
) -> None:
    anna = recipient_of(mailbox(post_office, actions))
    spy = Spy(TAKEN)
    settle(post_office, planned(anna, raw=raw), spy)
    assert [set(own) for own in spy.folders] == folders


@pytest.mark.parametrize(("told", "folder"), [(True, "Lists"), (False, "")])
def test_the_detail_of_an_address_goes_on_where_it_may(
    post_office: PostOffice, told: bool, folder: str
) -> None:
    settings = DeliverySettings(detail_folder=True, deliver_via_detail=told)
    anna = replace(recipient_of(mailbox(post_office)), detail="Lists")
    spy = Spy(TAKEN)
    settle(
        post_office, planned(anna, site=replace(SITE, settings=Settings(delivery=settings))), spy
    )
    assert spy.folders == [[folder]]


def test_copies_in_other_mailboxes_stay_ours(post_office: PostOffice) -> None:
    other = post_office.mailbox()
    anna = recipient_of(mailbox(post_office, [{"copy": "Inbox", "store": "public"}]))
    place = ForeignFolder(other.id, other.special[INBOX])
    found = planned(anna, foreign={anna.mailbox.id: {("public", "Inbox"): place}})
    spy = Spy(TAKEN)
    assert settle(post_office, found, spy)[0] == (TAKEN,)
    assert spy.folders == [[""]]
    assert post_office.read(other, 1).endswith(RAW)


def test_a_job_for_the_booker_stays_ours(post_office: PostOffice) -> None:
    anna = recipient_of(mailbox(post_office, mr_accept=True))
    raw = b"Content-Type: text/calendar; method=REQUEST\r\n" + RAW
    spy = Spy()
    _, (receipt,) = settle(post_office, planned(anna, raw=raw), spy)
    assert receipt.job_id is not None
    assert spy.sent == []


def test_notices_go_behind_the_mail(post_office: PostOffice) -> None:
    box = mailbox(post_office, [{"no such": "action"}])
    spy = Spy(TAKEN)
    settle(post_office, planned(recipient_of(box)), spy)
    ((*_, (parcel,)),) = spy.sent
    (notice,) = parcel.notices
    assert MessageView(notice).subject == "Rule cannot be read: rule 1"
    box = post_office.reload(box.id)
    assert [rule.reported for rule in box.rules] == [True]
    settle(post_office, planned(recipient_of(box), raw=RAW + b"again"), spy)
    assert spy.sent[1][3][0].notices == ()


def test_a_notice_that_the_hop_has_is_not_kept_here(post_office: PostOffice) -> None:
    rules = RuleSettings(forward_whitelist_domains="example.org")
    box = mailbox(post_office, [{"redirect": ["cleo@example.net"]}])
    site = open_site(Settings(rules=rules), "mx.example.org")
    spy = Spy(TAKEN)
    settle(post_office, planned(recipient_of(box), site=site), spy)
    assert MessageView(spy.sent[0][3][0].notices[0]).subject == "Not forwarded: Lunch"
    assert post_office.store(box).size == 0


# -- what the booker hands back


def fallback(office: PostOffice, box: Mailbox) -> Planned:
    office.queue(box)
    (job,) = lease_jobs(office.database, box.id, 60.0)
    return plan_fallback(job, recipient_of(box), SITE)


def test_a_job_that_the_hop_takes_leaves_nothing_here(post_office: PostOffice) -> None:
    box = mailbox(post_office)
    spy = Spy(TAKEN)
    left = hand_over_acknowledged(fallback(post_office, box), spy, post_office.database)
    assert [plan.filings for plan in left.plans] == [()]
    assert spy.folders == [[""]]


def test_a_job_that_the_hop_refuses_for_good_is_kept(
    post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    box = mailbox(post_office, [{"move": "Meetings"}])
    left = hand_over_acknowledged(fallback(post_office, box), Spy(FULL), post_office.database)
    post_office.commit(left)
    assert post_office.read(box, 1, "Inbox")
    (error,) = [one for one in caplog.records if one.levelname == "ERROR"]
    assert "said: 552 5.2.2 Quota exceeded" in error.getMessage()


def test_a_job_waits_for_a_hop_that_may_take_it_later(post_office: PostOffice) -> None:
    found = fallback(post_office, mailbox(post_office))
    with pytest.raises(TemporaryError, match=r"said: 451 4\.2\.0 busy"):
        hand_over_acknowledged(found, Spy(BUSY), post_office.database)


# -- the wire


Start = Callable[..., ScriptedServer]
GREETING = (b"220 hop\r\n", b"250-hop\r\n250 PIPELINING\r\n")
ANNA = Parcel("", "anna@example.org", (("", b"X: 1\r\n"),))


@pytest.fixture
def scripted() -> Iterator[Start]:
    with scripted_servers() as start:
        yield start


def send(port: int, hops: NextHops, *parcels: Parcel, **settings: Any) -> list[str]:
    said = {"deliver_via_connect_timeout": 0.2, "deliver_via_timeout": 0.3, **settings}
    hop = f"lmtp:127.0.0.1:{port}"
    replies = hops.send(hop, "ben@example.net", RAW, parcels or [ANNA], DeliverySettings(**said))
    return [str(reply) for reply in replies]


@pytest.mark.parametrize(
    "script",
    [
        (b"HTTP/1.1 400 Bad Request\r\n" + HANG_UP,),
        (b"554 no LMTP here\r\n" + HANG_UP,),
        (b"220 smtp\r\n", b"500 5.5.1 EHLO, please\r\n" + HANG_UP),
        (b"220 hop\r\n", b""),
        (*GREETING, b"250 ok\r\n", b"421 4.3.2 shutting down\r\n" + HANG_UP),
        (*GREETING, HANG_UP),
        (*GREETING, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"333 what?\r\n", None),
        (b"",),
    ],
    ids=["http", "554", "smtp", "silent", "421", "lost", "333", "no greeting"],
)
def test_a_hop_that_fails_is_temporary(scripted: Start, script: tuple[bytes | None, ...]) -> None:
    server = scripted(*script)
    assert send(server.port, NextHops("mx")) == [str(HOP_DOWN)]


def test_a_hop_that_is_down_is_not_asked_again_at_once(caplog: pytest.LogCaptureFixture) -> None:
    hops = NextHops("mx")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # takes connections and says nothing
        assert send(port, hops) == [str(HOP_DOWN)]
        began = time.monotonic()
        assert send(port, hops, ANNA, ANNA, deliver_via_connect_timeout=60.0) == [str(HOP_DOWN)] * 2
        assert time.monotonic() - began < 1
    assert caplog.text.count("cannot be used") == 1


def test_who_had_a_reply_keeps_it_when_the_hop_is_lost(scripted: Start) -> None:
    ok = b"250 2.0.0 ok\r\n"
    server = scripted(*GREETING, ok, ok, b"354 go\r\n", ok, ok, HANG_UP)
    assert send(server.port, NextHops("mx"), ANNA, ANNA) == ["250 2.0.0 ok", str(HOP_DOWN)]


def test_its_refusal_is_passed_on_as_one_clean_line(scripted: Start) -> None:
    refusal = b"550-5.1.1 <anna>\x1b[31m\r\n550 5.1.1 " + b"unknown " * 100 + b"\r\n"
    ok = b"250 2.0.0 ok\r\n"
    server = scripted(*GREETING, ok, refusal, b"503 5.5.1 no recipients\r\n", ok, b"221 bye\r\n")
    (reply,) = send(server.port, NextHops("mx"))
    assert reply.startswith("550 5.1.1 <anna> [31m unknown unknown")
    assert len(reply) < 320


def test_what_a_folder_refuses_goes_to_the_inbox(scripted: Start) -> None:
    ok = b"250 2.0.0 ok\r\n"
    refused = (ok, b"550 5.1.1 no detail here\r\n", b"503 5.5.1 no\r\n", ok)
    server = scripted(*GREETING, *refused, ok, ok, b"354 go\r\n", ok, b"221 bye\r\n")
    parcel = Parcel("", "anna@example.org", (("Lists", b"X: 1\r\n"),))
    assert send(server.port, NextHops("mx"), parcel, deliver_via_detail=True) == ["250 2.0.0 ok"]
    server.stop()
    lines = server.heard.splitlines()
    assert [line for line in lines if line.startswith(b"RCPT")] == [
        b"RCPT TO:<anna+Lists@example.org>",
        b"RCPT TO:<anna@example.org>",
    ]
    assert b"\r\nX: 1\r\nTo: anna@example.org\r\n" in server.heard


def test_a_notice_has_no_say_in_the_reply(scripted: Start) -> None:
    ok = b"250 2.0.0 ok\r\n"
    refused = (ok, b"550 5.1.1 no\r\n", b"503 5.5.1 no\r\n", ok)
    server = scripted(*GREETING, ok, ok, b"354 go\r\n", ok, *refused, b"221 bye\r\n")
    parcel = replace(ANNA, notices=(b"Subject: Rule\r\n\r\n",))
    assert send(server.port, NextHops("mx"), parcel) == ["250 2.0.0 ok"]
    server.stop()
    assert b"MAIL FROM:<>\r\n" in server.heard


def test_copies_of_the_same_bytes_share_a_transaction(scripted: Start) -> None:
    ok = b"250 2.0.0 ok\r\n"
    # without details both are the same copy
    server = scripted(*GREETING, ok, ok, b"354 go\r\n", ok, b"221 bye\r\n")
    parcel = Parcel("", "anna@example.org", (("", b""), ("Lists", b"")))
    assert send(server.port, NextHops("mx"), parcel) == ["250 2.0.0 ok"]
    server = scripted(*GREETING, ok, ok, ok, b"354 go\r\n", ok + ok, b"221 bye\r\n")
    assert send(server.port, NextHops("mx"), parcel, deliver_via_detail=True) == ["250 2.0.0 ok"]


def test_closing_ends_a_session_that_waits(scripted: Start) -> None:
    hops = NextHops("mx")
    server = scripted(*GREETING, b"", b"")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(send, server.port, hops, deliver_via_timeout=60.0)
        wait_for(lambda: b"MAIL" in server.heard, timeout=10, what="the hop has to answer")
        hops.close()
        assert waiting.result() == [str(HOP_DOWN)]
    assert send(server.port, hops) == [str(HOP_DOWN)]


def test_a_wrong_hop_names_itself_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    replies = NextHops("mx").send("smtp:a:25", "", RAW, [ANNA], DeliverySettings())
    assert replies == [WRONG_HOP]
    assert "'smtp:a:25'" in caplog.text


# -- addresses


@pytest.mark.parametrize(
    ("address", "detail", "utf8", "expected"),
    [
        ("anna@example.org", "", True, "anna@example.org"),
        ("anna@example.org", "Folder/Sub", False, "anna+Folder/Sub@example.org"),
        ("anna", "Lists", False, "anna+Lists"),
        ('"anna b"@example.org', 'say "hi"', False, r'"anna b+say \"hi\""@example.org'),
        ("anna@example.org", "K\xe4se", True, "anna+K\xe4se@example.org"),
        ("anna@example.org", "K\xe4se", False, "anna@example.org"),
        ("anna@example.org", "two\r\nlines", True, "anna@example.org"),
        ("anna@example.org", "x" * 251, True, "anna@example.org"),
    ],
)
def test_the_folder_in_the_address(address: str, detail: str, utf8: bool, expected: str) -> None:
    assert address_with(address, detail, utf8=utf8) == expected


@given(st.text(max_size=60), st.booleans())
def test_every_folder_gives_an_address_that_can_be_read(folder: str, utf8: bool) -> None:
    address = address_with("anna@example.org", folder, utf8=utf8)
    assert parse_path_argument("TO", f"TO:<{address}>").address == address
    assert utf8 or address.isascii()
