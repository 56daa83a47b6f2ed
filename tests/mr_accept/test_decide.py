"""The decision as a table: (request, other bookings, policy) -> answer."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.decide import asking_for_more, decide
from mr_accept.decision import Decision, Reason, Refusal, Verdict, Wanted
from mr_accept.model import (
    CalendarUser,
    Duration,
    Form,
    Frequency,
    Instance,
    Interval,
    Moment,
    Occurrence,
    Rule,
)
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import Span, peak_use
from mr_accept.zones import UTC

ROOM = BookingPolicy()
PAIR = BookingPolicy(capacity=2)
OPEN = BookingPolicy(decline_conflict=False)
AWAY = BookingPolicy(decline_conflict=False, absence="")
BUSY, ITSELF, ABSENT = Reason.BUSY, Reason.ITSELF, Reason.ABSENT
SINGLE = Instance(
    uid="one",
    recurrence_id="",
    sequence=0,
    dtstamp=0,
    start=Moment(datetime(1970, 1, 1), UTC, Form.UTC),
    duration=Duration(0, 60),
    organizer=CalendarUser("anna@example.net", "anna@example.net"),
)
SERIES = replace(SINGLE, rule=Rule(Frequency.DAILY))


def ask(
    occurrences: Sequence[Occurrence],
    recurring: bool,
    busy: Iterable[Span],
    policy: BookingPolicy,
    held: Iterable[Span] = (),
    *,
    now: int = -1,
) -> Decision:
    """The decision about a single meeting, or about a series."""
    wanted = Wanted(
        instances=(SERIES if recurring else SINGLE,),
        occurrences=tuple(sorted(occurrences)),
        more=asking_for_more(occurrences, held),
        zone=UTC,
    )
    return decide(wanted, busy, policy, now)


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
    ([(9, 12), (11, 14)], [], True, ROOM, ITSELF, [1]),  # a series that overlaps itself
    ([(9, 12), (11, 14)], [(9, 10)], True, ROOM, BUSY, [0]),
    ([(9, 12), (11, 14), (20, 21)], [(20, 21)], True, ROOM, BUSY, [1, 2]),  # not by itself alone
    ([(9, 12), (11, 14)], [], True, PAIR, None, []),
    ([(9, 12), (11, 14)], [(11, 12)], True, PAIR, BUSY, [1]),
    ([(9, 9)], [(8, 10)], False, ROOM, None, []),  # no length: occupies nothing
    ([], [(8, 10)], True, ROOM, None, []),
    ([(9, 10)], [], False, AWAY, ABSENT, []),
    ([(9, 10)], [(9, 10)], True, AWAY, ABSENT, []),  # absence goes before everything
]


@pytest.mark.parametrize(("request_", "busy", "recurring", "policy", "reason", "clashing"), TABLE)
def test_decisions(request_, busy, recurring, policy, reason, clashing):
    occurrences = [Occurrence(start, end, "") for start, end in request_]
    got = ask(occurrences, recurring, [Interval(*item) for item in busy], policy)
    assert got.accepted is (reason is None)
    assert (got.refusals[0].reason if got.refusals else None) is reason
    assert got.clashes == tuple(occurrences[index] for index in clashing)


def test_transparency_does_not_evade_the_check():
    got = ask([Occurrence(9, 10, "", busy=False)], False, [Interval(9, 10)], ROOM)
    assert not got.accepted


def test_clashes_come_in_the_order_of_time():
    late, early = Occurrence(19, 20, "b"), Occurrence(9, 10, "a")
    assert ask([late, early], True, [Interval(0, 99)], ROOM).clashes == (early, late)


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=10)


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
    got = ask(occurrences, True, taken, ROOM, given_back)
    assert got.clashes == tuple(occurrences[index] for index in clashing)
    assert got.accepted is (not clashing)


@given(spans, spans, spans, st.integers(1, 3))
def test_what_is_accepted_raises_no_use_above_the_capacity(request_, held, busy, most):
    asked = [Occurrence(start, start + size, str(n)) for n, (start, size) in enumerate(request_)]
    before, taken = (
        [Interval(start, start + size) for start, size in some] for some in (held, busy)
    )
    if not ask(asked, False, taken, BookingPolicy(capacity=most), before).accepted:
        return
    for instant in range(50):
        use = peak_use([*asked, *taken], instant, instant + 1)
        assert use <= max(most, peak_use([*before, *taken], instant, instant + 1))


# -- series that may be accepted in part

TEN = [(day * 100 + 9, day * 100 + 10) for day in range(10)]


def lacking(days: int) -> list[tuple[int, int]]:
    """Other bookings at the time of the first so many days."""
    return TEN[:days]


@pytest.mark.parametrize(
    ("clashing", "number", "percent", "accepted"),
    [
        (0, None, None, True),
        (1, None, None, False),  # no limit is set: a clash declines the series
        (1, 1, None, True),
        (2, 1, None, False),
        (3, None, 30, True),
        (4, None, 30, False),
        (3, 3, 20, False),  # both have to hold
        (3, 2, 30, False),
        (3, 3, 30, True),
        (1, 0, None, False),
        (1, None, 0, False),
        (9, 9, None, True),
        (10, 10, 100, False),  # nothing would be left
    ],
)
def test_a_series_is_accepted_in_part_within_its_limits(clashing, number, percent, accepted):
    policy = BookingPolicy(max_conflicts=number, max_conflict_percent=percent)
    occurrences = [Occurrence(start, end, str(start)) for start, end in TEN]
    got = ask(occurrences, True, [Interval(*item) for item in lacking(clashing)], policy)
    assert got.accepted is accepted
    assert got.clashes == tuple(occurrences[:clashing])
    assert [refusal.reason for refusal in got.refusals] == ([] if accepted else [BUSY])


def test_a_single_meeting_is_never_accepted_in_part():
    policy = BookingPolicy(max_conflicts=5, max_conflict_percent=100)
    assert not ask([Occurrence(9, 10, "")], False, [Interval(9, 10)], policy).accepted
    two = [Occurrence(9, 10, "a"), Occurrence(19, 20, "b")]  # two instances of a series in one mail
    assert not ask(two, False, [Interval(9, 10)], policy).accepted


def test_what_is_over_is_not_in_question():
    occurrences = [Occurrence(start, end, str(start)) for start, end in TEN]
    busy = [Interval(*item) for item in lacking(3)]
    got = ask(occurrences, True, busy, ROOM, now=250)  # the third day is over
    assert (got.accepted, got.clashes, got.ended) == (True, (), tuple(occurrences[:3]))
    got = ask(occurrences, True, busy, ROOM, now=210)  # it ends now
    assert (got.accepted, got.clashes, got.ended) == (True, (), tuple(occurrences[:3]))
    got = ask(occurrences, True, busy, ROOM, now=209)
    assert (got.accepted, got.clashes) == (False, (occurrences[2],))
    half = BookingPolicy(max_conflict_percent=15)  # of the eight that are to come
    got = ask(occurrences, True, busy, half, now=200)
    assert (got.accepted, got.clashes, got.ended) == (
        True,
        (occurrences[2],),
        tuple(occurrences[:2]),
    )
    less = BookingPolicy(max_conflict_percent=12)  # one of ten, and not one of eight
    assert not ask(occurrences, True, busy, less, now=200).accepted
    any_number = BookingPolicy(max_conflicts=9)
    last = [Interval(*TEN[9])]
    assert ask(occurrences, True, last, any_number, now=809).accepted
    assert not ask(occurrences, True, last, any_number, now=810).accepted  # nothing would be left


@pytest.mark.parametrize(
    ("request_", "busy", "overbooked"),
    [
        ([(9, 11)], OVER, True),
        ([(9, 11)], OVER[:1], False),  # as many as there may be, beside what it gives back itself
        ([(9, 11), (29, 31)], [(29, 31)], False),
        ([(8, 9), (9, 11)], OVER, True),
    ],
)
def test_what_is_held_where_too_much_is_booked_is_known_as_that(request_, busy, overbooked):
    occurrences = [Occurrence(start, end, "") for start, end in request_]
    held = [Interval(8, 9), Interval(9, 11), Interval(29, 31)]
    taken = [Interval(*item) for item in busy]
    got = ask(occurrences, True, taken, PAIR, held)
    assert (got.accepted, got.overbooked) == (True, overbooked)


def test_the_rules_are_asked_before_conflicts():
    refusal = Refusal(Reason.TOO_LONG, "it lasts too long")
    wanted = Wanted((SINGLE,), (Occurrence(9, 10, ""),), (Occurrence(9, 10, ""),), UTC)
    got = decide(wanted, [Interval(9, 10)], ROOM, 0, [refusal])
    assert got == Decision(Verdict.DECLINED, (refusal,))
    assert decide(wanted, [], OPEN, 0, [refusal]) == got  # where conflicts are taken, too


# -- a model that goes through the minutes one by one

parts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)), max_size=8)
limits = st.none() | st.integers(0, 4)
percents = st.none() | st.integers(0, 100)


def use_at(instant: int, spans: Iterable[Span]) -> int:
    return sum(span.start <= instant < span.end for span in spans)


def fits(item: Span, beside: Sequence[Span], most: int) -> bool:
    return all(use_at(minute, beside) < most for minute in range(item.start, item.end))


@given(parts, parts, parts, st.integers(1, 3), limits, percents, st.booleans(), st.integers(-1, 30))
def test_a_model_minute_by_minute_agrees(
    request_, held, busy, most, number, percent, recurring, now
):
    asked = [Occurrence(start, start + size, str(n)) for n, (start, size) in enumerate(request_)]
    asked = sorted(asked if recurring else asked[:1])
    before, taken = ([Interval(at, at + size) for at, size in some] for some in (held, busy))
    policy = BookingPolicy(capacity=most, max_conflicts=number, max_conflict_percent=percent)
    got = ask(asked, recurring, taken, policy, before, now=now)

    # What lies within time that is given back fits; each stretch of it is good for one occurrence.
    given_back = sorted(before)
    kept, others = [], []
    for item in asked:
        fitting = [span for span in given_back if span.start <= item.start]
        if fitting and fitting[-1].end >= item.end:
            given_back.remove(fitting[-1])
            kept.append(item)
        else:
            others.append(item)
    lost: list[Occurrence] = []
    for item in others:
        beside = [*taken, *kept, *(one for one in others if one < item and one not in lost)]
        if not fits(item, beside, most):
            lost.append(item)
    live = [item for item in asked if item.end > now] if recurring else asked
    live = live or asked
    lacking_ = [item for item in lost if item in live]
    bearable = (
        recurring
        and (number, percent) != (None, None)
        and len(lacking_) < len(live)
        and (number is None or len(lacking_) <= number)
        and (percent is None or len(lacking_) / len(live) * 100 <= percent + 1e-9)
    )
    assert got.accepted is (not lacking_ or bearable)
    assert list(got.clashes) == lacking_

    if got.accepted:  # the promise: no instant is in use above the capacity that was not before
        held_now = [item for item in asked if item not in (*got.clashes, *got.ended)]
        for minute in range(60):
            use = use_at(minute, [*taken, *held_now])
            assert use <= max(most, use_at(minute, [*taken, *before]))


def test_five_thousand_against_fifty_thousand_is_quick():
    asked = [Occurrence(n * 100, n * 100 + 50, "") for n in range(5000)]
    taken = [Interval(n * 10 + 1, n * 10 + 2) for n in range(5000, 55_000)]
    began = time.perf_counter()
    assert len(ask(asked, True, taken, ROOM).clashes) == 4500
    assert time.perf_counter() - began < 2
