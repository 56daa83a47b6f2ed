"""What a series loses when it is held further: the organizer's REPLY, the owner's notice, and each of them once."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mr_accept.audit import audit
from mr_accept.horizon import extend_series, horizon_of
from mr_accept.policies import load_policy
from store.calendars import lock_calendar
from store.mailboxes import orphan_mailbox
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.databases import shared_url
from tests.support.meetings import ANNA, BEN, EVE, at, basic, meeting_mail

NEAR, FAR = 45, 120  # days; the test week begins in 29 to 35
ELEVENTH = "FREQ=DAILY;INTERVAL=11"
MEETING_OF_BOTH = at(9, day=56)
NEXT_MEETING_OF_BOTH = at(9, day=56 + 77)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with open_desk(shared_url(request, tmp_path_factory), booking_window_days=NEAR) as opened:
        yield opened


@pytest.fixture
def room(desk: Desk) -> Room:
    return desk.room()


def collide(room: Room, **details: str) -> None:
    """Hold two series further, which meet there for the first time; Ben's loses."""
    assert room.ask("mondays", at(9), rrule="FREQ=WEEKLY").fate == "accepted"
    details = {"organizer": BEN, **details}
    assert room.ask("elevenths", at(9, day=1), rrule=ELEVENTH, **details).fate == "accepted"
    extend(room, FAR)


def extend(room: Room, days: int) -> None:
    settings = room.desk.settings
    far = replace(settings, booking=replace(settings.booking, booking_window_days=days))
    with room.desk.database.write() as connection:
        locked = lock_calendar(connection, room.store_id)
        policy = load_policy(connection, room.recipient, far)
        now = int(datetime.now(UTC).timestamp())
        until = horizon_of(connection, room.store_id, policy, now)
        extend_series(connection, locked, room.recipient, far, until=until)


def report(room: Room) -> None:
    room.desk.worker().report_late_clashes()


def test_the_organizer_gets_a_reply_that_declines_the_occurrence(room: Room) -> None:
    collide(room)
    before = len(room.outbox())
    report(room)
    (sent,) = room.outbox()[before:]
    assert sent.mail.rcpt_to == BEN
    text = sent.mail.content.decode()
    assert f"RECURRENCE-ID:{basic(MEETING_OF_BOTH)}" in text.replace("\r\n ", "")
    assert "Subject: Declined: Planning" in text
    assert ("PARTSTAT=DECLINED" in text, "PARTSTAT=ACCEPTED" in text) == (True, False)
    told = room.lineages("elevenths")[basic(MEETING_OF_BOTH)]
    assert told.silence == "told when it was found not to fit any more"
    assert audit(room.desk.database, room.recipient, room.desk.settings) == []


def test_it_is_told_to_whoever_invited_it_by_another_address(room: Room) -> None:
    """By one that is none of its own by now; the answer comes from the one that was invited."""
    other = room.address.replace("@", "+berlin@")
    room.ask("mondays", at(9), rrule="FREQ=WEEKLY")
    raw = meeting_mail("elevenths", at(9, day=1), room=other, rrule=ELEVENTH, organizer=BEN)
    assert room.send(raw, to=other).fate == "accepted"
    extend(room, FAR)
    before = len(room.outbox())
    report(room)
    (sent,) = room.outbox()[before:]
    assert sent.mail.rcpt_to == BEN
    assert f"mailto:{other}" in sent.mail.content.decode().replace("\r\n ", "")


def test_what_was_told_before_is_not_told_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(room.desk, "clock", lambda: now)  # all in one second
    collide(room)
    report(room)
    before = len(room.outbox())
    extend(room, FAR + 60)
    report(room)
    (sent,) = room.outbox()[before:]
    text = sent.mail.content.decode().replace("\r\n ", "")
    assert f"RECURRENCE-ID:{basic(NEXT_MEETING_OF_BOTH)}" in text
    assert f"RECURRENCE-ID:{basic(MEETING_OF_BOTH)}" not in text
    assert len({one.mail.message_id for one in room.outbox()}) == len(room.outbox())
    assert len(set(room.message_ids("Inbox"))) == 2


def test_a_resource_that_is_nobodys_keeps_no_other_from_hearing(desk: Desk) -> None:
    orphaned, other = desk.room(), desk.room()
    for room in (orphaned, other):
        collide(room)
    with desk.database.write() as connection:
        orphan_mailbox(connection, orphaned.recipient.user.external_id)
    before = [len(room.outbox()) for room in (orphaned, other)]
    report(other)
    after = [len(room.outbox()) for room in (orphaned, other)]
    assert after == [before[0], before[1] + 1]


def test_the_resource_has_a_notice_in_its_inbox(room: Room) -> None:
    collide(room)
    report(room)
    (notice,) = room.contents("Inbox")
    assert b"Not held any more: Planning" in notice
    assert BEN.encode() in notice
    assert f"{MEETING_OF_BOTH:%H:%M}".encode() in notice


def test_an_owner_gets_it_by_mail(room: Room) -> None:
    room.set_policy(owner=f"{ANNA}, {EVE}")
    collide(room)
    report(room)
    notices = [one for one in room.outbox() if one.kind == "notice"]
    assert {one.mail.rcpt_to for one in notices} == {ANNA, EVE}
    assert {one.mail.mail_from for one in notices} == {""}
    assert room.mails("Inbox") == []


def test_each_is_told_once(room: Room) -> None:
    collide(room)
    report(room)
    mails, notices = len(room.outbox()), len(room.mails("Inbox"))
    report(room)
    assert (len(room.outbox()), len(room.mails("Inbox"))) == (mails, notices)


def test_who_was_never_answered_is_not_told_now_and_the_owner_hears_of_it(room: Room) -> None:
    collide(room, from_=EVE)  # nothing ties her to the organizer
    before = len(room.outbox())
    report(room)
    assert room.outbox()[before:] == []
    (notice,) = room.contents("Inbox")
    assert b"please tell them" in notice


def test_a_series_that_is_gone_by_then_is_not_reported(room: Room) -> None:
    collide(room)
    room.ask("elevenths", at(9, day=1), organizer=BEN, method="CANCEL", sequence=1)
    before = len(room.outbox())
    report(room)
    assert room.outbox()[before:] == []
    assert room.mails("Inbox") == []


def test_the_occurrence_can_be_asked_for_at_another_time(room: Room) -> None:
    collide(room)
    report(room)
    moved = MEETING_OF_BOTH + timedelta(hours=3)
    outcome = room.ask("elevenths", moved, organizer=BEN, recurrence_id=MEETING_OF_BOTH, sequence=1)
    assert outcome.fate == "declined"  # beyond the window of 45 days
    room.set_policy(booking_window_days=str(FAR))
    outcome = room.ask("elevenths", moved, organizer=BEN, recurrence_id=MEETING_OF_BOTH, sequence=2)
    assert outcome.fate == "accepted"
    assert ("elevenths", moved) in room.held()
    assert not [slot for slot in room.slots() if slot.status == "clash"]
