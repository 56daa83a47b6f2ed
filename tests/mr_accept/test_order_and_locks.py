"""The order of messages, and what changes between reading and locking: each test is a case that once went wrong."""

import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from sqlalchemy.event import listens_for, remove

from mailcore.settings import RetentionSettings
from mr_accept.audit import audit
from mr_accept.rezone import move_calendar
from mr_accept.upkeep import cancel_booking
from store.booking_policies import save_policy_values
from store.calendars import lock_calendar
from store.mailboxes import update_mailbox
from store.prune import prune
from store.schema import booking
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.meetings import BEN, at, basic, calendar, event, mail

DAILY = "FREQ=DAILY;COUNT=4"
ONWARDS = "RECURRENCE-ID;RANGE=THISANDFUTURE:"


def onwards(block: str) -> str:
    """A VEVENT of one instance as one of all from it on."""
    return block.replace("RECURRENCE-ID:", ONWARDS)


def of(room: Room, uid: str, day: int, hour: int = 9, *, there: bool = True, **more: object) -> str:
    """A VEVENT of the instance of a day, moved to an hour."""
    who = (room.address if there else BEN,)
    return event(uid, at(hour, day=day), attendees=who, recurrence_id=at(9, day=day), **more)  # type: ignore[arg-type]


def whole(room: Room, uid: str, *, there: bool = True, rrule: str = DAILY, **more: object) -> str:
    who = (room.address if there else BEN,)
    return event(uid, at(9), attendees=who, rrule=rrule, **more)  # type: ignore[arg-type]


# -- order of messages


def test_a_cancelled_instance_is_not_revived_by_an_older_revision_of_it(room: Room) -> None:
    room.ask_together(whole(room, "a"))
    assert room.ask_together(of(room, "a", 1, sequence=2), method="CANCEL").fate == "freed"
    room.ask_together(whole(room, "a", sequence=1), of(room, "a", 1, 11, sequence=1))
    assert [start for _, start in room.held()] == [at(9), at(9, day=2), at(9, day=3)]


def test_a_late_override_does_not_book_again_after_the_series_is_cancelled(room: Room) -> None:
    room.ask_together(whole(room, "a"))
    moved = of(room, "a", 1, 11, sequence=4, stamp=10)
    room.ask_together(moved)
    cancelled = whole(room, "a", sequence=1, stamp=20)
    assert room.ask_together(cancelled, method="CANCEL").fate == "freed"
    room.ask_together(moved)
    assert room.held() == []


@pytest.mark.parametrize("cancel_first", [False, True])
def test_an_instance_whose_sequence_is_counted_apart(room: Room, cancel_first: bool) -> None:
    def ask() -> None:
        room.ask_together(whole(room, "a", sequence=3, stamp=10))

    def cancel() -> None:
        room.ask_together(of(room, "a", 1, sequence=0, stamp=20), method="CANCEL")

    for step in (cancel, ask) if cancel_first else (ask, cancel):
        step()
    assert at(9, day=1) not in [start for _, start in room.held()]


def test_tombstones_of_one_cancel_are_all_kept(room: Room) -> None:
    room.ask_together(whole(room, "a"), of(room, "a", 1, 11))
    room.ask_together(
        whole(room, "a", sequence=1),
        of(room, "a", 1, 11, sequence=5),
        of(room, "a", 2, 11, sequence=5),
        method="CANCEL",
    )
    assert set(room.lineages("a")) == {"", basic(at(9, day=1)), basic(at(9, day=2))}


# -- ranges


def test_a_range_of_a_series_that_leaves_the_resource_out_is_not_accepted(room: Room) -> None:
    outcome = room.ask_together(whole(room, "a", there=False), onwards(of(room, "a", 2)))
    assert room.held() != [] or outcome.fate != "accepted"


def test_a_range_cancelled_after_the_end_leaves_the_object_alone(room: Room) -> None:
    room.ask_together(whole(room, "a"))
    room.ask_together(onwards(of(room, "a", 9, sequence=1)), method="CANCEL")
    assert "COUNT=4" in room.objects()[0].content


# -- upkeep by hand


def test_an_instance_whose_change_was_declined_can_be_cancelled_by_hand(room: Room) -> None:
    room.ask_together(whole(room, "a"))
    room.ask("other", at(11, day=1))
    assert room.ask_together(of(room, "a", 1, 11, sequence=1)).fate == "declined"
    cancel_booking(room.desk.database, room.recipient, room.desk.settings, "a", basic(at(9, day=1)))
    assert at(9, day=1) not in [start for _, start in room.held()]


# -- what changes between reading and locking


def test_what_the_mailbox_says_is_read_anew_under_the_lock(desk: Desk) -> None:
    room = desk.room(mr_decline_conflict=False)
    room.ask("other", at(9))
    changed: list[bool] = []

    def clock() -> float:
        if not changed:
            changed.append(True)
            with desk.database.write() as connection:
                update_mailbox(connection, room.store_id, {"mr_decline_conflict": True})
        return datetime.now(UTC).timestamp()

    desk.clock = clock
    try:
        room.ask("a", at(9))
    finally:
        desk.clock = lambda: datetime.now(UTC).timestamp()
    assert [uid for uid, _ in room.held()] == ["other"]


# -- a change of nothing


def test_a_new_title_does_not_cost_a_series_its_booking(room: Room) -> None:
    """What the series does without already is no news, whatever the limits are by now."""
    room.set_policy(max_conflicts="1")
    room.ask("other", at(9, day=1))
    assert room.ask_together(whole(room, "a")).fate == "accepted"
    with room.desk.database.write() as connection:
        save_policy_values(connection, room.store_id, {"max_conflicts": None})
    room.set_policy(on_failed_update="release")
    room.ask_together(whole(room, "a", sequence=1, summary="A new title"))
    assert len([uid for uid, _ in room.held() if uid == "a"]) == 3


# -- far ahead


def test_an_instance_moved_far_ahead_meets_its_own_series(room: Room) -> None:
    room.set_policy(booking_window_days="0")
    room.ask_together(whole(room, "a", rrule="FREQ=DAILY"))
    moved = event(
        "a", at(9, day=1000), attendees=(room.address,), recurrence_id=at(9, day=1), sequence=1
    )
    room.ask_together(moved)
    assert audit(room.desk.database, room.recipient, room.desk.settings) == []


def test_a_series_that_moves_away_loses_nothing(desk: Desk) -> None:
    room = desk.room()
    room.set_policy(booking_window_days="45")
    assert room.ask("mondays", at(9), rrule="FREQ=WEEKLY").fate == "accepted"
    elevenths = "FREQ=DAILY;INTERVAL=11"
    assert room.ask("elevenths", at(9, day=1), rrule=elevenths).fate == "accepted"
    room.set_policy(booking_window_days="120")
    outcome = room.ask("elevenths", at(14, day=1), rrule=elevenths, sequence=1)
    assert outcome.fate == "accepted"
    assert [row.state for row in room.lineages("elevenths").values()] == ["accepted"]


def test_a_new_title_after_a_late_clash_keeps_the_series(desk: Desk) -> None:
    room = desk.room()
    elevenths = meet_later(room)
    room.set_policy(on_failed_update="release")
    room.ask("elevenths", at(9, day=1), rrule=elevenths, sequence=1, summary="New")
    assert "elevenths" in {uid for uid, _ in room.held()}


def meet_later(room: Room) -> str:
    """Two series that meet beyond what is held by now; return the rule of the later one."""
    room.set_policy(booking_window_days="45")
    elevenths = "FREQ=DAILY;INTERVAL=11"
    assert room.ask("mondays", at(9), rrule="FREQ=WEEKLY").fate == "accepted"
    assert room.ask("elevenths", at(9, day=1), rrule=elevenths).fate == "accepted"
    room.set_policy(booking_window_days="120")
    return elevenths


def test_a_released_series_is_not_reported_on_later(desk: Desk) -> None:
    room = desk.room()
    elevenths = meet_later(room)
    room.set_policy(on_failed_update="release")
    room.ask("elevenths", at(9, day=1), rrule=elevenths, sequence=1)
    before = len(room.outbox())
    desk.worker().report_late_clashes()
    assert len(room.outbox()) == before


def test_what_is_booked_meanwhile_is_not_pruned(postgres_url: str) -> None:
    """Between the look for what is over and its removal; only there writers do not wait for each other."""
    with open_desk(postgres_url) as desk:
        room = desk.room()
        room.set_policy(lead_time_minutes="500000")
        assert room.ask("a", at(9)).fate == "declined"
        room.set_policy(lead_time_minutes="0")
        with desk.database.write() as connection:
            connection.execute(update(booking).where(booking.c.uid == "a").values(updated_at=0))
        booked: list[str] = []

        @listens_for(desk.database.engine, "before_cursor_execute")
        def book(_c: object, _k: object, statement: str, *_: object) -> None:
            if statement.startswith("DELETE FROM booking") and not booked:
                booked.append("")
                booked.append(room.ask("a", at(9), sequence=1).fate)

        try:
            prune(desk.database, RetentionSettings(), datetime.now(UTC).timestamp())
        finally:
            remove(desk.database.engine, "before_cursor_execute", book)
        assert booked[1] == "accepted"
        assert room.held() == [("a", at(9))]


def test_newer_overrides_stay_when_an_older_request_leaves_the_resource_out(room: Room) -> None:
    room.ask_together(whole(room, "a"))
    room.ask_together(of(room, "a", 1, 11, sequence=5))
    room.ask_together(whole(room, "a", there=False, sequence=1))
    assert room.held() == [("a", at(11, day=1))]


def test_a_resource_left_out_of_one_instance_frees_it_though_another_does_not_fit(
    room: Room,
) -> None:
    room.ask_together(whole(room, "a"))
    room.ask("other", at(11, day=1))
    room.ask_together(of(room, "a", 1, 11, sequence=1), of(room, "a", 2, there=False, sequence=1))
    assert at(9, day=2) not in [start for _, start in room.held()]


def test_a_mailbox_moved_to_another_zone_meanwhile(desk: Desk) -> None:
    room = desk.room(timezone="Europe/Berlin")
    changed: list[bool] = []

    def clock() -> float:
        if not changed:
            changed.append(True)
            with desk.database.write() as connection:
                move_calendar(connection, room.recipient, "America/New_York", desk.settings)
                update_mailbox(connection, room.store_id, {"timezone": "America/New_York"})
        return datetime.now(UTC).timestamp()

    desk.clock = clock
    floating = event("a", at(9), attendees=(room.address,)).replace("00Z", "00")
    try:
        room.ask_together(floating)
    finally:
        desk.clock = lambda: datetime.now(UTC).timestamp()
    assert audit(desk.database, room.recipient, desk.settings) == []


def test_waiting_for_the_lock_is_no_costly_request(desk: Desk) -> None:
    """A request that waits for a busy calendar longer than its expansion may take is booked then."""
    room = desk.room()
    room.set_policy(work_hours="08:00-18:00")
    ready = threading.Event()

    def hold() -> None:
        with desk.database.write() as connection:
            lock_calendar(connection, room.store_id)
            ready.set()
            ends = time.monotonic() + 1.0
            while time.monotonic() < ends:
                pass

    holder = threading.Thread(target=hold)

    def clock() -> float:
        if not ready.is_set():
            holder.start()
            ready.wait()
        return datetime.now(UTC).timestamp()

    desk.clock = clock
    try:
        raw = mail(calendar(whole(room, "a", rrule="FREQ=DAILY")), to=room.address)
        outcome = room.send(raw, expansion_seconds=0.7)
    finally:
        desk.clock = lambda: datetime.now(UTC).timestamp()
        holder.join()
    assert outcome.fate == "accepted"
