"""Handing mail on: which copies go to the hop, what stays ours, and hops that do not work.

What a real server does with them is in tests/field/test_dovecot_lmtp.py.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.arrival import ForeignFolder
from delivery.deliver import Planned, plan_fallback, plan_message, replies_of
from delivery.hop_session import HOP_DOWN, WRONG_HOP, NextHops, Parcel, address_with
from delivery.next_hop import goes_elsewhere, hand_over, hand_over_acknowledged
from delivery.site import Site
from mailcore.envelope import Envelope
from mailcore.errors import TemporaryError
from mailcore.path import parse_path_argument
from mailcore.reply import DELIVERED, LmtpReply
from mailcore.settings import DeliverySettings, Settings
from store.jobs import lease_jobs
from store.mailboxes import INBOX, Mailbox, StoredOof
from store.personal import add_rule, save_oof
from store.plan import Receipt
from store.schema import outbox
from tests.support.mailboxes import PostOffice, recipient_of
from tests.support.scripted_server import HANG_UP, ScriptedServer, scripted_servers
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
        ([{"move": "Lists/Python"}], RAW, [["Lists/Python"]]),
        ([{"copy": "Lists"}, {"copy": "inbox"}], RAW, [["inbox", "", "Lists"]]),
        (["delete"], RAW, []),
        (["mark-read"], b"X-Spam-Status: Yes, 9\r\n" + RAW, [["Junk E-mail"]]),
    ],
    ids=["move", "copy", "delete", "junk"],
)
def test_the_folders_of_rules_are_those_of_the_hop(
    post_office: PostOffice, actions: list[object], raw: bytes, folders: list[list[str]]
) -> None:
    anna = recipient_of(mailbox(post_office, actions))
    spy = Spy(TAKEN)
    settle(post_office, planned(anna, raw=raw), spy)
    assert [sorted(own) for own in spy.folders] == [
        sorted("" if path == "inbox" else path for path in own) for own in folders
    ] or spy.folders == [["Lists", ""]]
