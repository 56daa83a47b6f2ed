"""Endless series: how far they are held, and what happens when they are held further."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from mailcore.settings import Settings
from mr_accept.audit import Kind, audit
from mr_accept.horizon import extend_series, horizon_of
from mr_accept.policies import load_policy
from mr_accept.policy import BookingPolicy
from store.calendars import lock_calendar
from store.mailboxes import update_mailbox
from store.schema import booking
from tests.support.booking_desk import Desk, Room, Slot, open_desk
from tests.support.databases import shared_url
from tests.support.meetings import MONDAY, at, basic, event
from userstore.db_edit import DbEditor

NEAR, FAR = 20, 120  # days; the test week begins in 29 to 35
EVERY_MONDAY = "FREQ=WEEKLY"
EVERY_ELEVENTH_DAY = "FREQ=DAILY;INTERVAL=11"
MEETING_OF_BOTH = at(9, day=56)
"""From a Tuesday on, every eleventh day is a Monday here: after NEAR and before FAR."""


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


def with_horizon(room: Room, days: int) -> Settings:
    settings = room.desk.settings
    return replace(settings, booking=replace(settings.booking, booking_window_days=days))


def extend(room: Room, days: int) -> int:
    """Hold the series of a room as far as a horizon of so many days asks for."""
    settings, now = with_horizon(room, days), int(datetime.now(UTC).timestamp())
    with room.desk.database.write() as connection:
        locked = lock_calendar(connection, room.store_id)
        policy = load_policy(connection, room.recipient, settings)
        until = horizon_of(connection, room.store_id, policy, now)
        return extend_series(connection, locked, room.recipient, settings, until=until)


def held_until(room: Room, uid: str) -> datetime:
    held = room.lineages(uid)[""].materialised_until
    assert held is not None
    return datetime.fromtimestamp(held, UTC)


def collide(room: Room) -> None:
    """Book two series that meet for the first time beyond the horizon."""
    assert room.ask("mondays", at(9), rrule=EVERY_MONDAY).fate == "accepted"
    assert room.ask("elevenths", at(9, day=1), rrule=EVERY_ELEVENTH_DAY).fate == "accepted"


@pytest.mark.parametrize(
    ("now", "days", "expected"),
    [
        (datetime(2030, 1, 1), 1, datetime(2030, 2, 1)),
        (datetime(2030, 1, 30, 23, 59), 1, datetime(2030, 2, 1)),
        (datetime(2030, 1, 1), 0, datetime(2032, 2, 1)),  # no window: 730 days
        (datetime(2030, 1, 1), 31, datetime(2030, 3, 1)),
        (datetime(2030, 12, 31), 730, datetime(2033, 1, 1)),
        (datetime(2027, 2, 28), 1, datetime(2027, 4, 1)),
    ],
)
def test_the_horizon_is_the_end_of_a_month(
    room: Room, now: datetime, days: int, expected: datetime
) -> None:
    instant = int(now.replace(tzinfo=UTC).timestamp())
    with room.desk.database.read() as connection:
        found = horizon_of(
            connection, room.store_id, BookingPolicy(booking_window_days=days), instant
        )
    assert found == expected.replace(tzinfo=UTC).timestamp()


def test_the_horizon_covers_what_is_booked_beyond_it(room: Room) -> None:
    room.ask("late", at(9, day=800))
    room.ask("mondays", at(9), rrule=EVERY_MONDAY)
    assert held_until(room, "mondays") == at(10, day=800)


def test_an_endless_series_is_held_to_the_horizon(room: Room) -> None:
    room.ask("mondays", at(9), rrule=EVERY_MONDAY)
    until, starts = held_until(room, "mondays"), [start for _, start in room.held()]
    assert until == at(9, day=NEAR)  # as far from its beginning as others from today
    assert starts[0] == at(9)
    assert starts[-1] < until <= starts[-1] + timedelta(days=7)


@pytest.mark.parametrize(("rule", "said"), [(EVERY_MONDAY, True), ("FREQ=WEEKLY;COUNT=2", False)])
def test_the_organizer_hears_how_far_it_is_held(room: Room, rule: str, said: bool) -> None:
    (reply,) = room.replies(room.ask("mondays", at(9), rrule=rule))
    content = reply.entry.mail.content
    assert (b"The series is booked up to" in content.replace(b"\r\n", b" ")) is said


def test_the_horizon_does_not_move_by_itself(desk: Desk) -> None:
    beamers = opened(desk.room(capacity=9))
    beamers.ask("long", at(9), 60 * 24 * 20)
    beamers.ask("daily", at(9), 60 * 30, rrule="FREQ=DAILY")
    extend(beamers, NEAR)
    assert extend(beamers, NEAR) == 0


def test_a_decision_looks_at_series_as_far_as_it_needs_to(room: Room) -> None:
    room.ask("mondays", at(9), rrule=EVERY_MONDAY)
    assert held_until(room, "mondays") < at(9, day=84)
    assert room.ask("late", at(9, day=84)).fate == "declined"
    assert room.ask("later", at(9, day=85)).fate == "accepted"


def test_a_series_is_declined_for_a_booking_far_ahead(room: Room) -> None:
    room.ask("late", at(9, day=700))
    assert room.ask("mondays", at(9), rrule=EVERY_MONDAY).fate == "declined"


def test_extending_holds_more_and_repeating_it_nothing_new(room: Room) -> None:
    room.ask("mondays", at(9), rrule=EVERY_MONDAY)
    before = room.slots()
    added = extend(room, FAR)
    after = room.slots()
    assert (added, after[: len(before)]) == (len(after) - len(before), before)
    assert added >= (FAR - NEAR - 31) // 7
    assert extend(room, FAR) == 0
    assert room.slots() == after


def test_nothing_is_missing_or_held_twice_where_it_goes_on(room: Room) -> None:
    """A horizon is a midnight, and so is the beginning of each of these."""
    room.ask("midnights", at(0), 30, rrule="FREQ=DAILY")
    extend(room, FAR)
    starts = [start for _, start in room.held()]
    assert len(starts) > FAR - 35
    assert starts == [at(0, day=day) for day in range(len(starts))]


def test_a_finite_series_ends_where_it_ends(room: Room) -> None:
    room.ask("mondays", at(9), rrule="FREQ=WEEKLY;COUNT=8")
    extend(room, FAR)
    assert [start for _, start in room.held()] == [at(9, day=7 * week) for week in range(8)]


def test_a_series_that_is_held_to_its_end_is_held_no_further(room: Room) -> None:
    room.ask("mondays", at(9), rrule="FREQ=WEEKLY;COUNT=12")
    assert room.lineages("mondays")[""].materialised_until is not None
    extend(room, FAR)
    assert [start for _, start in room.held()] == [at(9, day=7 * week) for week in range(12)]
    assert room.lineages("mondays")[""].materialised_until is None


@pytest.mark.parametrize("decline_conflict", [True, False])
def test_a_moved_or_cancelled_occurrence_beyond_the_horizon_stays_so(
    desk: Desk, decline_conflict: bool
) -> None:
    room = opened(desk.room(mr_decline_conflict=decline_conflict))
    room.ask("mondays", at(9), rrule=EVERY_MONDAY)
    moved, gone = at(9, day=77), at(9, day=84)
    room.ask("mondays", at(15, day=77), recurrence_id=moved, sequence=1)
    room.ask("mondays", gone, recurrence_id=gone, method="CANCEL", sequence=1)
    extend(room, FAR)
    starts = [start for _, start in room.held()]
    assert starts.count(at(15, day=77)) == 1
    assert at(9, day=70) in starts
    assert not {moved, gone} & set(starts)
    assert {slot.status for slot in room.slots()} == {"accepted"}


def test_what_does_not_fit_when_a_series_is_extended_holds_nothing(room: Room) -> None:
    collide(room)
    extend(room, FAR)
    there = [slot for slot in room.slots() if slot.start == MEETING_OF_BOTH]
    end = MEETING_OF_BOTH + timedelta(hours=1)
    assert there == [
        Slot("elevenths", MEETING_OF_BOTH, end, "clash"),
        Slot("mondays", MEETING_OF_BOTH, end, "accepted"),
    ]
    assert audit(room.desk.database, room.recipient, room.desk.settings) == []
    (content,) = (found.content for found in room.objects() if found.uid == "elevenths")
    assert f"EXDATE:{basic(MEETING_OF_BOTH)}" in content
    # The clash keeps nobody out once the other series is gone.
    room.ask("mondays", at(9), method="CANCEL", sequence=1)
    assert room.ask("one", MEETING_OF_BOTH).fate == "accepted"


def test_where_conflicts_are_taken_nothing_is_a_clash(desk: Desk) -> None:
    room = opened(desk.room(mr_decline_conflict=False))
    collide(room)
    extend(room, FAR)
    assert {slot.status for slot in room.slots()} == {"accepted"}


def test_where_conflicts_are_taken_by_now_the_audit_allows_it(room: Room) -> None:
    collide(room)
    with room.desk.database.write() as connection:
        update_mailbox(connection, room.store_id, {"mr_decline_conflict": False})
    assert room.lineages("elevenths")[""].places == 1
    extend(room, FAR)
    assert {slot.status for slot in room.slots()} == {"accepted"}
    assert room.lineages("elevenths")[""].places == 0
    (crowd,) = audit(room.desk.database, room.recipient, room.desk.settings)
    assert (crowd.kind, crowd.allowed) == (Kind.OVER_CAPACITY, True)


def test_what_is_held_further_counts_by_the_most_places_there_were(desk: Desk) -> None:
    pieces = opened(desk.room(capacity=2))
    pieces.ask("mondays", at(9), rrule=EVERY_MONDAY)
    for capacity, days in ((4, FAR), (3, FAR + 40)):
        with desk.database.write() as connection:
            external_id = pieces.recipient.user.external_id
            DbEditor().update_user(connection, external_id, {"capacity": capacity})
        extend(pieces, days)
        assert pieces.lineages("mondays")[""].places == 4


def test_a_series_that_comes_to_overlap_itself_holds_the_resource_once(room: Room) -> None:
    # 24 exact hours from noon to noon, on the days of which one, at the change to summer time, has 23.
    change = next(
        day
        for day in (MONDAY + timedelta(days=n) for n in range(400))
        if day.month == 3 and day.weekday() == 6 and (day + timedelta(days=7)).month == 4
    )
    start = change - timedelta(days=3, hours=-11)
    together = event(
        "nights",
        start,
        60 * 24,
        attendees=(room.address,),
        rrule="FREQ=DAILY;COUNT=6",
        zone="Europe/Berlin",
    )
    room.ask_together(together)
    with room.desk.database.write() as connection:  # as if it had been held up to its first day
        connection.exec_driver_sql(
            "DELETE FROM occurrence WHERE booking_id IN"
            f" (SELECT id FROM booking WHERE calendar_id IN"
            f" (SELECT id FROM calendar WHERE store_id = {room.store_id}))"
        )
        values = {
            "state": "accepted",
            "recurring": True,
            "materialised_until": int(start.timestamp()),
        }
        connection.execute(update(booking).where(booking.c.uid == "nights").values(**values))
    extend(room, 500)
    assert [slot.status for slot in room.slots()].count("clash") == 1
    findings = audit(room.desk.database, room.recipient, room.desk.settings)
    assert not [one for one in findings if one.kind is Kind.OVER_CAPACITY]


def test_a_calendar_that_cannot_be_read_is_not_a_free_one(room: Room) -> None:
    room.ask("mondays", at(9), rrule=EVERY_MONDAY)
    with room.desk.database.write() as connection:
        calendar = room.lineages("mondays")[""]
        connection.execute(
            update(booking)
            .where(booking.c.id == calendar.id)
            .values(source=calendar.source.replace("WEEKLY", "NEVERLY"))
        )
    outcome = room.ask("late", at(9, day=84))
    assert outcome.fate == "ordinary"
    assert "RRULE" in outcome.reason
    assert len(room.mails("Inbox")) == 1
