"""Looking after calendars: rebuilding, cancelling by hand, extending everybody's series."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update

from mailcore.errors import UsageError
from mailcore.settings import Settings
from mr_accept.audit import Finding, audit
from mr_accept.model import UnreadableError
from mr_accept.upkeep import cancel_booking, extend_all, rebuild_occurrences
from store.mailboxes import orphan_mailbox
from store.schema import booking, calendar, occurrence
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.databases import shared_url
from tests.support.meetings import at, basic

NEAR, FAR = 20, 120  # days; the test week begins in 29 to 35
DAILY = "FREQ=DAILY;COUNT=3"
DAYS = [at(9, day=day) for day in range(3)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with open_desk(shared_url(request, tmp_path_factory), booking_window_days=NEAR) as opened:
        yield opened


@pytest.fixture
def room(desk: Desk) -> Room:
    """A room that the organizers may book beyond its window too."""
    return opened(desk.room())


def opened(room: Room) -> Room:
    room.set_policy(book_out_of_policy="@example.net")
    return room


def far(desk: Desk) -> Settings:
    return replace(desk.settings, booking=replace(desk.settings.booking, booking_window_days=FAR))


def rebuild(room: Room, settings: Settings | None = None) -> int:
    return rebuild_occurrences(room.desk.database, room.recipient, settings or room.desk.settings)


def findings(room: Room) -> list[Finding]:
    return audit(room.desk.database, room.recipient, room.desk.settings)


def cancel(room: Room, uid: str, recurrence_id: str = "") -> int:
    return cancel_booking(
        room.desk.database, room.recipient, room.desk.settings, uid, recurrence_id
    )


def forget_occurrences(room: Room) -> None:
    with room.desk.database.write() as connection:
        own = select(calendar.c.id).where(calendar.c.store_id == room.store_id)
        connection.execute(delete(occurrence).where(occurrence.c.calendar_id.in_(own)))


# -- rebuilding


def test_a_rebuild_gives_the_same_occurrences(room: Room) -> None:
    room.ask("series", at(9), rrule=DAILY)
    room.ask("series", at(15, day=1), recurrence_id=DAYS[1], sequence=1)
    room.ask("series", DAYS[2], recurrence_id=DAYS[2], method="CANCEL", sequence=1)
    room.ask("endless", at(11), rrule="FREQ=DAILY", zone="Europe/Berlin")
    room.ask("single", at(13))
    room.ask("declined", at(13, 30))
    before = room.slots()
    forget_occurrences(room)
    assert rebuild(room) == len(before)
    assert room.slots() == before
    rebuild(room)
    assert room.slots() == before


def test_a_rebuild_keeps_clashes_and_makes_no_excess(desk: Desk) -> None:
    rooms = [opened(desk.room()), opened(desk.room())]
    for room in rooms:  # for the first time together on day 56, beyond the horizon
        assert room.ask("mondays", at(9), rrule="FREQ=WEEKLY").fate == "accepted"
        assert (
            room.ask("elevenths", at(9, day=1), rrule="FREQ=DAILY;INTERVAL=11").fate == "accepted"
        )
    extended, _ = rooms
    extend_all(desk.database, desk.directory, far(desk))
    before = extended.slots()
    assert [(slot.uid, slot.status) for slot in before if slot.start == at(9, day=56)] == [
        ("elevenths", "clash"),
        ("mondays", "accepted"),
    ]
    for _ in range(2):
        for room in rooms:
            rebuild(room, far(desk))
            assert findings(room) == []
            assert room.slots() == before


def test_new_time_zone_data_makes_the_occurrences_anew(room: Room) -> None:
    room.ask("single", at(9))
    desk = room.desk
    extend_all(desk.database, desk.directory, desk.settings)
    forget_occurrences(room)
    extend_all(desk.database, desk.directory, desk.settings)
    assert room.slots() == []  # the data is the same: nothing to do
    with desk.database.write() as connection:
        mine = calendar.c.store_id == room.store_id
        connection.execute(update(calendar).where(mine).values(zone_data="1999a"))
    extend_all(desk.database, desk.directory, desk.settings)
    assert room.held() == [("single", at(9))]


def test_a_calendar_that_cannot_be_extended_hurts_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    broken, orphaned, sound = [opened(desk.room()) for _ in range(3)]
    for room in (broken, orphaned, sound):
        room.ask("mondays", at(9), rrule="FREQ=WEEKLY")
    with desk.database.write() as connection:
        row = broken.lineages("mondays")[""]
        source = row.source.replace("WEEKLY", "NEVERLY")
        connection.execute(update(booking).where(booking.c.id == row.id).values(source=source))
        orphan_mailbox(connection, orphaned.recipient.user.external_id)
    before = {room: len(room.slots()) for room in (broken, orphaned, sound)}
    with caplog.at_level(logging.WARNING, "mr_accept.upkeep"):
        extend_all(desk.database, desk.directory, far(desk))
    assert f"calendar of mailbox {broken.store_id} is not extended" in caplog.text
    grown = [room for room, count in before.items() if len(room.slots()) > count]
    assert grown == [sound]


# -- cancelling by hand


def test_cancelling_a_whole_booking(room: Room) -> None:
    room.ask("series", at(9), rrule=DAILY)
    room.ask("series", at(15, day=1), recurrence_id=DAYS[1], sequence=7)
    assert cancel(room, "series") == 3
    assert room.slots() == []
    assert len(room.outbox()) == 2  # nobody is written to
    for late in ({"rrule": DAILY}, {"recurrence_id": DAYS[1], "sequence": 7}):
        assert room.ask("series", at(9), **late).fate == "stale"
    assert room.ask("series", at(9), rrule=DAILY, sequence=8).fate == "accepted"


def test_cancelling_one_occurrence(room: Room) -> None:
    room.ask("series", at(9), rrule=DAILY)
    room.ask("series", at(15), recurrence_id=DAYS[0], sequence=1)
    assert cancel(room, "series", basic(DAYS[0])) == 1  # one that was moved
    assert cancel(room, "series", basic(DAYS[1])) == 1  # one of the series
    assert room.held() == [("series", DAYS[2])]
    rebuild(room)
    assert room.held() == [("series", DAYS[2])]
    assert room.ask("other", DAYS[1]).fate == "accepted"
    assert room.ask("series", DAYS[1], recurrence_id=DAYS[1]).fate == "stale"
    assert room.ask("series", at(16, day=1), recurrence_id=DAYS[1], sequence=2).fate == "accepted"


def test_cancelling_an_occurrence_of_a_declined_series(room: Room) -> None:
    room.ask("other", DAYS[1])
    room.ask("series", at(9), rrule=DAILY)
    room.ask("series", at(9), recurrence_id=DAYS[0], sequence=1)
    assert room.held() == [("series", DAYS[0]), ("other", DAYS[1])]
    assert cancel(room, "series") == 1
    assert room.held() == [("other", DAYS[1])]
    assert room.ask("series", at(9), recurrence_id=DAYS[0], sequence=1).fate == "stale"


@pytest.mark.parametrize(
    ("uid", "recurrence_id", "says"),
    [
        ("unknown", "", "no booking with the UID unknown"),
        ("series", basic(at(17)), "no occurrence"),
        ("single", basic(at(9)), "no occurrence"),
        ("gone", "", "no booking with the UID gone"),
    ],
)
def test_what_is_not_there_cannot_be_cancelled(
    room: Room, uid: str, recurrence_id: str, says: str
) -> None:
    room.ask("series", at(9), rrule=DAILY)
    room.ask("single", at(12))
    room.ask("gone", at(14))
    cancel(room, "gone")
    before = room.slots(), room.lineages(uid)
    with pytest.raises(UsageError, match=says):
        cancel(room, uid, recurrence_id)
    assert (room.slots(), room.lineages(uid)) == before


def test_the_object_of_a_cancelled_booking_is_gone(room: Room) -> None:
    def objects() -> list[str]:
        return [one.uid for one in room.objects()]

    room.ask("series", at(9), rrule=DAILY)
    room.ask("single", at(12))
    assert objects() == ["series", "single"]
    cancel(room, "series", basic(DAYS[0]))
    assert objects() == ["series", "single"]
    cancel(room, "series")
    assert objects() == ["single"]


def test_a_rebuild_frees_time_that_no_booking_stands_for(desk: Desk) -> None:
    room, other = opened(desk.room()), opened(desk.room())
    room.ask("first", at(15))
    other.ask("stray", at(9))
    with desk.database.write() as connection:
        (mine,) = connection.execute(
            select(calendar.c.id).where(calendar.c.store_id == room.store_id)
        )
        stray = other.lineages("stray")[""].id
        moved = update(occurrence).where(occurrence.c.booking_id == stray)
        connection.execute(moved.values(calendar_id=mine.id))
    assert room.ask("one", at(9)).fate == "declined"
    rebuild(room)
    assert room.ask("one", at(9)).fate == "accepted"


def test_a_rebuild_that_cannot_read_a_booking_names_it(room: Room) -> None:
    room.ask("broken", at(9))
    with room.desk.database.write() as connection:
        row = room.lineages("broken")[""]
        connection.execute(update(booking).where(booking.c.id == row.id).values(source="?"))
    with pytest.raises(UnreadableError, match=f"booking broken of {room.recipient.user.name}"):
        rebuild(room)
