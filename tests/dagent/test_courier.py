import threading
from collections.abc import Iterator

import pytest

from dagent.courier import Courier
from dagent.outage import Outage
from tests.support.waiting import wait_for


class Road:
    """Carries hints; blocked, or closed, as a test wants it."""

    def __init__(self) -> None:
        self.carried: list[int] = []
        self.open = threading.Event()
        self.open.set()
        self.closed = False

    def carry(self, hint: int) -> None:
        assert self.open.wait(10)
        if self.closed:
            raise ConnectionError("closed")
        self.carried.append(hint)


@pytest.fixture
def road() -> Road:
    return Road()


@pytest.fixture
def courier(road: Road) -> Iterator[Courier[int]]:
    started = Courier(road.carry, trouble=(OSError,), outage=Outage("the road", "we wait"))
    yield started
    road.open.set()
    started.stop(10)


def test_hints_are_carried_in_their_order(road: Road, courier: Courier[int]) -> None:
    for hint in (3, 1, 2):
        courier.take(hint)
    wait_for(lambda: road.carried == [3, 1, 2], what="all hints")


def test_the_same_hint_waits_once(road: Road, courier: Courier[int]) -> None:
    road.open.clear()
    for hint in (1, 1, 2, 1, 2):
        courier.take(hint)
    road.open.set()
    courier.stop(10)
    # The first may have been on its way already when the second was taken.
    assert road.carried in ([1, 2], [1, 1, 2])


def test_a_closed_road_delays_and_loses_nothing(
    road: Road, courier: Courier[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="dagent.outage")
    road.closed = True
    courier.take(1)
    wait_for(lambda: "the road cannot be used: closed; we wait" in caplog.text, what="the warning")
    courier.take(2)
    road.closed = False
    wait_for(lambda: road.carried == [1, 2], what="both hints")
    wait_for(lambda: "the road can be used again" in caplog.text, what="the end of the outage")
    assert len(caplog.records) == 2


def test_what_waits_at_the_end_is_still_carried(road: Road, courier: Courier[int]) -> None:
    road.open.clear()
    courier.take(1)
    courier.take(2)
    road.open.set()
    courier.stop(10)
    assert road.carried == [1, 2]


def test_a_closed_road_does_not_hold_up_the_end(road: Road, courier: Courier[int]) -> None:
    road.closed = True
    courier.take(1)
    courier.stop(10)
    assert "courier" not in {thread.name for thread in threading.enumerate()}
