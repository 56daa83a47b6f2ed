"""Corners of the decision path: each test is a case that once went wrong."""

import pytest

from mr_accept.audit import audit
from mr_accept.import_calendar import import_calendar
from store.occurrences import drop_occurrence
from tests.support.booking_desk import Desk, Room
from tests.support.meetings import BEN, EVE, at, basic, calendar, event


def onwards(block: str) -> str:
    return block.replace("RECURRENCE-ID:", "RECURRENCE-ID;RANGE=THISANDFUTURE:")


def floating(block: str) -> str:
    return block.replace("00Z", "00")


def test_the_object_of_a_floating_series_shows_its_overrides(desk: Desk) -> None:
    room = desk.room(timezone="America/New_York")
    who = (room.address,)
    series = floating(event("a", at(9), attendees=who, rrule="FREQ=DAILY;COUNT=4"))
    moved = floating(event("a", at(11, day=1), attendees=who, recurrence_id=at(9, day=1)))
    room.ask_together(series, moved)
    assert room.objects()[0].content.count("BEGIN:VEVENT") == 2


def test_an_imported_series_that_meets_itself_is_no_double_booking(room: Room) -> None:
    block = event("a", at(9), 2880, attendees=(room.address,), rrule="FREQ=DAILY;COUNT=3")
    import_calendar(room.desk.database, room.recipient, calendar(block), room.desk.settings)
    found = audit(room.desk.database, room.recipient, room.desk.settings)
    assert [one for one in found if not one.allowed] == []


def test_a_decline_to_a_stranger_does_not_keep_the_organizer_out(room: Room) -> None:
    """Somebody who knows the UID asks first, in vain, in the own name."""
    room.ask("other", at(9))
    assert room.ask("a", at(9), organizer=BEN, sequence=9).fate == "declined"
    assert room.ask("a", at(11)).fate == "accepted"


def test_a_cancel_is_remembered_beside_a_stranger_s(room: Room) -> None:
    room.ask("b", at(9), organizer=BEN, sequence=9, method="CANCEL")
    assert room.ask("b", at(14), method="CANCEL").fate == "tombstone"


def test_an_instance_of_a_series_beyond_what_is_held_is_kept(room: Room) -> None:
    room.set_policy(booking_window_days="45")
    room.ask("a", at(9), rrule="FREQ=DAILY")
    room.ask("other", at(12))
    far = room.ask("a", at(12), recurrence_id=at(9, day=90), sequence=1)
    assert far.fate == "declined"
    room.set_policy(booking_window_days="150")
    assert room.ask("c", at(12, day=100)).fate == "accepted"
    assert ("a", at(9, day=90)) in room.held()


def test_a_series_cancelled_from_a_day_on_goes_on_no_longer(room: Room) -> None:
    series = event("a", at(9), attendees=(room.address,), rrule="FREQ=DAILY")
    rest = event("a", at(9, day=3), attendees=(BEN,), recurrence_id=at(9, day=3))
    outcome = room.ask_together(
        series, rest.replace("RECURRENCE-ID:", "RECURRENCE-ID;RANGE=THISANDFUTURE:")
    )
    assert len(room.held()) == 3
    (reply,) = room.replies(outcome)
    assert "as time goes on" not in " ".join(
        reply.message.get_body(("plain",)).get_content().split()
    )
    assert room.lineages("a")[""].materialised_until is None


def test_the_audit_misses_the_end_of_a_series(room: Room) -> None:
    """Held to its end: what is missing there is as wrong as anywhere else."""
    room.ask("a", at(9), rrule="FREQ=DAILY;COUNT=4")
    with room.desk.database.write() as connection:
        drop_occurrence(connection, room.lineages("a")[""].id, basic(at(9, day=3)))
    found = audit(room.desk.database, room.recipient, room.desk.settings)
    assert [one.problem for one in found] == ["1 occurrence not held although booked"]


def test_a_range_stays_when_an_earlier_one_is_cancelled_by_an_older_message(room: Room) -> None:
    ask = {"attendees": (room.address,)}
    room.ask("a", at(9), rrule="FREQ=DAILY;COUNT=4")
    later = event("a", at(11, day=2), recurrence_id=at(9, day=2), sequence=2, **ask)
    earlier = event("a", at(9, day=1), recurrence_id=at(9, day=1), sequence=1, **ask)
    assert room.ask_together(onwards(later)).fate == "accepted"
    assert room.ask_together(onwards(earlier), method="CANCEL").fate == "freed"
    expected = [("a", at(9)), ("a", at(11, day=2)), ("a", at(11, day=3))]
    assert room.held() == expected  # a rebuild holds just these


@pytest.mark.parametrize("partial", ["separate", "one-mail"])
def test_an_instance_that_a_request_does_without_is_answered(room: Room, partial: str) -> None:
    """The series leaves the resource out; what stands already is newer than the request."""
    room.set_policy(max_conflicts="1", partial_reply=partial)
    room.ask("other", at(11, day=1))
    ask, out = {"attendees": (room.address,)}, {"attendees": (BEN,)}
    room.ask_together(event("a", at(10, day=2), recurrence_id=at(9, day=2), sequence=5, **ask))
    outcome = room.ask_together(
        event("a", at(9), rrule="FREQ=DAILY;COUNT=4", sequence=1, **out),
        event("a", at(11, day=1), recurrence_id=at(9, day=1), sequence=1, **ask),
    )
    assert [reply.partstat for reply in room.replies(outcome)] == ["DECLINED"]


# -- what a stranger has booked before the organizer wrote


def test_the_forger_has_no_say_once_the_organizer_has_written(room: Room) -> None:
    room.ask("a", at(11), sequence=9, from_=EVE)
    assert room.ask("a", at(9), sequence=2).fate == "accepted"
    assert room.ask("a", at(9), sequence=10, method="CANCEL", from_=EVE).fate == "not_obeyed"
    assert room.held() == [("a", at(9))]


def test_a_forgery_goes_when_the_organizer_does_not_invite_the_resource(room: Room) -> None:
    room.ask("a", at(11), sequence=9, from_=EVE)
    left_out = event("a", at(9), attendees=(BEN,), sequence=2)
    assert room.ask_together(left_out).fate == "freed"
    assert room.held() == []


def test_a_forged_instance_goes_when_the_organizer_cancels(room: Room) -> None:
    ask = {"attendees": (room.address,)}
    forged = event("a", at(14, day=2), sequence=9, stamp=500, recurrence_id=at(9, day=2), **ask)
    room.ask_together(forged, from_=EVE)
    assert room.held() == [("a", at(14, day=2))]
    whole = event("a", at(9), sequence=2, stamp=100, **ask)
    assert room.ask_together(whole, method="CANCEL").fate == "freed"
    assert room.held() == []


def test_a_forgery_goes_when_the_organizer_is_declined(room: Room) -> None:
    room.ask("a", at(11), sequence=9, stamp=500, from_=EVE)
    room.ask("other", at(9))
    declined = room.ask("a", at(9), sequence=2, stamp=100)
    assert declined.fate == "declined"
    assert room.held() == [("other", at(9))]
    (reply,) = room.replies(declined)
    assert "stays booked" not in reply.message.get_body(("plain",)).get_content()


def test_an_instance_without_the_resource_is_later_than_its_series_by_its_stamp(
    room: Room,
) -> None:
    room.ask("a", at(9), rrule="FREQ=DAILY;COUNT=3", sequence=3, stamp=100)
    left_out = event("a", at(9, day=2), attendees=(BEN,), stamp=200, recurrence_id=at(9, day=2))
    assert room.ask_together(left_out).fate == "freed"
    assert room.held() == [("a", at(9)), ("a", at(9, day=1))]


@pytest.mark.parametrize("count", [1, 2])
def test_a_series_of_which_nothing_is_left_is_declined(room: Room, count: int) -> None:
    """What it lacks already is no new clash, and still nothing to accept."""
    room.set_policy(max_conflicts="2")
    room.ask("other", at(9))
    room.ask("another", at(9, day=1))
    assert room.ask("a", at(9), rrule="FREQ=DAILY;COUNT=4").fate == "accepted"
    assert room.ask("a", at(9), rrule=f"FREQ=DAILY;COUNT={count}", sequence=1).fate == "declined"


def test_a_forged_series_goes_although_one_of_its_instances_is_the_organizer_s(room: Room) -> None:
    ask = {"attendees": (room.address,)}
    forged = event("a", at(11), rrule="FREQ=DAILY;COUNT=3", sequence=5, stamp=37, **ask)
    room.ask_together(forged, from_=EVE)
    room.ask_together(event("a", at(14, day=1), recurrence_id=at(9, day=1), stamp=69, **ask))
    series = event("a", at(9), rrule="FREQ=DAILY;COUNT=3", stamp=50, **ask)
    outcome = room.ask_together(series)
    assert (outcome.fate, len(room.replies(outcome))) == ("accepted", 1)
    assert room.held() == [("a", at(9)), ("a", at(14, day=1)), ("a", at(9, day=2))]


def test_an_added_occurrence_is_later_than_its_series_by_its_stamp(room: Room) -> None:
    ask = {"attendees": (room.address,)}
    room.ask("a", at(9), rrule="FREQ=DAILY;COUNT=2", sequence=5, stamp=37)
    added = event("a", at(9, day=5), sequence=1, stamp=69, **ask)
    assert room.ask_together(added, method="ADD").fate == "accepted"
    older = event("a", at(9, day=6), sequence=1, stamp=30, **ask)
    assert room.ask_together(older, method="ADD").fate == "stale"
