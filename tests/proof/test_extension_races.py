"""Series held further by several at once, while somebody books; and each hears once of what is lost by that."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from mailcore.errors import TemporaryError
from mr_accept import late_clashes
from mr_accept.late_clashes import LateClashes
from mr_accept.upkeep import extend_all
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.databases import shared_url
from tests.support.meetings import BEN, EVE, at
from tests.support.races import as_far_as, at_once, booker, leased, of, request, sound, step_in

NEAR, FAR = 45, 120  # days; the test week begins in 29 to 35


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return shared_url(request, tmp_path_factory)


@pytest.fixture(scope="module")
def desks(url: str) -> Iterator[list[Desk]]:
    """Three, each with connections of its own."""
    with ExitStack() as opened:
        yield [opened.enter_context(open_desk(url, booking_window_days=NEAR)) for _ in range(3)]


@pytest.fixture
def room(desks: list[Desk]) -> Room:
    return desks[0].room()


@pytest.fixture
def second(desks: list[Desk]) -> Desk:
    return desks[1]


def test_series_are_extended_while_somebody_books(room: Room, desks: list[Desk]) -> None:
    """What a series holds for ever is never anybody else's, whether or not it was held so far already."""
    assert room.ask("mondays", at(9), rrule="FREQ=WEEKLY").fate == "accepted"
    held = len(room.held())
    room.set_policy(book_out_of_policy="@example.net")
    taken, free = leased(
        room,
        request(room, "taken", at(9, day=84), organizer=BEN),
        request(room, "free", at(10, day=84), organizer=EVE, from_=EVE),
    )
    far = [as_far_as(desk, FAR) for desk in desks]
    at_once(
        lambda: extend_all(desks[0].database, desks[0].directory, far[0]),
        lambda: extend_all(desks[1].database, desks[1].directory, far[1]),
        lambda: booker(desks[2]).book(taken),
    )
    booker(desks[2]).book(free)
    fates = [room.outcome(job.id).fate for job in (taken, free)]
    assert fates[0] == "declined"
    weeks = of(room, "mondays")
    assert len(weeks) > held
    assert weeks == [at(9) + timedelta(days=7 * week) for week in range(len(weeks))]
    sound(room)


def collide(room: Room) -> None:
    """Hold two series further, which meet there for the first time; Ben's loses an occurrence."""
    room.ask("mondays", at(9), rrule="FREQ=WEEKLY")
    room.ask("elevenths", at(9, day=1), rrule="FREQ=DAILY;INTERVAL=11", organizer=BEN)
    extend_all(room.desk.database, room.desk.directory, as_far_as(room.desk, FAR))


def told(room: Room) -> tuple[int, int]:
    """How many have been written to, and how many notices lie in the Inbox."""
    return len(room.outbox()), len(room.mails("Inbox"))


def test_what_is_lost_is_told_once_by_many_at_once(room: Room, desks: list[Desk]) -> None:
    collide(room)
    before, _ = told(room)
    workers = [desk.worker() for desk in desks] * 2
    at_once(*(worker.report_late_clashes for worker in workers))
    assert told(room) == (before + 1, 1)
    assert [row.report_due for row in room.lineages("elevenths").values()] == [False, False]


def test_who_comes_second_tells_nothing(
    room: Room, second: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    collide(room)
    before, _ = told(room)
    seen = step_in(monkeypatch, LateClashes, second.worker().report_late_clashes, times=1)
    room.desk.worker().report_late_clashes()
    assert seen["attempts"] == 1
    assert told(room) == (before + 1, 1)


def test_a_report_that_fails_is_made_later(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    collide(room)
    before = told(room)

    def fail(*_: object) -> None:
        raise TemporaryError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(late_clashes, "touch_store", fail)
        room.desk.worker().report_late_clashes()
    assert told(room) == before
    room.desk.worker().report_late_clashes()
    assert told(room) == (before[0] + 1, before[1] + 1)
