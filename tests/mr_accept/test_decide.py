"""The decision as a table: (request, other bookings, policy) -> answer."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.decide import decide
from mr_accept.model import Interval, Occurrence, Reason
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import peak_use

ROOM = BookingPolicy()
PAIR = BookingPolicy(capacity=2)
OPEN = BookingPolicy(decline_conflict=False)
NO_SERIES = BookingPolicy(decline_recurring=True)
NO_SERIES_OPEN = BookingPolicy(decline_recurring=True, decline_conflict=False)
AWAY = BookingPolicy(decline_recurring=True, absence="")
BUSY, ITSELF, RECURRING, ABSENT = Reason.BUSY, Reason.ITSELF, Reason.RECURRING, Reason.ABSENT

TABLE = [
    # request, busy, recurring, policy, reason (None: accepted), which occurrences clash
    ([(9, 10)], [], False, ROOM, None, []),
    ([(9, 10)], [(9, 10)], False, ROOM, BUSY, [0]),
    ([(9, 10)], [(8, 9), (10, 11)], False, ROOM, None, []),
    ([(9, 10)], [(8, 11)], False, ROOM, BUSY, [0]),
    ([(8, 11)], [(9, 10)], False, ROOM, BUSY, [0]),
    ([(9, 10)], [(9, 10)], False, OPEN, None, []),
    ([(9, 11)], [(9, 10), (10, 11)], False, PAIR, None, []),  # never more than one at once
    ([(9, 11)], [(9, 10), (9, 10)], False, PAIR, BUSY, [0]),
    ([(9, 10)], [(9, 10)], False, PAIR, None, []),
    ([(9, 10)], [(11, 12), (11, 12), (11, 12)], False, PAIR, None, []),  # over, but elsewhere
    ([(9, 10), (19, 20)], [(19, 20)], True, ROOM, BUSY, [1]),  # not only the first is compared
    ([(9, 10), (19, 20), (29, 30)], [(5, 40)], True, ROOM, BUSY, [0, 1, 2]),
    ([(9, 10), (19, 20)], [(10, 19)], True, ROOM, None, []),
    ([(9, 12), (11, 14)], [], True, ROOM, ITSELF, [0, 1]),  # a series that overlaps itself
    ([(9, 12), (11, 14)], [(9, 10)], True, ROOM, BUSY, [0, 1]),
    ([(9, 12), (11, 14)], [], True, PAIR, None, []),
    ([(9, 12), (11, 14)], [(11, 12)], True, PAIR, BUSY, [0, 1]),
    ([(9, 10)], [], True, NO_SERIES, RECURRING, []),
    ([(9, 10)], [(9, 10)], True, NO_SERIES, RECURRING, []),  # the recurrence rule goes first
    ([(9, 10)], [(9, 10)], False, NO_SERIES, BUSY, [0]),
    ([(9, 10)], [], False, NO_SERIES, None, []),
    ([(9, 10)], [], True, NO_SERIES_OPEN, RECURRING, []),
    ([(9, 9)], [(8, 10)], False, ROOM, None, []),  # no length: occupies nothing
    ([], [(8, 10)], True, ROOM, None, []),
    ([(9, 10)], [], False, AWAY, ABSENT, []),
    ([(9, 10)], [(9, 10)], True, AWAY, ABSENT, []),  # absence goes before everything
]


@pytest.mark.parametrize(("request_", "busy", "recurring", "policy", "reason", "clashing"), TABLE)
def test_decisions(request_, busy, recurring, policy, reason, clashing):
    occurrences = [Occurrence(start, end, "") for start, end in request_]
    got = decide(occurrences, recurring, [Interval(*item) for item in busy], policy)
    assert got.accepted is (reason is None)
    assert (got.refusals[0].reason if got.refusals else None) is reason
    assert got.clashes == tuple(occurrences[index] for index in clashing)


def test_transparency_does_not_evade_the_check():
    got = decide([Occurrence(9, 10, "", busy=False)], False, [Interval(9, 10)], ROOM)
    assert not got.accepted


def test_clashes_come_in_the_order_of_time():
    late, early = Occurrence(19, 20, "b"), Occurrence(9, 10, "a")
    assert decide([late, early], True, [Interval(0, 99)], ROOM).clashes == (early, late)


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=10)


@given(spans, spans, st.integers(1, 3))
def test_an_occurrence_clashes_exactly_where_the_peak_exceeds_the_capacity(request_, busy, most):
    asked = [Occurrence(start, start + size, "") for start, size in request_]
    taken = [Interval(start, start + size) for start, size in busy]
    got = decide(asked, False, taken, BookingPolicy(capacity=most))
    slow = [item for item in sorted(asked) if peak_use([*asked, *taken], *item[:2]) > most]
    assert list(got.clashes) == slow
    assert got.accepted is (not slow)


OVER = [(9, 11), (9, 11)]  # more than a room takes: imported, or of a time of more capacity

HELD_TABLE = [
    # request, what the booking held, other bookings, which occurrences clash
    ([(9, 11)], [(9, 11)], OVER, []),
    ([(9, 10)], [(9, 11)], OVER, []),  # shorter than before
    ([(9, 12)], [(9, 11)], OVER, [0]),
    ([(8, 10)], [(9, 11)], OVER, [0]),
    ([(9, 11)], [(12, 13)], OVER, [0]),
    ([(9, 10), (9, 11)], [(9, 11)], OVER, [1]),  # a span is good for one occurrence only
    ([(9, 11), (29, 31)], [(9, 11), (29, 31)], [(9, 11), (29, 31)], []),
    ([(9, 11), (30, 32)], [(9, 11), (29, 31)], [(9, 11), (29, 31)], [1]),
]


@pytest.mark.parametrize(("request_", "held", "busy", "clashing"), HELD_TABLE)
def test_what_asks_for_no_more_than_it_holds_fits(request_, held, busy, clashing):
    occurrences = [Occurrence(start, end, "") for start, end in request_]
    taken, given_back = ([Interval(*item) for item in some] for some in (busy, held))
    got = decide(occurrences, True, taken, ROOM, given_back)
    assert got.clashes == tuple(occurrences[index] for index in clashing)
    assert got.accepted is (not clashing)


@given(spans, spans, spans, st.integers(1, 3))
def test_what_is_accepted_raises_no_use_above_the_capacity(request_, held, busy, most):
    asked = [Occurrence(start, start + size, "") for start, size in request_]
    before, taken = (
        [Interval(start, start + size) for start, size in some] for some in (held, busy)
    )
    if not decide(asked, False, taken, BookingPolicy(capacity=most), before).accepted:
        return
    for instant in range(50):
        use = peak_use([*asked, *taken], instant, instant + 1)
        assert use <= max(most, peak_use([*before, *taken], instant, instant + 1))


def test_five_thousand_against_fifty_thousand_is_quick():
    asked = [Occurrence(n * 100, n * 100 + 50, "") for n in range(5000)]
    taken = [Interval(n * 10 + 1, n * 10 + 2) for n in range(5000, 55_000)]
    began = time.perf_counter()
    assert len(decide(asked, True, taken, ROOM).clashes) == 4500
    assert time.perf_counter() - began < 2
