"""Where more bookings hold a resource than it has places, and whether all of them came there by its rules.

Each booking remembers how many could share its time when it was accepted.  Bookings that meet at an instant broke
nothing if they can have come in some order in which each still found a place: with their places in ascending order
the k-th needs at least k.  So a capacity that was lowered later is told from a double booking.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import NamedTuple

MOST_NAMED = 20
"""So many of those who meet are named at most: thousands in one place would name each other for ever."""


class Claim(NamedTuple):
    """Time that a booking holds, in epoch seconds UTC, half-open.

    `places` is how many bookings could share it when this one was accepted, 0 for as many as wanted.
    """

    start: int
    end: int
    places: int
    booking_id: int


class Crowd(NamedTuple):
    """A stretch of time, in epoch seconds UTC, half-open, in which the same `use` claims are too many.

    `holders` are their booking ids, by start and `MOST_NAMED` at most.
    """

    start: int
    end: int
    use: int
    allowed: bool
    holders: tuple[int, ...]


def crowds(claims: Iterable[Claim], capacity: int) -> Iterator[Crowd]:
    """Yield, in order, the stretches in which more than `capacity` claims meet.

    >>> [crowd[:4] for crowd in crowds([Claim(9, 11, 1, 7), Claim(10, 12, 1, 8)], 1)]
    [(10, 11, 2, False)]
    """
    changes = sorted(
        change
        for number, claim in enumerate(claims)
        if claim.start < claim.end
        for change in ((claim.start, number, claim), (claim.end, number, claim))
    )
    active: dict[int, Claim] = {}
    limited: Counter[int] = Counter()
    since = 0
    for instant, together in groupby(changes, key=lambda change: change[0]):
        if len(active) > capacity:
            holders = tuple(one.booking_id for one in islice(active.values(), MOST_NAMED))
            yield Crowd(since, instant, len(active), _fits(limited), holders)
        for _, number, claim in together:
            if number in active:
                del active[number]
                limited[claim.places] -= 1
            else:
                active[number] = claim
                limited[claim.places] += 1
        since = instant


def _fits(limited: Mapping[int, int]) -> bool:
    """Whether claims, counted by their places, can have come one after the other, each finding a place.

    >>> _fits({3: 2, 1: 1}), _fits({3: 1, 1: 2}), _fits({0: 9, 1: 1})
    (True, False, True)
    """
    before = 0
    for places in sorted(limited):
        if places == 0:
            continue
        before += limited[places]
        if limited[places] and before > places:
            return False
    return True
