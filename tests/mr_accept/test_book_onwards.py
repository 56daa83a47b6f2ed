"""The rest of a series, changed or cancelled, where something stands in the way of it."""

from datetime import datetime

import pytest

from mr_accept.audit import audit
from mr_accept.upkeep import rebuild_occurrences
from tests.support.booking_desk import Outcome, Room
from tests.support.meetings import at, basic, meeting_mail

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
