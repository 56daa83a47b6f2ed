"""From bytes to a submission, and from receipts to one reply per recipient."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from delivery.deliver import Planned, plan_fallback, plan_message, replies_of
from delivery.log_line import queue_id
from delivery.site import Site
from mailcore.envelope import Envelope
from mailcore.reply import DELIVERED, MAILBOX_FULL, MAILBOX_FULL_NOW, TRY_LATER, LmtpReply
from mailcore.settings import Settings
from mailcore.view import MessageView
from store.jobs import lease_jobs
from store.mailboxes import INBOX, Mailbox, StoredOof
from store.personal import save_oof
from store.plan import Receipt
from store.schema import mailbox_entry, oof_memory, outbox
from tests.support.mailboxes import PostOffice, recipient_of
from userstore.model import Quota
from userstore.resolve import Recipient

RAW = b"To: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
REQUEST = b"Content-Type: text/calendar; method=REQUEST\r\n" + RAW
AWAY = StoredOof(True, "Away", "Back in June.", None, None, 0.0)
SETTINGS = Settings()


def planned(*recipients: Recipient, raw: bytes = RAW, **more: Any) -> Planned:
    addresses = tuple(recipient.address for recipient in recipients)
    envelope = Envelope(more.pop("mail_from", "ben@example.net"), addresses, "[192.0.2.7]", "mta")
    site = Site(more.pop("settings", SETTINGS), "mx.example.org")
    options = {"deduplicate": True, **more}
    return plan_message(envelope, [[one] for one in recipients], raw, site, **options)


def deliver(office: PostOffice, *recipients: Recipient, **more: Any) -> tuple[Receipt, ...]:
    return office.commit(planned(*recipients, **more).submission)[0]


def broken(box: Mailbox) -> Recipient:
    """A recipient for whom no plan can be made: the mailbox has lost its Inbox."""
    return recipient_of(replace(box, special={}), address="broken@example.org")


def test_a_message_for_several_recipients(post_office: PostOffice) -> None:
    boxes = [post_office.mailbox() for _ in range(2)]
    anna, ben = (
        recipient_of(box, address=address)
        for box, address in zip(boxes, ("anna@example.org", "ben@example.org"), strict=True)
    )
    found = planned(anna, ben)
    assert post_office.commit(found.submission) == [(Receipt((1,)), Receipt((1,)))]
    mails = [post_office.read(box, 1) for box in boxes]
    assert all(mail.endswith(b"\r\n" + RAW) for mail in mails)
    assert [b"Delivered-To: anna@example.org\r\n" in mail for mail in mails] == [True, False]
    assert all(mail.startswith(b"Return-Path: <ben@example.net>\r\n") for mail in mails)
    assert not any(b"for <" in mail for mail in mails)
    assert replies_of(found, (Receipt((1,)), Receipt((1,)))) == (DELIVERED, DELIVERED)


def test_the_trace_names_the_mailbox_not_the_alias(post_office: PostOffice) -> None:
    box = post_office.mailbox()
    alias = replace(recipient_of(box), address="sales@example.org")
    deliver(post_office, alias)
    mail = post_office.read(box, 1)
    assert b"Delivered-To: anna@example.org\r\n" in mail
    assert b"\tby mx.example.org with LMTP id " in mail
    assert b"for <sales@example.org>;" in mail


def test_the_imap_copy_is_for_those_who_may_use_it(post_office: PostOffice) -> None:
    boxes = [post_office.mailbox() for _ in range(2)]
    with_imap = recipient_of(boxes[0], imap=True)
    without = recipient_of(boxes[1], address="ben@example.org")
    message = planned(with_imap, without).submission.message
    assert message.imap is not None
    deliver(post_office, with_imap, without)
    rows = [
        post_office.rows(mailbox_entry, mailbox_entry.c.folder_id == box.special[INBOX])[0].imap
        for box in boxes
    ]
    assert rows == [True, False]
    assert planned(without).submission.message.raw is None


@pytest.mark.parametrize(
    ("changed", "duplicate"),
    [
        ({}, True),
        ({"mail_from": "cleo@example.net"}, False),
        ({"raw": RAW + b"more"}, False),
        ({"deduplicate": False}, False),
    ],
)
def test_the_same_bytes_from_the_same_sender_count_once(
    post_office: PostOffice, changed: dict[str, Any], duplicate: bool
) -> None:
    anna = recipient_of(post_office.mailbox())
    deliver(post_office, anna)
    (again,) = deliver(post_office, anna, **changed)
    assert (again.duplicate, again.uids) == (duplicate, (1,) if duplicate else (2,))


def test_one_recipient_without_a_plan_leaves_the_others_alone(
    post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    boxes = [post_office.mailbox() for _ in range(3)]
    anna, ben = recipient_of(boxes[0]), recipient_of(boxes[2], address="ben@example.org")
    found = planned(anna, broken(boxes[1]), ben)
    assert [None in own for own in found.plans] == [False, True, False]
    (receipts,) = post_office.commit(found.submission)
    assert replies_of(found, receipts) == (DELIVERED, TRY_LATER, DELIVERED)
    assert "broken@example.org: no plan" in caplog.text
    assert [post_office.store(box).size > 0 for box in boxes] == [True, False, True]


def test_a_group_has_one_reply_for_its_members(
    post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    anna, ben = (
        replace(recipient_of(post_office.mailbox()), via="sales@example.org") for _ in range(2)
    )
    carla = recipient_of(post_office.mailbox(), address="carla@example.org")
    envelope = Envelope("ben@example.net", ("sales@example.org", "carla@example.org"))
    site = Site(SETTINGS, "mx")
    found = plan_message(envelope, [[anna, ben], [carla]], RAW, site, deduplicate=True)
    (receipts,) = post_office.commit(found.submission)
    with caplog.at_level(logging.INFO):
        assert replies_of(found, receipts) == (DELIVERED, DELIVERED)
    assert [("group=sales@example.org" in line) for line in caplog.messages] == [True, True, False]


def test_a_member_who_is_full_keeps_the_group_in_the_queue(post_office: PostOffice) -> None:
    anna = recipient_of(post_office.mailbox())
    full = replace(recipient_of(post_office.mailbox()), quota=Quota(hard=10))
    envelope = Envelope("ben@example.net", ("sales@example.org",))

    def deliver_to_group() -> tuple[LmtpReply, ...]:
        found = plan_message(envelope, [[anna, full]], RAW, Site(SETTINGS, "mx"), deduplicate=True)
        return replies_of(found, post_office.commit(found.submission)[0])

    assert deliver_to_group() == deliver_to_group() == (MAILBOX_FULL_NOW,)
    inbox = mailbox_entry.c.folder_id == anna.mailbox.special[INBOX]
    assert post_office.count(mailbox_entry, inbox) == 1  # the second time she had it already


@pytest.mark.parametrize(
    ("policy", "reply"), [("reject", MAILBOX_FULL), ("defer", MAILBOX_FULL_NOW)]
)
def test_a_full_mailbox_is_answered_as_the_setting_says(
    post_office: PostOffice, policy: str, reply: LmtpReply
) -> None:
    full = replace(recipient_of(post_office.mailbox()), quota=Quota(hard=10))
    settings = replace(SETTINGS, delivery=replace(SETTINGS.delivery, quota_full=policy))
    found = planned(full, settings=settings)
    assert replies_of(found, post_office.commit(found.submission)[0]) == (reply,)


@pytest.mark.parametrize(
    ("header", "route", "reply"),
    [
        ("Expiry-Time: Mon, 1 Jan 2001 00:00:00 +0000", "expired", "250 2.4.7"),
        ("Received: from a by b\r\n" * 50 + "X: y", "loop", "550 5.4.6"),
    ],
)
def test_what_is_not_delivered_at_all(
    post_office: PostOffice, caplog: pytest.LogCaptureFixture, header: str, route: str, reply: str
) -> None:
    box = post_office.mailbox()
    found = planned(recipient_of(box), raw=f"{header}\r\n".encode() + RAW)
    assert found.submission.plans == ()
    with caplog.at_level(logging.INFO):
        (said,) = replies_of(found, None)
    assert str(said).startswith(reply)
    assert f"route={route}" in caplog.text
    assert post_office.store(box).size == 0


def test_what_has_been_here_is_kept_and_goes_no_further(post_office: PostOffice) -> None:
    box = replace(post_office.mailbox(), oof=AWAY)
    found = planned(
        recipient_of(box), raw=b"Received: x\r\nDelivered-To: ANNA@example.org\r\n" + RAW
    )
    ((plan,),) = found.plans
    assert plan is not None
    assert plan.store is not None
    assert (plan.route, plan.store.outgoing) == ("loop", ())
    assert [one.folder_id for one in plan.store.filings] == [box.special[INBOX]]


@pytest.mark.parametrize(
    ("received", "found"),
    [
        ("from a (a [192.0.2.1]) by mx.example.org (Postfix) with ESMTPS id 4XyZ1b2c", "4XyZ1b2c"),
        ("from a by b with esmtp (Exim 4.96) id 1abcDE-0001\r\n\tfor anna; Mon", "1abcDE-0001"),
        ("by b id <17>; Tue, 1 Jan 2030", "17"),
        ("from identity by b; Tue, 1 Jan 2030", ""),
    ],
)
def test_the_log_names_the_queue_id_of_the_mta(received: str, found: str) -> None:
    assert queue_id(MessageView(f"Received: {received}\r\n\r\n".encode())) == found


def test_nothing_committed_is_tried_later_by_everybody(post_office: PostOffice) -> None:
    found = planned(*(recipient_of(post_office.mailbox()) for _ in range(2)))
    assert replies_of(found, None) == (TRY_LATER, TRY_LATER)


def test_a_line_in_the_log_for_each_recipient(
    post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    boxes = [post_office.mailbox() for _ in range(2)]
    found = planned(recipient_of(boxes[0]), broken(boxes[1]), raw=b"Message-ID: <1@x>\r\n" + RAW)
    caplog.clear()
    replies_of(found, [Receipt((5, 6), duplicate=True)])
    first, second = (record.getMessage() for record in caplog.records)
    for part in (
        *("message-id=<1@x>", "from=ben@example.net", "recipient=anna@example.org"),
        *("route=inbox", "folder=Inbox", 'oof="not active"', "uid=5,6", "repeat=yes"),
        *(f"user={boxes[0].owner_name}", 'reply="250 2.1.5 delivered"', " ms="),
    ):
        assert part in first
    assert 'reply="451 4.3.0' in second
    assert "route=" not in second


# --- booking and its fallback -------------------------------------------------------------------


def test_a_request_becomes_a_job_and_may_come_back_as_mail(post_office: PostOffice) -> None:
    box = post_office.mailbox(mr_accept=True)
    with post_office.database.write() as connection:
        save_oof(connection, box.id, AWAY)
    room = recipient_of(post_office.reload(box.id))
    (receipt,) = deliver(post_office, room, raw=REQUEST)
    assert receipt.job_id is not None
    assert not receipt.uids
    (job,) = lease_jobs(post_office.database, box.id, 60.0)
    fallback = plan_fallback(job, room, Site(SETTINGS, "mx.example.org")).submission
    assert post_office.commit(fallback) == [(Receipt((1,)),)]
    mail = post_office.read(box, 1)
    assert mail == job.trace + REQUEST
    assert mail.count(b"Return-Path:") == 1  # as it would have been at once
    (answer,) = post_office.rows(outbox, outbox.c.store_id == box.id)
    assert (answer.rcpt_to, answer.message_id) == (
        "ben@example.net",
        f"<oof.job.{job.id}@mx.example.org>",
    )


# --- out-of-office ------------------------------------------------------------------------------


def test_a_sender_gets_one_answer_within_the_time_limit(post_office: PostOffice) -> None:
    box = replace(post_office.mailbox(), oof=AWAY)
    anna = recipient_of(box)

    def answers() -> list[str]:
        return [row.rcpt_to for row in post_office.rows(outbox, outbox.c.store_id == box.id)]

    two = [planned(anna, raw=RAW + number).submission for number in (b"1", b"2")]
    post_office.commit(*two)  # in one batch
    deliver(post_office, anna, raw=RAW + b"3", mail_from="BEN@example.net")
    assert answers() == ["ben@example.net"]
    deliver(post_office, anna, raw=RAW, mail_from="cleo@example.net")
    assert sorted(answers()) == ["ben@example.net", "cleo@example.net"]
    with post_office.database.write() as connection:
        save_oof(connection, box.id, replace(AWAY, enabled=False))
        save_oof(connection, box.id, AWAY)  # a new absence: everybody is told again
    assert not post_office.rows(oof_memory, oof_memory.c.store_id == box.id)
    deliver(post_office, anna, raw=RAW + b"4")
    assert len(answers()) == 3


def test_a_repeated_message_is_not_answered_again(post_office: PostOffice) -> None:
    box = replace(post_office.mailbox(), oof=AWAY)
    for _ in range(2):
        deliver(post_office, recipient_of(box))
    assert post_office.count(outbox, outbox.c.store_id == box.id) == 1


def test_answers_have_message_ids_of_their_own(post_office: PostOffice) -> None:
    boxes = [replace(post_office.mailbox(), oof=AWAY) for _ in range(2)]
    recipients = [recipient_of(box) for box in boxes]
    found = [planned(*recipients, raw=RAW), planned(*recipients, raw=RAW + b"!")]
    ids = [
        leaving.mail.message_id
        for one in found
        for plan in one.submission.plans
        for leaving in plan.outgoing
    ]
    assert len(set(ids)) == 4
