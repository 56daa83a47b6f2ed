"""What the worker does when the booker cannot: each kind of failure, leases, and order."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mailcore import failpoint
from mailcore.errors import TemporaryError
from mailcore.settings import DeliverySettings
from mr_accept.worker import pause_after
from store.jobs import lease_jobs
from store.mailboxes import StoredOof, create_folder, orphan_mailbox
from store.personal import add_rule, save_oof
from store.rights import Right, grant
from tests.support.booking_desk import Desk, Room
from tests.support.meetings import ANNA, at, meeting_mail
from tests.support.waiting import wait_for

NINE = at(9)


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoint.arm("")


def with_rule_and_oof(room: Room) -> None:
    """Meeting mail goes to a folder, and who writes is told that nobody is here."""
    document = {"name": "meetings", "then": [{"move": "Meetings"}]}
    away = StoredOof(True, "Nobody here", "The caretaker is away.", None, None, 0.0)
    with room.desk.database.write() as connection:
        create_folder(connection, room.store_id, "Meetings")
        add_rule(connection, room.store_id, 1, True, 1, json.dumps(document))
        save_oof(connection, room.store_id, away)


def request(room: Room, uid: str = "one", **details: Any) -> bytes:
    return meeting_mail(uid, NINE, room=room.address, **details)


# -- permanent failures


def test_a_bug_hands_the_message_over_at_once(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    with_rule_and_oof(room)
    failpoint.arm("before-decision:bug")
    raw = request(room)
    outcome = room.send(raw)
    assert outcome.fate == "failed"
    assert outcome.reason == "RuntimeError: failpoint before-decision"
    assert f"job {outcome.job_id}: the booker failed" in caplog.text
    (content,) = room.contents("Meetings")  # the rule has been applied
    assert content.endswith(raw)
    assert room.mails("Inbox") == []
    (answer,) = room.outbox()  # and the out-of-office
    assert (answer.kind, answer.mail.rcpt_to) == ("oof", ANNA)
    assert room.slots() == []


def test_what_is_handed_over_reaches_folders_elsewhere(desk: Desk, room: Room) -> None:
    archive = desk.room()
    document = {"name": "all", "then": [{"copy": "Drafts", "store": archive.address}]}
    owner = room.recipient.user.external_id
    with desk.database.write() as connection:
        add_rule(connection, room.store_id, 1, True, 1, json.dumps(document))
        grant(connection, archive.store_id, owner, Right.READ | Right.CREATE)
    delivery = DeliverySettings(archive_folder="Archive", archive_store=archive.address)
    worker = desk.worker()
    worker.adopt(replace(desk.settings, delivery=delivery))
    failpoint.arm("before-decision:bug")
    job_id = room.queue(request(room))
    worker.drain(room.store_id)
    assert room.outcome(job_id).fate == "failed"
    assert [len(archive.mails(path)) for path in ("Archive", "Drafts")] == [1, 1]
    assert len(room.mails("Inbox")) == 1


def test_what_cannot_be_read_is_handed_over_at_once(room: Room) -> None:
    with_rule_and_oof(room)
    raw = request(room).replace(b"DTSTART:", b"DTSTART;TZID=Nowhere/Else:")
    outcome = room.send(raw.replace(b"Z\r\nDTEND", b"\r\nDTEND"))
    assert outcome.fate == "ordinary"
    assert "Nowhere/Else" in outcome.reason
    assert len(room.mails("Meetings")) == 1
    assert room.job(outcome.job_id).attempts == 0


def test_a_bug_in_the_fallback_leaves_the_job(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("bug")

    failpoint.arm("before-decision:bug")
    with monkeypatch.context() as patched:
        patched.setattr("mr_accept.worker.prepare_message", broken)
        patched.setattr("mr_accept.worker.plan_fallback", broken)
        outcome = room.send(request(room))
    assert outcome.fate == ""
    assert room.job(outcome.job_id).attempts == 1
    room.make_due()
    room.desk.worker().drain(room.store_id)
    assert room.outcome(outcome.job_id).fate == "failed"
    assert len(room.mails("Inbox")) == 1


def test_without_a_plan_the_inbox_has_it(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("bug")

    failpoint.arm("before-decision:bug")
    monkeypatch.setattr("mr_accept.worker.plan_fallback", broken)
    raw = request(room)
    assert room.send(raw).fate == "failed"
    (content,) = room.contents("Inbox")
    assert content.endswith(raw)


def test_the_mail_of_an_orphaned_mailbox_lies_in_its_inbox(room: Room) -> None:
    with_rule_and_oof(room)
    raw = request(room)
    job_id = room.queue(raw)
    with room.desk.database.write() as connection:
        orphan_mailbox(connection, room.recipient.user.external_id)
    room.desk.worker().drain(room.store_id)
    assert room.outcome(job_id)[:2] == ("ordinary", f"mailbox {room.store_id} has no owner")
    (content,) = room.contents("Inbox")
    assert content.endswith(raw)
    assert room.outbox() == []


# -- temporary failures


def test_a_temporary_failure_is_tried_again_later(room: Room) -> None:
    failpoint.arm("before-decision:temporary")
    first, second = room.queue(request(room, "one")), room.queue(request(room, "two"))
    room.desk.worker().drain(room.store_id)
    for attempts in (1, 2, 3):
        record = room.job(first)
        assert (record.state, record.attempts) == ("pending", attempts)
        assert record.reason == "failpoint before-decision"
        assert room.job(second).attempts == 0  # it waits for its turn
        room.desk.worker().drain(room.store_id)  # not due
        assert room.job(first).attempts == attempts
        room.make_due()
        if attempts < 3:
            room.desk.worker().drain(room.store_id)
    failpoint.arm("")
    room.desk.worker().drain(room.store_id)
    # The order is kept: the first one gets the slot.
    assert [room.outcome(one).fate for one in (first, second)] == ["accepted", "declined"]


def test_the_pause_doubles(room: Room) -> None:
    failpoint.arm("before-decision:temporary")
    job_id = room.queue(request(room))
    pauses = []
    for _ in range(4):
        room.make_due()
        room.desk.worker().drain(room.store_id)
        with room.desk.database.read() as connection:
            now = connection.exec_driver_sql(_NOW[connection.dialect.name]).scalar_one()
        pauses.append(room.job(job_id).not_before - now)
    assert [round(pause) for pause in pauses] == [pause_after(n) for n in range(4)]


_NOW = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT extract(epoch from clock_timestamp())::double precision",
}


def test_after_the_deadline_it_is_ordinary_mail(room: Room) -> None:
    with_rule_and_oof(room)
    failpoint.arm("before-decision:temporary")
    job_id = room.queue(request(room))
    room.desk.worker().drain(room.store_id)
    assert room.outcome(job_id).fate == ""
    room.change_jobs(not_before=0, tried_since=room.job(job_id).created_at - 301)
    room.desk.worker().drain(room.store_id)
    fate, reason, _ = room.outcome(job_id)
    assert fate == "gave_up"
    assert reason == "still failing at the deadline: failpoint before-decision"
    assert len(room.mails("Meetings")) == 1
    assert [entry.kind for entry in room.outbox()] == ["oof"]


def test_a_failure_before_the_commit_leaves_no_trace(room: Room) -> None:
    failpoint.arm("before-booking-commit:temporary")
    outcome = room.send(request(room))
    assert outcome.fate == ""
    assert (room.slots(), room.lineages("one"), room.outbox()) == ([], {}, [])
    assert (room.mails("Deleted Items"), room.mails("Sent Items")) == ([], [])
    failpoint.arm("")
    room.make_due()
    room.desk.worker().drain(room.store_id)
    assert room.outcome(outcome.job_id).fate == "accepted"
    assert (len(room.slots()), len(room.outbox())) == (1, 1)


# -- leases


def test_a_lost_lease_rolls_everything_back(
    desk: Desk, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker takes the job over between the lease and the commit."""

    def take_over(name: str) -> None:
        if name == failpoint.BEFORE_DECISION:
            room.change_jobs(lease_token="another")

    job_id = room.queue(request(room))
    with monkeypatch.context() as patched:
        patched.setattr(failpoint, "hit", take_over)
        desk.worker().drain(room.store_id)
    record = room.job(job_id)
    assert (record.state, record.attempts) == ("pending", 0)
    assert (room.slots(), room.outbox(), room.mails("Deleted Items")) == ([], [], [])
    desk.worker().drain(room.store_id)
    assert room.outcome(job_id).fate == ""  # it is the other worker's
    room.change_jobs(lease_until=0)
    desk.worker().drain(room.store_id)
    assert room.outcome(job_id).fate == "accepted"


@pytest.mark.parametrize("action", ["bug", "temporary"])
def test_a_lost_lease_is_lost_for_the_fallback_too(
    desk: Desk, room: Room, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    def take_over_and_fail(name: str) -> None:
        room.change_jobs(lease_token="another")
        raise {"bug": RuntimeError, "temporary": TemporaryError}[action]("trouble")

    job_id = room.queue(request(room))
    with monkeypatch.context() as patched:
        patched.setattr(failpoint, "hit", take_over_and_fail)
        desk.worker().drain(room.store_id)
    record = room.job(job_id)
    assert (record.state, record.attempts, room.mails("Inbox")) == ("pending", 0, [])


def test_a_worker_that_is_gone_holds_the_jobs_for_its_lease_only(desk: Desk, room: Room) -> None:
    ids = [room.queue(request(room, uid)) for uid in ("one", "two")]
    assert len(lease_jobs(desk.database, room.store_id, 60)) == 2
    desk.worker().drain(room.store_id)
    assert [room.outcome(one).fate for one in ids] == ["", ""]
    room.change_jobs(lease_until=0)
    desk.worker().drain(room.store_id)
    assert [room.outcome(one).fate for one in ids] == ["accepted", "declined"]


def test_a_drain_ends_in_time_and_gives_back_what_is_left(desk: Desk, room: Room) -> None:
    job_id = room.queue(request(room))
    desk.worker().drain(room.store_id, until=0.0)
    assert room.outcome(job_id).fate == ""
    desk.worker().drain(room.store_id)  # at once: nobody holds it
    assert room.outcome(job_id).fate == "accepted"


def test_a_worker_that_was_stopped_begins_nothing(desk: Desk, room: Room) -> None:
    job_id = room.queue(request(room))
    worker = desk.worker()
    worker.stop()
    worker.drain(room.store_id)
    assert room.outcome(job_id).fate == ""


def test_jobs_are_found_without_a_wake_up(desk: Desk, room: Room) -> None:
    job_id = room.queue(request(room))
    worker = desk.worker()
    woken = desk.woken
    worker.start_polling()
    try:
        wait_for(lambda: room.outcome(job_id).fate == "accepted", what="the job is settled")
        wait_for(lambda: desk.woken > woken, what="the spooler is told")
    finally:
        worker.stop()


def test_two_workers_keep_the_order_of_a_resource(desk: Desk, room: Room) -> None:
    """The same slot changes its owner with each message: any other order gives other fates."""
    ids = []
    for number in range(20):
        uid = f"m{number}"
        ids.append(room.queue(meeting_mail(uid, NINE, room=room.address)))
        ids.append(room.queue(meeting_mail(uid, NINE, room=room.address, method="CANCEL", stamp=9)))
    others = [Desk(desk.database.url.render_as_string(hide_password=False)) for _ in range(2)]

    def work(other: Desk) -> None:
        worker = other.worker()
        while any(room.job(one).state == "pending" for one in ids):
            worker.drain(room.store_id)

    threads = [threading.Thread(target=work, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for other in others:
        other.close()
    assert [room.outcome(one).fate for one in ids] == ["accepted", "freed"] * 20
    assert room.fates() == ["accepted", "freed"] * 20
