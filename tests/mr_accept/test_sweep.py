"""Use per instant, against a slow count of every instant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.model import Interval
from mr_accept.sweep import Use, instants_over, peak_use

PEAKS = [
    # busy, asked for, the peak
    ([], (9, 11), 0),
    ([(9, 10), (10, 11)], (9, 11), 1),  # back to back: never both
    ([(9, 10), (9, 10)], (9, 11), 2),
    ([(8, 9)], (9, 10), 0),
    ([(10, 11)], (9, 10), 0),
    ([(8, 12)], (9, 10), 1),
    ([(8, 10), (9, 11), (9, 12)], (11, 12), 1),
    ([(8, 10), (9, 11), (9, 12)], (9, 12), 3),
    ([(9, 9)], (8, 10), 0),  # no length, no instant
    ([(8, 10)], (9, 9), 0),
    ([(10, 9)], (8, 11), 0),
]


@pytest.mark.parametrize(("busy", "asked", "peak"), PEAKS)
def test_peak_use(busy, asked, peak):
    assert peak_use([Interval(*item) for item in busy], *asked) == peak


def test_instants_over_names_each_stretch_with_its_use():
    busy = [Interval(*item) for item in [(0, 10), (2, 6), (4, 8), (20, 30), (22, 24)]]
    assert instants_over(busy, 1) == (Use(2, 4, 2), Use(4, 6, 3), Use(6, 8, 2), Use(22, 24, 2))
    assert instants_over(busy, 2) == (Use(4, 6, 3),)
    assert instants_over(busy, 3) == ()


def test_a_stretch_goes_on_over_a_change_of_guests():
    busy = [Interval(*item) for item in [(0, 10), (2, 4), (4, 6)]]
    assert instants_over(busy, 1) == (Use(2, 6, 2),)


intervals = st.lists(st.builds(Interval, st.integers(0, 30), st.integers(0, 30)), max_size=12)


def users(busy, instant):
    return sum(item.start <= instant < item.end for item in busy)


@given(intervals, st.integers(0, 30), st.integers(0, 30))
def test_the_peak_is_that_of_the_slow_count(busy, start, end):
    slow = max((users(busy, instant) for instant in range(start, end)), default=0)
    assert peak_use(busy, start, end) == slow


@given(intervals, st.integers(0, 4))
def test_the_stretches_are_those_of_the_slow_count(busy, capacity):
    over = {n: use for start, end, use in instants_over(busy, capacity) for n in range(start, end)}
    slow = {n: users(busy, n) for n in range(31) if users(busy, n) > capacity}
    assert over == slow
