"""The rest of a series, changed or cancelled, where something stands in the way of it."""

from datetime import datetime

import pytest

from mr_accept.audit import audit
from mr_accept.upkeep import extend_all, rebuild_occurrences
from tests.support.booking_desk import Desk, Outcome, Room
from tests.support.meetings import at, basic, event, meeting_mail

DAILY = "FREQ=DAILY;COUNT=5"
DAYS = [at(9, day=day) for day in range(5)]


def onwards(room: Room, first: datetime, start: datetime, sequence: int, method: str) -> Outcome:
    raw = meeting_mail(
        "series", start, room=room.address, recurrence_id=first, sequence=sequence, method=method
    )
    return room.send(raw.replace(b"RECURRENCE-ID:", b"RECURRENCE-ID;RANGE=THISANDFUTURE:"))


def starts(room: Room) -> list[datetime]:
    return [start for uid, start in room.held() if uid == "series"]


def rebuild(room: Room) -> None:
    """What is held now is what a rebuild finds in the bookings."""
    rebuild_occurrences(room.desk.database, room.recipient, room.desk.settings)
    assert audit(room.desk.database, room.recipient, room.desk.settings) == []


@pytest.mark.parametrize(("sequence", "stays"), [(1, False), (2, False), (3, True)])
def test_a_cancelled_rest_leaves_what_is_newer(room: Room, sequence: int, stays: bool) -> None:
    room.ask("series", DAYS[0], rrule=DAILY)
    moved = at(15, day=3)
    room.ask("series", moved, recurrence_id=DAYS[3], sequence=sequence)
    assert onwards(room, DAYS[2], DAYS[2], 2, "CANCEL").fate == "freed"
    assert starts(room) == [*DAYS[:2], *([moved] if stays else [])]
    rebuild(room)
    assert starts(room) == [*DAYS[:2], *([moved] if stays else [])]


@pytest.mark.parametrize(
    ("policy", "left", "state"), [("keep", 5, "kept"), ("release", 2, "cancelled")]
)
def test_a_changed_rest_that_does_not_fit(room: Room, policy: str, left: int, state: str) -> None:
    room.set_policy(on_failed_update=policy)
    room.ask("series", DAYS[0], rrule=DAILY)
    room.ask("other", at(11, day=4))
    assert onwards(room, DAYS[2], at(11, day=2), 1, "REQUEST").fate == "declined"
    assert room.lineages("series")[f"{basic(DAYS[2])}+"].state == state
    assert starts(room) == DAYS[:left]
    rebuild(room)
    assert starts(room) == DAYS[:left]
    taken = room.ask("third", DAYS[3])
    assert taken.fate == ("declined" if policy == "keep" else "accepted")


def test_an_instance_of_a_changed_rest_that_does_not_fit_is_declined_alone(room: Room) -> None:
    room.set_policy(max_conflicts="1")
    room.ask("series", DAYS[0], rrule=DAILY)
    room.ask("other", at(15, day=3))
    invited = {"attendees": (room.address,), "sequence": 1}
    rest = event("series", at(11, day=2), recurrence_id=DAYS[2], **invited)
    single = event("series", at(15, day=3), recurrence_id=DAYS[3], **invited)
    ranged = rest.replace("RECURRENCE-ID:", "RECURRENCE-ID;RANGE=THISANDFUTURE:")
    outcome = room.ask_together(ranged, single)
    assert (outcome.fate, outcome.reason) == ("accepted", "1 of 5 occurrences declined")
    assert starts(room) == [*DAYS[:2], at(11, day=2), at(11, day=4)]
    (reply,) = room.replies(outcome)
    told = reply.entry.mail.content.decode().replace("\r\n ", "")
    assert (told.count("PARTSTAT=ACCEPTED"), told.count("PARTSTAT=DECLINED")) == (1, 1)


@pytest.mark.parametrize(
    ("sequence", "stamp", "fate"),
    [(1, 60, "stale"), (1, 500, "freed"), (2, 120, "freed"), (3, 180, "freed")],
)
def test_an_instance_of_what_is_cancelled_already(
    room: Room, sequence: int, stamp: int, fate: str
) -> None:
    room.ask("series", DAYS[0], rrule=DAILY)
    onwards(room, DAYS[2], DAYS[2], 2, "CANCEL")
    late = {"recurrence_id": DAYS[3], "method": "CANCEL", "sequence": sequence}
    assert room.ask("series", DAYS[3], stamp=stamp, **late).fate == fate
    assert starts(room) == DAYS[:2]


@pytest.mark.parametrize("decline_conflict", [True, False])
def test_a_changed_rest_is_held_as_far_as_the_window_goes_by_now(
    desk: Desk, decline_conflict: bool
) -> None:
    """And from there on when it is held further: nothing twice, and nothing missing."""
    room = desk.room(mr_decline_conflict=decline_conflict)
    room.set_policy(booking_window_days="45")
    room.ask("series", DAYS[0], rrule="FREQ=DAILY")
    before = len(starts(room))
    room.set_policy(booking_window_days="90")
    assert onwards(room, DAYS[2], at(11, day=2), 1, "REQUEST").fate == "accepted"
    further = len(starts(room))
    assert room.lineages("series")[""].materialised_until > starts(room)[-1].timestamp()
    room.set_policy(booking_window_days="150")
    extend_all(desk.database, desk.directory, desk.settings)
    found = starts(room)
    assert before < further < len(found)
    assert {slot.status for slot in room.slots()} == {"accepted"}
    assert found == [*DAYS[:2], *(at(11, day=day) for day in range(2, len(found)))]
