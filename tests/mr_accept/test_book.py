"""The fate table line by line, on both databases: jobs in, calendars, replies and mailboxes out."""

import email.utils
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mr_accept.audit import audit
from store.mailboxes import update_mailbox
from tests.support.booking_desk import Desk, Room
from tests.support.meetings import (
    ANNA,
    BEN,
    EVE,
    at,
    basic,
    calendar,
    event,
    mail,
    meeting_mail,
)
from userstore.db_edit import DbEditor

NINE = at(9)
DAILY = "FREQ=DAILY;COUNT=4"
DAYS = [at(9, day=day) for day in range(4)]


def held(room: Room) -> list[tuple[str, object]]:
    return list(room.held())


def partstats(room: Room) -> list[str]:
    return [reply.partstat for reply in room.replies()]


# -- requests


def test_a_free_slot_is_booked_and_a_taken_one_declined(room: Room) -> None:
    first = room.ask("one", NINE, from_=ANNA)
    second = room.ask("two", at(9, 30), organizer=BEN)
    assert (first.fate, second.fate) == ("accepted", "declined")
    assert second.reason == "the resource is already booked at that time"
    assert held(room) == [("one", NINE)]
    assert [(r.entry.mail.rcpt_to, r.partstat) for r in room.replies()] == [
        (ANNA, "ACCEPTED"),
        (BEN, "DECLINED"),
    ]
    assert room.lineages("two")[""].state == "declined"
    (reply,) = room.replies(second)
    assert b"was booked for this meeting" not in reply.entry.mail.content


def test_meetings_that_touch_do_not_clash(room: Room) -> None:
    fates = [room.ask(str(hour), at(hour)).fate for hour in (9, 11, 10)]
    assert fates == ["accepted"] * 3


def test_a_reply_is_a_reply(room: Room) -> None:
    outcome = room.ask("one", NINE, sequence=3, summary="Größe, planen")
    ((entry, message, fields),) = room.replies(outcome)
    assert (entry.mail.mail_from, entry.mail.rcpt_to) == (room.address, ANNA)
    assert email.utils.parseaddr(message["From"])[1] == room.address
    assert message["Subject"] == "Accepted: Größe, planen"
    assert message["Message-ID"] == entry.mail.message_id
    assert message["Auto-Submitted"] == "auto-replied"
    (processed,) = room.mails("Deleted Items")
    assert message["In-Reply-To"] == processed.message_id
    assert (fields["METHOD"], fields["UID"], fields["SEQUENCE"]) == ("REPLY", "one", "3")
    assert fields["DTSTART"] == basic(NINE)
    assert fields["SUMMARY"] == "Größe, planen"
    assert fields["ATTENDEE"].endswith(f":mailto:{room.address}")


def test_the_request_and_the_reply_are_kept_in_the_mailbox(room: Room) -> None:
    raw = meeting_mail("one", NINE, room=room.address)
    room.send(raw)
    (processed,), (content,) = room.mails("Deleted Items"), room.contents("Deleted Items")
    assert processed.flags == ("\\Seen",)
    assert content.endswith(raw)
    assert content.startswith(b"Return-Path: <")
    (copy,), (reply,) = room.contents("Sent Items"), room.replies()
    assert copy == reply.entry.mail.content
    assert room.mails("Inbox") == []
    assert room.job(reply.entry.job_id or 0).state == "done"


@pytest.mark.parametrize(
    ("where", "folders"),
    [("drop", []), ("deleted-items", ["Deleted Items"]), ("inbox", ["Inbox"])],
)
def test_where_processed_requests_go(room: Room, where: str, folders: list[str]) -> None:
    room.send(meeting_mail("one", NINE, room=room.address), processed_requests=where)
    assert [path for path in ("Inbox", "Deleted Items") if room.mails(path)] == folders


def test_a_newer_request_moves_the_slot(room: Room) -> None:
    room.ask("one", NINE, 120)
    moved = room.ask("one", at(10), 120, sequence=1)  # overlaps only what it replaces
    assert (moved.fate, held(room)) == ("accepted", [("one", at(10))])
    assert room.ask("two", NINE).fate == "accepted"  # the old slot is free
    assert partstats(room) == ["ACCEPTED"] * 3


def test_an_update_that_clashes_keeps_the_old_slot(room: Room) -> None:
    room.ask("other", at(14))
    room.ask("one", NINE)
    moved = room.ask("one", at(14), sequence=1)
    assert moved.fate == "declined"
    assert held(room) == [("one", NINE), ("other", at(14))]
    (reply,) = room.replies(moved)
    assert (reply.partstat, reply.calendar["SEQUENCE"]) == ("DECLINED", "1")
    assert b"booked for this meeting before stays booked" in reply.entry.mail.content
    assert room.ask("one", at(9, 15), sequence=0).fate == "stale"  # the newest seen counts


def test_an_update_that_was_declined_is_decided_anew_when_it_is_repeated(room: Room) -> None:
    room.ask("other", at(14))
    room.ask("one", NINE)
    room.ask("one", at(14), sequence=1)
    again = room.ask("one", at(14), sequence=1)
    assert again.fate == "declined"
    assert room.replies(again)[0].calendar["SEQUENCE"] == "1"  # never the old acceptance
    room.ask("other", at(14), method="CANCEL")
    assert room.ask("one", at(14), sequence=1).fate == "accepted"
    assert held(room) == [("one", at(14))]


def test_an_equal_request_gets_the_stored_reply_again(room: Room) -> None:
    first = room.ask("one", NINE)
    repeats = [room.ask("one", NINE) for _ in range(2)]
    assert [repeat.fate for repeat in repeats] == ["repeated"] * 2
    (original,) = room.replies(first)
    for repeat in repeats:
        (reply,) = room.replies(repeat)
        assert reply.entry.mail == original.entry.mail  # the same bytes and Message-ID
    assert held(room) == [("one", NINE)]


def test_a_declined_request_may_fit_later(room: Room) -> None:
    room.ask("other", NINE)
    assert room.ask("one", NINE).fate == "declined"
    room.ask("other", NINE, method="CANCEL")
    assert room.ask("one", NINE).fate == "accepted"
    assert partstats(room) == ["ACCEPTED", "DECLINED", "ACCEPTED"]


def test_an_older_request_changes_nothing(room: Room) -> None:
    room.ask("one", NINE, sequence=2)
    late = room.ask("one", at(15), sequence=1, stamp=999_999)
    assert late.fate == "stale"
    assert held(room) == [("one", NINE)]
    assert room.replies(late) == []
    assert len(room.mails("Deleted Items")) == 2


# -- cancelling


@pytest.mark.parametrize("sequence", [0, 1])
def test_a_cancel_frees(room: Room, sequence: int) -> None:
    room.ask("one", NINE)
    gone = room.ask("one", NINE, method="CANCEL", sequence=sequence)
    assert (gone.fate, held(room), room.replies(gone)) == ("freed", [], [])
    assert room.ask("two", NINE).fate == "accepted"
    assert room.ask("one", at(15)).fate == "stale"  # the first request, come late once more


def test_a_cancel_of_what_is_unknown_is_remembered(room: Room) -> None:
    early = room.ask("one", NINE, method="CANCEL", sequence=1)
    late = room.ask("one", NINE)
    assert (early.fate, late.fate, held(room)) == ("tombstone", "stale", [])
    assert room.ask("one", NINE, sequence=2).fate == "accepted"
    assert held(room) == [("one", NINE)]
    assert partstats(room) == ["ACCEPTED"]


def test_an_older_cancel_frees_nothing(room: Room) -> None:
    room.ask("one", NINE, sequence=2)
    assert room.ask("one", NINE, method="CANCEL", sequence=1).fate == "stale"
    assert held(room) == [("one", NINE)]


# -- who is obeyed


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
@pytest.mark.parametrize(
    ("organizer", "from_"),
    [(EVE, EVE), (ANNA, EVE), (EVE, ANNA)],
    ids=["another organizer", "another sender", "another organizer, the same sender"],
)
def test_a_stranger_is_not_obeyed(room: Room, method: str, organizer: str, from_: str) -> None:
    room.ask("one", NINE)
    before = room.lineages("one"), room.slots()
    raw = meeting_mail(
        "one",
        at(15),
        room=room.address,
        method=method,
        sequence=5,
        organizer=organizer,
        from_=from_,
    )
    outcome = room.send(raw)
    assert (outcome.fate, room.replies(outcome)) == ("not_obeyed", [])
    assert (room.lineages("one"), room.slots()) == before
    (content,) = room.contents("Inbox")
    assert content.endswith(raw)
    assert len(room.mails("Deleted Items")) == 1


@pytest.mark.parametrize("part", [{"rrule": DAILY}, {"recurrence_id": DAYS[1]}])
def test_a_stranger_is_not_obeyed_where_only_an_instance_is_booked(
    room: Room, part: dict[str, Any]
) -> None:
    room.ask("series", at(15), recurrence_id=DAYS[0])
    assert room.ask("series", NINE, sequence=5, organizer=EVE, **part).fate == "not_obeyed"
    assert held(room) == [("series", at(15))]


def test_a_stranger_is_not_obeyed_where_an_instance_is_cancelled(room: Room) -> None:
    room.ask("one", NINE, rrule=DAILY)
    room.ask("one", DAYS[1], recurrence_id=DAYS[1], sequence=1, method="CANCEL")
    before = held(room)
    assert room.ask("one", at(14), rrule=DAILY, sequence=2, from_=EVE).fate == "not_obeyed"
    assert held(room) == before


def test_a_meeting_at_hand_ends_earlier(room: Room) -> None:
    """What is over is ignored, but not what gives back time that is still to come."""
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
    assert room.ask("one", begins, 60).fate == "accepted"
    assert room.ask("one", begins, 20, sequence=1).fate == "accepted"
    assert [slot.end - slot.start for slot in room.slots()] == [timedelta(minutes=20)]
    assert room.ask("one", begins, 15, sequence=2).fate == "past"


def test_a_stranger_cannot_cancel_what_is_not_there_yet(room: Room) -> None:
    assert room.ask("one", NINE, method="CANCEL", from_=EVE).fate == "not_obeyed"
    assert room.ask("one", NINE).fate == "accepted"


@pytest.mark.parametrize(
    "who",
    [{"from_": BEN, "sent_by": BEN}, {"from_": "Anna <ANNA@Example.net>"}, {"sender": ANNA}],
    ids=["SENT-BY", "another spelling", "Sender"],
)
def test_whoever_is_tied_to_the_organizer_is_obeyed(room: Room, who: dict[str, Any]) -> None:
    room.ask("one", NINE)
    changed = room.ask("one", at(15), sequence=1, **({"from_": EVE} | who))
    assert (changed.fate, held(room)) == ("accepted", [("one", at(15))])


def test_the_pair_of_the_first_request_is_obeyed(room: Room) -> None:
    assert room.ask("one", NINE, from_=EVE, sender=BEN).fate == "accepted"
    assert room.ask("one", at(11), sequence=1, from_=EVE).fate == "not_obeyed"  # half of the pair
    assert room.ask("one", at(11), sequence=1, from_=EVE, sender=BEN).fate == "accepted"
    # From when the organizer writes in person nobody else counts: nothing has ever tied the pair to them.
    assert room.ask("one", at(12), sequence=2).fate == "accepted"
    assert room.ask("one", at(13), sequence=3, from_=EVE, sender=BEN).fate == "not_obeyed"
    assert held(room) == [("one", at(12))]


def test_an_untied_sender_books_without_a_reply(room: Room) -> None:
    outcome = room.ask("one", NINE, from_=EVE)
    assert outcome.fate == "accepted"
    assert outcome.reason == "no reply: nothing ties the sender to the organizer"
    assert (room.outbox(), room.mails("Sent Items")) == ([], [])
    assert room.ask("one", NINE, from_=EVE).fate == "repeated"  # by the pair; nothing to repeat
    assert room.outbox() == []


def test_a_change_that_asks_for_no_more_time_fits_where_too_much_is_booked(desk: Desk) -> None:
    beamers = desk.room(capacity=2)
    assert beamers.ask("one", NINE, rrule=DAILY).fate == "accepted"
    assert beamers.ask("two", NINE, rrule=DAILY).fate == "accepted"
    with desk.database.write() as connection:
        DbEditor().update_user(connection, beamers.recipient.user.external_id, {"capacity": 1})
    renamed = {"rrule": DAILY, "sequence": 1, "summary": "Renamed"}
    assert beamers.ask("one", NINE, **renamed).fate == "accepted"
    assert beamers.lineages("one")[""].places == 2  # as many as shared the time before
    assert beamers.ask("one", DAYS[1], 30, recurrence_id=DAYS[1], sequence=2).fate == "accepted"
    assert beamers.ask("one", DAYS[2], 90, recurrence_id=DAYS[2], sequence=2).fate == "declined"
    assert beamers.ask("one", NINE, 90, rrule=DAILY, sequence=3).fate == "declined"
    assert beamers.ask("three", NINE).fate == "declined"
    (crowd, *others) = audit(desk.database, beamers.recipient, desk.settings)
    assert {one.allowed for one in (crowd, *others)} == {True}


def test_a_resource_does_not_answer_itself(room: Room) -> None:
    outcome = room.ask("one", NINE, organizer=room.address, from_=room.address)
    assert outcome.fate == "accepted"
    assert outcome.reason == "no reply: the organizer is the resource itself"
    assert room.outbox() == []


def test_a_request_that_waited_until_nobody_answers_requests_is_ordinary_mail(room: Room) -> None:
    with room.desk.database.write() as connection:
        update_mailbox(connection, room.store_id, {"mr_accept": False})
    outcome = room.ask("one", NINE)
    assert outcome.fate == "ordinary"
    assert outcome.reason == "the mailbox does not answer meeting requests any more"
    assert (room.held(), room.outbox(), len(room.mails("Inbox"))) == ([], [], 1)


def test_a_cancelled_meeting_protects_its_uid_from_nobody(room: Room) -> None:
    room.ask("one", NINE, sequence=4)
    room.ask("one", NINE, method="CANCEL", sequence=5)
    assert room.ask("one", at(10), organizer=BEN).fate == "accepted"
    assert room.ask("one", at(15), sequence=9).fate == "not_obeyed"  # it is Ben's now
    assert held(room) == [("one", at(10))]


def test_an_untied_sender_does_not_revive_an_older_request(room: Room) -> None:
    room.ask("one", NINE)
    room.ask("one", NINE, method="CANCEL", sequence=1)
    assert room.ask("one", NINE, from_=EVE).fate == "stale"
    assert held(room) == []


def test_the_resource_never_writes_to_itself(room: Room) -> None:
    outcome = room.ask("one", NINE, organizer=room.address)
    assert (outcome.fate, room.outbox()) == ("accepted", [])


# -- ordinary mail


def ordinary(address: str) -> dict[str, tuple[bytes, str]]:
    """Messages that are not for booking, each with a part of the reason."""
    one = event("one", NINE, attendees=(address,))
    todo = one.replace("VEVENT", "VTODO")
    unknown_zone = one.replace("DTSTART:", "DTSTART;TZID=Nowhere/Else:").replace("Z\r", "\r")

    def as_method(method: str) -> bytes:
        return mail(calendar(one, method=method), method=method)

    return {
        "not an attendee": (
            meeting_mail("one", NINE, room=address, attendees=(BEN,)),
            "the resource is not among the attendees",
        ),
        "REPLY": (as_method("REPLY"), "'REPLY' is not for booking"),
        "COUNTER": (as_method("COUNTER"), "'COUNTER' is not for booking"),
        "REFRESH": (as_method("REFRESH"), "'REFRESH' is not for booking"),
        "PUBLISH": (as_method("PUBLISH"), "'PUBLISH' is not for booking"),
        "VTODO": (mail(calendar(todo)), "the calendar holds no VEVENT"),
        "two methods": (mail(calendar(one), method="CANCEL"), "no calendar part"),
        "no calendar": (mail("BEGIN:VCALENDAR\r\n"), "no calendar part"),
        "cut off": (mail(calendar(one)[:-40]), "exactly one complete VCALENDAR"),
        "two meetings": (
            mail(calendar(one, one.replace("UID:one", "UID:two"))),
            "several UIDs",
        ),
        "unknown zone": (mail(calendar(unknown_zone)), "Nowhere/Else"),
        "broken rule": (
            mail(calendar(event("one", NINE, attendees=(address,), rrule="FREQ=NEVER"))),
            "RRULE",
        ),
        "too costly": (
            mail(
                calendar(event("one", NINE, attendees=(address,), rrule="FREQ=SECONDLY;BYHOUR=3"))
            ),
            "SECONDLY recurrence without an end",
        ),
    }


@pytest.mark.parametrize("kind", list(ordinary("")))
def test_what_is_not_for_booking_is_ordinary_mail(room: Room, kind: str) -> None:
    raw, why = ordinary(room.address)[kind]
    outcome = room.send(raw)
    assert outcome.fate == "ordinary"
    assert why in outcome.reason
    (content,) = room.contents("Inbox")
    assert content.endswith(raw)
    assert (room.slots(), room.outbox(), room.mails("Deleted Items")) == ([], [], [])
