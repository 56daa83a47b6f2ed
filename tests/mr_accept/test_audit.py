"""The audit of a calendar: what the booker leaves is sound, and every kind of damage is found."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from mr_accept.audit import Excess, Finding, Kind, audit
from mr_accept.upkeep import cancel_booking, extend_all, rebuild_occurrences
from store.bookings import save_booking
from store.calendar_objects import save_object
from store.calendars import lock_calendar
from store.occurrences import BUSY, CLASH, OccurrenceRow, add_occurrences
from store.schema import booking, calendar_object, occurrence
from tests.support.booking_desk import Desk, Room
from tests.support.meetings import EVE, at, basic, event

FAR = 900  # days; the horizon is at 730 to 761, and the test week begins in 29 to 35
DAYS = [at(9, day=day) for day in range(3)]
DAILY = "FREQ=DAILY;COUNT=3"


def findings(room: Room) -> list[Finding]:
    return audit(room.desk.database, room.recipient, room.desk.settings)


def found(room: Room) -> list[tuple[Kind, str, str, str]]:
    return [(one.kind, one.uid, one.recurrence_id, one.problem) for one in findings(room)]


def change(room: Room, uid: str, recurrence_id: str = "", **values: Any) -> None:
    """Change columns of a booking, past the booker."""
    with room.desk.database.write() as connection:
        row = room.lineages(uid)[recurrence_id]
        connection.execute(update(booking).where(booking.c.id == row.id).values(**values))


def hold(
    room: Room, uid: str, hours: tuple[int, int], busy: str = BUSY, recurrence_id: str = ""
) -> None:
    """Let a booking hold more time, past the booker."""
    with room.desk.database.write() as connection:
        locked = lock_calendar(connection, room.store_id)
        start, end = (int(at(hour).timestamp()) for hour in hours)
        row = room.lineages(uid)[""]
        rows = [OccurrenceRow(start, end, recurrence_id, busy)]
        add_occurrences(connection, locked, row.id, row.object_id, rows)


def release(room: Room, uid: str, recurrence_id: str) -> None:
    """Let a booking hold one occurrence less, past the booker."""
    with room.desk.database.write() as connection:
        row = room.lineages(uid)[""]
        mine = (occurrence.c.booking_id == row.id, occurrence.c.recurrence_id == recurrence_id)
        connection.execute(delete(occurrence).where(*mine))


def rebuild(room: Room) -> None:
    rebuild_occurrences(room.desk.database, room.recipient, room.desk.settings)


def epoch(hour: int, day: int = 0) -> int:
    return int(at(hour, day=day).timestamp())


# -- what the booker leaves


def test_whatever_the_booker_does_is_sound(room: Room) -> None:
    attendees = (room.address,)
    room.ask("series", at(9), rrule=DAILY)
    room.ask("series", at(15, day=1), recurrence_id=DAYS[1], sequence=1)
    room.ask("series", DAYS[2], recurrence_id=DAYS[2], method="CANCEL", sequence=1)
    room.ask("endless", at(11), rrule="FREQ=DAILY", zone="Europe/Berlin")
    room.ask("declined", at(11, day=1))
    room.ask("change", at(17))
    room.ask("change", at(9), sequence=1)
    room.ask("instance", at(19), recurrence_id=at(18))
    room.ask("gone", at(20))
    room.ask("gone", at(20), method="CANCEL", sequence=1)
    room.ask("point", at(21), 0)
    room.ask("stranger", at(22), organizer=EVE, from_="anna@example.net")
    room.ask_together(
        event("both", at(6), attendees=attendees, rrule=DAILY),
        event("both", at(7, day=1), attendees=attendees, recurrence_id=at(6, day=1)),
    )
    room.ask_together(
        event("refused", at(6), attendees=attendees, rrule=DAILY),
        event("refused", at(8, day=1), attendees=attendees, recurrence_id=at(6, day=1)),
    )
    assert set(room.fates()) >= {"accepted", "declined", "freed"}
    assert findings(room) == []
    cancel_booking(room.desk.database, room.recipient, room.desk.settings, "series", basic(DAYS[0]))
    rebuild(room)
    assert findings(room) == []


def test_what_does_not_fit_when_a_series_is_extended_is_sound(desk: Desk) -> None:
    room = desk.room()
    room.ask("mondays", at(9), rrule="FREQ=WEEKLY")
    room.ask("seldom", at(9, day=1), rrule="FREQ=DAILY;INTERVAL=804")
    booking_settings = replace(desk.settings.booking, booking_window_days=FAR)
    extend_all(desk.database, desk.directory, replace(desk.settings, booking=booking_settings))
    assert [slot.start for slot in room.slots() if slot.status != "accepted"] == [at(9, day=805)]
    assert findings(room) == []


# -- too much booked at once


def test_too_much_at_once(room: Room) -> None:
    room.ask("one", at(9), 120, summary="One")
    room.ask("two", at(14), 120, summary="Two")
    hold(room, "two", (10, 12))
    finding, *others = findings(room)
    assert {one.kind for one in others} == {Kind.ORPHAN}
    assert finding == Finding(
        Kind.OVER_CAPACITY,
        "2 bookings where 1 may be",
        finding.remedy,
        start=epoch(10),
        end=epoch(11),
        excess=Excess(2, 1, ("one", "two"), ("One", "Two")),
    )
    name = room.recipient.user.name
    assert f"kopano-admin --cancel-booking {name} two" in finding.remedy


@pytest.mark.parametrize(("capacity", "excess"), [(1, True), (2, False)])
def test_instants_are_counted_not_bookings(desk: Desk, capacity: int, excess: bool) -> None:
    room = desk.room(capacity=capacity)
    room.ask("one", at(9))
    room.ask("two", at(10))
    hold(room, "two", (9, 10))
    assert (Kind.OVER_CAPACITY in {one.kind for one in findings(room)}) is excess


def test_what_is_booked_where_conflicts_are_taken_is_allowed(desk: Desk) -> None:
    room = desk.room(mr_decline_conflict=False)
    room.ask("one", at(9))
    room.ask("two", at(9))
    (finding,) = findings(room)
    assert (finding.kind, finding.allowed) == (Kind.OVER_CAPACITY, True)
    assert finding.remedy.startswith("nothing")


def test_what_stands_after_the_switch_was_turned_on_is_allowed(desk: Desk) -> None:
    room = desk.room()
    room.ask("one", at(9))
    change(room, "one", places=0)  # as if conflicts had been taken then
    room.ask("two", at(13))
    hold(room, "two", (9, 10))
    assert [one.allowed for one in findings(room) if one.excess] == [True]
    change(room, "one", places=1)
    assert [one.allowed for one in findings(room) if one.excess] == [False]


# -- bookings nobody was told of


@pytest.mark.parametrize("state", ["accepted", "declined"])
def test_a_booking_without_reply(room: Room, state: str) -> None:
    room.ask("other", at(9))
    room.ask("one", at(10) if state == "accepted" else at(9))
    assert room.lineages("one")[""].state == state
    assert findings(room) == []
    change(room, "one", reply=None)
    (finding,) = findings(room)
    assert (finding.kind, finding.uid, finding.allowed) == (Kind.NO_REPLY, "one", False)
    assert finding.start == (epoch(10) if state == "accepted" else None)
    assert "anna@example.net got no reply" in finding.problem
    change(room, "one", silence="no reply: nothing ties the sender to the organizer")
    assert findings(room) == []


def test_an_instance_without_reply(room: Room) -> None:
    room.ask("series", at(9), rrule=DAILY)
    room.ask("series", at(15, day=1), recurrence_id=DAYS[1], sequence=1)
    change(room, "series", basic(DAYS[1]), reply=None)
    assert [one[:3] for one in found(room)] == [(Kind.NO_REPLY, "series", basic(DAYS[1]))]
    change(room, "series", basic(DAYS[1]), report_due=True)  # the organizer will hear of it
    assert findings(room) == []


def test_an_instance_is_answered_with_its_series(room: Room) -> None:
    attendees = (room.address,)
    room.ask_together(
        event("both", at(6), attendees=attendees, rrule=DAILY),
        event("both", at(7, day=1), attendees=attendees, recurrence_id=at(6, day=1), sequence=5),
    )
    change(room, "both", basic(at(6, day=1)), silence="")
    assert findings(room) == []
    # A newer series beside the instance as it was: the answer that went out for both is not kept any more.
    change(room, "both", source=room.lineages("both")[""].source.replace("Planning", "Plans"))
    assert findings(room) == []
    change(room, "both", reply=None)
    assert {one[:2] for one in found(room)} == {(Kind.NO_REPLY, "both")}
    assert len(findings(room)) == 2


# -- rows that do not agree


def test_time_held_for_what_is_not_booked(room: Room) -> None:
    room.ask("one", at(9))
    room.ask("two", at(9))
    hold(room, "two", (13, 14))
    assert found(room) == [(Kind.ORPHAN, "two", "", "1 occurrence held for a declined booking")]
    (finding,) = findings(room)
    assert (finding.start, finding.end) == (epoch(13), epoch(14))
    hold(room, "two", (15, 16), CLASH)  # that one is only shown
    assert len(findings(room)) == 1


def test_a_booking_without_object_and_an_object_without_booking(room: Room) -> None:
    room.ask("one", at(9))
    room.ask("two", at(11))
    with room.desk.database.write() as connection:
        locked = lock_calendar(connection, room.store_id)
        (row,) = room.lineages("one").values()
        save_booking(connection, locked, row.id, {"object_id": None})
        mine = occurrence.c.booking_id == row.id
        connection.execute(update(occurrence).where(mine).values(object_id=None))
        connection.execute(delete(calendar_object).where(calendar_object.c.id == row.object_id))
        save_object(connection, locked, "three", "BEGIN:VCALENDAR")
    assert found(room) == [
        (Kind.ORPHAN, "one", "", "booked, but without a calendar object"),
        (Kind.ORPHAN, "three", "", "a calendar object of what is not booked"),
    ]
    rebuild(room)
    assert findings(room) == []
    one, two = room.objects()
    assert [one.uid, two.uid] == ["one", "two"]
    assert (one.range_start, one.range_end) == (epoch(9), epoch(10))
    with room.desk.database.read() as connection:
        linked = select(func.count()).where(occurrence.c.object_id == one.id)
        assert connection.execute(linked).scalar() == 1


def test_occurrences_that_are_missing_and_too_many(room: Room) -> None:
    room.ask("series", at(9), rrule=DAILY)
    release(room, "series", basic(DAYS[1]))
    assert found(room) == [(Kind.ORPHAN, "series", "", "1 occurrence not held although booked")]
    assert findings(room)[0].start == epoch(9, day=1)
    hold(room, "series", (13, 14), recurrence_id=basic(at(13)))
    hold(room, "series", (16, 17), recurrence_id=basic(at(16)))
    missing, many = findings(room)
    assert many.problem == "2 occurrences held although not booked"
    assert (many.start, many.end) == (epoch(13), epoch(14))
    assert missing.remedy == f"kopano-admin --rebuild-occurrences {room.recipient.user.name}"
    rebuild(room)
    assert findings(room) == []


def test_an_occurrence_at_another_time(room: Room) -> None:
    room.ask("one", at(9))
    with room.desk.database.write() as connection:
        row = room.lineages("one")[""]
        mine = occurrence.c.booking_id == row.id
        moved = {"starts_at": occurrence.c.starts_at + 60, "ends_at": occurrence.c.ends_at + 60}
        connection.execute(update(occurrence).where(mine).values(**moved))
    assert [problem for *_, problem in found(room)] == [
        "1 occurrence not held although booked",
        "1 occurrence held although not booked",
    ]


def test_a_series_is_judged_as_far_as_it_is_held(room: Room) -> None:
    room.ask("endless", at(9), rrule="FREQ=DAILY")
    assert findings(room) == []
    change(room, "endless", materialised_until=epoch(0, day=800))
    assert [one[:2] for one in found(room)] == [(Kind.ORPHAN, "endless")]
    change(room, "endless", materialised_until=epoch(0))
    assert "held although not booked" in found(room)[0][3]


@pytest.mark.parametrize(
    ("old", "new"), [("WEEKLY", "NEVERLY"), ("END:VCALENDAR", ""), ("METHOD:REQUEST", "METHOD:X")]
)
def test_a_source_that_cannot_be_read(room: Room, old: str, new: str) -> None:
    room.ask("mondays", at(9), rrule="FREQ=WEEKLY")
    room.ask("sound", at(13))
    change(room, "mondays", source=room.lineages("mondays")[""].source.replace(old, new))
    (finding,) = findings(room)
    assert (finding.kind, finding.uid) == (Kind.ORPHAN, "mondays")
    assert finding.problem.startswith("the booking cannot be read any more: ")
    assert "--cancel-booking" in finding.remedy
