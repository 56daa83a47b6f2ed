"""How many bookings use a resource at the same instant, by a sweep over starts and ends.

Intervals are half-open: one that ends when another starts does not meet it, and an interval of zero
length is in use at no instant.  Counting overlapping bookings instead of instants would refuse 9-11
to a resource of capacity 2 that is booked 9-10 and 10-11, where never more than one is in use.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple, Protocol


class Span(Protocol):
    """Anything with a start and an end in epoch seconds, UTC."""

    @property
    def start(self) -> int:
        """The first instant in use."""

    @property
    def end(self) -> int:
        """The first instant not in use any more."""


class Use(NamedTuple):
    """A stretch of time, in epoch seconds UTC, half-open, with a constant number of users."""

    start: int
    end: int
    use: int


def peak_use(busy: Iterable[Span], start: int, end: int) -> int:
    """Return the largest number of `busy` intervals in use at any one instant of [start, end).

    >>> from mr_accept.model import Interval
    >>> peak_use([Interval(9, 10), Interval(10, 11)], 9, 11)
    1
    """
    if start >= end:
        return 0
    met = (part.use for part in _stretches(busy) if part.start < end and part.end > start)
    return max(met, default=0)


def instants_over(intervals: Iterable[Span], capacity: int) -> tuple[Use, ...]:
    """Return the stretches of time in which more than `capacity` intervals are in use, in order."""
    return tuple(stretch for stretch in _stretches(intervals) if stretch.use > capacity)


def _stretches(intervals: Iterable[Span]) -> Iterator[Use]:
    """Yield the stretches of constant, positive use in order."""
    changes = sorted(
        change
        for interval in intervals
        if interval.start < interval.end
        for change in ((interval.start, 1), (interval.end, -1))
    )
    use = since = 0
    for instant, together in groupby(changes, key=lambda change: change[0]):
        shift = sum(delta for _, delta in together)
        if shift == 0:
            continue  # one ends as another starts: the use stays as it is
        if use > 0:
            yield Use(since, instant, use)
        use, since = use + shift, instant
