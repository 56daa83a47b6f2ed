"""Several at once at one calendar: series booked in part, rules that change, the rest of a series.

Where the order matters somebody comes in between reading and locking; elsewhere all start together, and whatever the
order was, it is true.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from mr_accept.book import Booker
from store.bookings import ACCEPTED
from store.jobs import Job
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.databases import shared_url
from tests.support.meetings import at, basic
from tests.support.races import (
    at_once,
    booker,
    change_rules,
    leased,
    of,
    persistent,
    request,
    sound,
    step_in,
)

DAYS = 6
DAILY = f"FREQ=DAILY;COUNT={DAYS}"
EVERY_OTHER = f"FREQ=DAILY;INTERVAL=2;COUNT={DAYS // 2}"
ROUNDS = 4


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return shared_url(request, tmp_path_factory)


@pytest.fixture(scope="module")
def desks(url: str) -> Iterator[list[Desk]]:
    """Three, each with connections of its own."""
    with ExitStack() as opened:
        yield [opened.enter_context(open_desk(url)) for _ in range(3)]


@pytest.fixture
def room(desks: list[Desk]) -> Room:
    return desks[0].room()


@pytest.fixture
def second(desks: list[Desk]) -> Desk:
    return desks[1]


# -- series accepted in part


@pytest.mark.parametrize("partial_reply", ["one-mail", "separate"])
def test_two_series_are_accepted_in_part_at_once(
    room: Room, desks: list[Desk], partial_reply: str
) -> None:
    room.set_policy(max_conflicts="5", partial_reply=partial_reply)
    names = ("anna", "ben", "eve")
    mails = [
        request(room, name, at(9), rrule=rule, organizer=f"{name}@example.net")
        for name, rule in zip(names, (DAILY, EVERY_OTHER, DAILY.replace("6", "8")), strict=True)
    ]
    jobs = leased(room, *mails)
    at_once(*(lambda d=d, j=j: booker(d).book(j) for d, j in zip(desks, jobs, strict=True)))
    sound(room)
    wanted = dict(zip(names, ([*range(6)], [0, 2, 4], [*range(8)]), strict=True))
    for name, job in zip(names, jobs, strict=True):
        lineages = room.lineages(name)
        lost = {one for one, row in lineages.items() if one and row.state != ACCEPTED}
        declined = "".join(
            reply.entry.mail.content.decode().replace("\r\n ", "")
            for reply in room.replies()
            if reply.entry.job_id == job.id
        )
        if room.outcome(job.id).fate == "declined":  # more than five, or all of it
            assert of(room, name) == []
            continue
        days = [at(9, day=day) for day in wanted[name]]
        assert sorted([basic(one) for one in of(room, name)] + sorted(lost)) == sorted(
            basic(day) for day in days
        )
        assert all(f"RECURRENCE-ID:{one}" in declined for one in lost)
        assert declined.count("PARTSTAT=DECLINED") == len(lost)
    held = {start for _, start in room.held()}
    assert {at(9, day=day) for day in range(6)} <= held, "time that is free was refused to all"


# -- rules that change


def test_rules_that_change_between_reading_and_locking_are_the_ones_that_count(
    room: Room, second: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = step_in(
        monkeypatch, Booker, lambda: change_rules(second, room, max_duration_minutes="30"), times=1
    )
    outcome = room.ask("one", at(9))
    assert (outcome.fate, seen["attempts"]) == ("declined", 2)
    assert "at most 30 minutes" in room.replies(outcome)[0].entry.mail.content.decode()
    assert (len(room.replies()), room.held()) == (1, [])


def test_rules_that_keep_changing_leave_the_message_for_later(
    room: Room, second: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = iter(range(100, 200))
    with monkeypatch.context() as patched:
        seen = step_in(
            patched,
            Booker,
            lambda: change_rules(second, room, max_duration_minutes=str(next(minutes))),
            times=100,
        )
        outcome = room.ask("one", at(9))
    assert (outcome.fate, seen["attempts"]) == ("", 5)
    assert (room.held(), room.outbox(), room.mails("Deleted Items")) == ([], [], [])
    room.make_due()
    room.desk.worker().drain(room.store_id)
    assert room.outcome(outcome.job_id).fate == "accepted"
    assert len(room.replies()) == 1


def test_rules_are_set_while_many_book(room: Room, desks: list[Desk]) -> None:
    """Each gets one answer, and it is true, whichever rules it met."""
    jobs = leased(room, *(request(room, f"m{hour}", at(hour)) for hour in range(6, 20)))

    def set_rules() -> None:
        for number in range(12):
            change_rules(desks[2], room, max_duration_minutes=("30", "90")[number % 2])

    def book_all(desk: Desk, mine: list[Job]) -> None:
        for job in mine:
            persistent(desk, job)

    at_once(
        set_rules, lambda: book_all(desks[0], jobs[::2]), lambda: book_all(desks[1], jobs[1::2])
    )
    answers = {one.entry.job_id: one.partstat.lower() for one in room.replies()}
    assert answers == {job.id: room.outcome(job.id).fate for job in jobs}
    assert len(room.replies()) == len(jobs)
    assert len(room.held()) == list(answers.values()).count("accepted")
    sound(room)


# -- the rest of a series


def moved(room: Room) -> bytes:
    """The series at nine goes on at eleven from its third day."""
    raw = request(room, "series", at(11, day=2), recurrence_id=at(9, day=2), sequence=1)
    return raw.replace(b"RECURRENCE-ID:", b"RECURRENCE-ID;RANGE=THISANDFUTURE:")


def test_a_booking_comes_between_a_changed_rest_and_its_new_time(
    room: Room, second: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.ask("series", at(9), rrule=DAILY)
    change, other = leased(room, moved(room), request(room, "other", at(11, day=4)))
    step_in(monkeypatch, Booker, lambda: booker(second).book(other), times=1)
    assert booker(room.desk).book(change).fate.value == "declined"
    assert of(room, "series") == [at(9, day=day) for day in range(DAYS)]
    assert of(room, "other") == [at(11, day=4)]
    sound(room)


def test_a_changed_rest_comes_between_a_booking_and_its_time(
    room: Room, second: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.ask("series", at(9), rrule=DAILY)
    old, change, other = leased(
        room,
        request(room, "old", at(9, day=4)),
        moved(room),
        request(room, "other", at(11, day=4)),
    )
    step_in(monkeypatch, Booker, lambda: booker(second).book(change), times=1)
    assert booker(room.desk).book(other).fate.value == "declined"
    assert booker(room.desk).book(old).fate.value == "accepted"  # the time it gave up
    assert of(room, "series") == [at(9), at(9, day=1), *(at(11, day=day) for day in range(2, DAYS))]
    sound(room)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_changed_rest_and_a_booking_at_once(room: Room, desks: list[Desk], number: int) -> None:
    room.ask("series", at(9), rrule=DAILY)
    change, other = leased(room, moved(room), request(room, "other", at(11, day=2 + number)))
    at_once(
        lambda: booker(desks[1]).book(change),
        lambda: booker(desks[2]).book(other),
    )
    fates = [room.outcome(job.id).fate for job in (change, other)]
    assert sorted(fates) == ["accepted", "declined"]
    assert len(room.held()) == DAYS + (fates[1] == "accepted")
    sound(room)


def moved_day(room: Room) -> bytes:
    """The fourth day of the series is held in the afternoon."""
    return request(room, "series", at(15, day=3), recurrence_id=at(9, day=3), sequence=2)


def check_both_changes(room: Room) -> None:
    rest = [at(11, day=day) for day in (2, 4, 5)]
    assert sorted(of(room, "series")) == sorted([at(9), at(9, day=1), at(15, day=3), *rest])
    sound(room)


def test_what_has_changed_since_it_was_read_is_read_again(
    room: Room, second: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.ask("series", at(9), rrule=DAILY)
    change, single = leased(room, moved(room), moved_day(room))
    seen = step_in(monkeypatch, Booker, lambda: booker(second).book(single), times=1)
    assert booker(room.desk).book(change).fate.value == "accepted"
    assert seen["attempts"] == 2
    check_both_changes(room)


def test_a_change_of_one_instance_and_of_the_rest_at_once(room: Room, desks: list[Desk]) -> None:
    """The one that came second has read what is not true any more; it reads again."""
    room.ask("series", at(9), rrule=DAILY)
    jobs = leased(room, moved(room), moved_day(room))
    at_once(*(lambda d=d, j=j: persistent(d, j) for d, j in zip(desks, jobs, strict=False)))
    assert [room.outcome(job.id).fate for job in jobs] == ["accepted"] * 2
    check_both_changes(room)
