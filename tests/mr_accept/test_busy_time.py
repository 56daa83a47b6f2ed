"""What holds a resource in a range of time, whatever its series are held to."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, update

from mr_accept.busy_time import load_busy
from mr_accept.model import Interval, UnreadableError
from store.calendars import lock_calendar
from store.occurrences import CLASH, OccurrenceRow, add_occurrences
from store.schema import booking, occurrence
from tests.support.booking_desk import Room
from tests.support.meetings import at

HOUR = timedelta(hours=1)


def busy(room: Room, start: datetime, end: datetime) -> list[Interval]:
    edges = int(start.timestamp()), int(end.timestamp())
    with room.desk.database.snapshot() as connection:
        return load_busy(connection, room.recipient, room.desk.settings, *edges)


def hold_until(room: Room, uid: str, until: datetime) -> None:
    """Let a series be held less far, as if it had been booked long ago."""
    instant = int(until.timestamp())
    with room.desk.database.write() as connection:
        row = room.lineages(uid)[""]
        later = (occurrence.c.booking_id == row.id, occurrence.c.starts_at >= instant)
        connection.execute(delete(occurrence).where(*later))
        held = {"materialised_until": instant}
        connection.execute(update(booking).where(booking.c.id == row.id).values(**held))


def hours(*starts: datetime, length: timedelta = HOUR) -> list[Interval]:
    return [Interval(int(one.timestamp()), int((one + length).timestamp())) for one in starts]


def test_a_range_is_half_open_and_sees_what_began_before_it(room: Room) -> None:
    room.ask("day", at(0), 24 * 60)
    room.ask("next", at(0, day=1))
    day = hours(at(0), length=24 * HOUR)
    assert busy(room, at(23), at(0, day=1)) == day
    assert busy(room, at(0, day=1), at(1, day=1)) == hours(at(0, day=1))
    assert busy(room, at(22), at(2, day=1)) == [*day, *hours(at(0, day=1))]
    assert busy(room, at(1, day=1), at(2, day=1)) == []
    assert busy(room, at(22, day=-1), at(0)) == []


def test_a_clash_holds_nothing(room: Room) -> None:
    room.ask("one", at(9))
    with room.desk.database.write() as connection:
        locked = lock_calendar(connection, room.store_id)
        row = OccurrenceRow(*hours(at(13))[0], "", CLASH)
        add_occurrences(connection, locked, room.lineages("one")[""].id, None, [row])
    assert busy(room, at(0), at(23)) == hours(at(9))


def test_series_count_beyond_the_time_that_they_are_held(room: Room) -> None:
    room.ask("weekly", at(9), rrule="FREQ=WEEKLY")
    moved, gone = at(9, day=140), at(9, day=147)
    room.ask("weekly", at(15, day=141), recurrence_id=moved, sequence=1)
    room.ask("weekly", gone, recurrence_id=gone, method="CANCEL", sequence=1)
    hold_until(room, "weekly", at(0, day=130))
    before = room.lineages("weekly"), room.slots()
    assert before[1][-1].start == at(15, day=141)
    expected = [at(9, day=126), at(9, day=133), at(15, day=141), at(9, day=154)]
    assert sorted(busy(room, at(0, day=120), at(0, day=160))) == hours(*expected)
    assert (room.lineages("weekly"), room.slots()) == before


def test_each_occurrence_counts_once_where_held_and_not_held_meet(room: Room) -> None:
    room.ask("daily", at(9), rrule="FREQ=DAILY")
    hold_until(room, "daily", at(9, 30, day=10))
    assert len(room.slots()) == 11
    assert busy(room, at(0), at(0, day=15)) == hours(*(at(9, day=day) for day in range(15)))


def test_what_cannot_be_worked_out_is_not_free(room: Room) -> None:
    room.ask("weekly", at(9), rrule="FREQ=WEEKLY")
    row = room.lineages("weekly")[""]
    with room.desk.database.write() as connection:
        broken = {"source": row.source.replace("WEEKLY", "NEVERLY")}
        connection.execute(update(booking).where(booking.c.id == row.id).values(**broken))
    assert busy(room, at(0), at(23)) == hours(at(9))  # that far it is held
    with pytest.raises(UnreadableError, match="RRULE"):
        busy(room, at(0), at(0, day=1000))


def test_a_resource_without_bookings_is_free(room: Room) -> None:
    assert busy(room, at(0), at(0, day=1000)) == []
