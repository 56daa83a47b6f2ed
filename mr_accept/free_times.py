"""Times at which a resource can be booked instead of one that is taken; pure.

They are as long as what was asked for, free at every instant as `sweep.peak_use` counts, and within the resource's
days and hours.  Starts that are tried: full and half hours on the resource's wall clock, the time that was asked for,
and the minute at which the resource gets free again; for all-day bookings its days.
"""

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from mr_accept.decision import FreeTime
from mr_accept.model import Occurrence, Zone
from mr_accept.open_hours import closed_for
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import Span, Use, instants_over

SEARCHED_DAYS = 14
"""So far ahead of the time that was asked for, or of now if that is later, a free time may begin."""

_DAY = 86_400  # seconds
_ONE_DAY = timedelta(days=1)
_GRID = 1800  # seconds of the wall clock
_USUAL_HOURS = (7 * 60, 19 * 60)  # minutes after midnight
_USUAL_DAYS = frozenset(range(5))  # Monday to Friday


def free_times(
    asked: Occurrence,
    all_day: bool,
    busy: Iterable[Span],
    policy: BookingPolicy,
    zone: Zone,
    now: int,
    *,
    most: int = 3,
    days: int = SEARCHED_DAYS,
) -> tuple[FreeTime, ...]:
    """Return the next times, at most so many and none over another, that are as long as `asked` and free.

    `busy` is what holds the resource from `asked` to `days` and the length of `asked` after it, or after `now` (epoch
    seconds) if that is later: none is offered beyond that, nor beyond the booking window or before the lead time is
    over.  `zone` is the resource's.  Where it has no hours and Monday to Friday, 7 to 19 o'clock, was asked for (or
    whole days of these), no other times are offered.  What has no length needs no time.

    Raises UnreadableError for days off that cannot be read.
    """
    if asked.start >= asked.end:
        return ()
    from_, to = _range(asked, policy, now, days)
    taken = instants_over(busy, policy.capacity - 1)
    rules = _narrowed(asked, all_day, policy, zone)
    if all_day:
        tried = _whole_days(asked, zone, from_, to)
    else:
        length = asked.end - asked.start
        starts = _starts(asked, taken, zone, from_, to - length)
        tried = (FreeTime(start, start + length) for start in starts)
    found = _fitting(tried, taken, lambda time: not closed_for(time, all_day, rules, zone))
    return tuple(islice(found, most))


def _range(asked: Occurrence, policy: BookingPolicy, now: int, days: int) -> tuple[int, int]:
    """The earliest start and the latest end, in epoch seconds."""
    earliest = max(asked.start, now + policy.lead_time_minutes * 60)
    latest = max(asked.start, now) + days * _DAY + asked.end - asked.start
    if policy.booking_window_days:
        latest = min(latest, now + policy.booking_window_days * _DAY)
    return earliest, latest


def _narrowed(asked: Occurrence, all_day: bool, policy: BookingPolicy, zone: Zone) -> BookingPolicy:
    """The policy, with the usual days and hours where it has no hours and the usual ones were asked for."""
    if policy.work_hours is not None:
        return policy
    usual = BookingPolicy(work_days=_USUAL_DAYS, work_hours=_USUAL_HOURS)
    if closed_for(asked, all_day, usual, zone):
        return policy
    return replace(policy, work_days=policy.work_days & _USUAL_DAYS, work_hours=_USUAL_HOURS)


def _fitting(
    tried: Iterable[FreeTime], taken: Sequence[Use], is_open: Callable[[FreeTime], bool]
) -> Iterator[FreeTime]:
    """Yield those of the times, in the order of their starts, that are free, open, and after the one before."""
    after = None
    for time in tried:
        if after is not None and time.start < after:
            continue
        index = bisect_right(taken, time.start, key=lambda stretch: stretch.end)
        if index < len(taken) and taken[index].start < time.end:
            continue
        if is_open(time):
            yield time
            after = time.end


def _starts(
    asked: Occurrence, taken: Iterable[Use], zone: Zone, first: int, last: int
) -> Iterator[int]:
    """Yield the starts to be tried in order: `first` and `last` are epoch seconds, both included."""
    freed = (-(-stretch.end // 60) * 60 for stretch in taken)  # times are told in minutes
    single = sorted(start for start in (asked.start, *freed) if first <= start <= last)
    yield from heapq.merge(single, _grid(zone, first, last))


def _grid(zone: Zone, first: int, last: int) -> Iterator[int]:
    """Yield the full and half hours of the wall clock, the repeated ones of a changed clock too."""
    instant = first
    while instant <= last:
        wall = zone.from_utc(instant)
        if past := (wall.minute * 60 + wall.second) % _GRID:
            instant += _GRID - past
        else:
            yield instant
            instant += _GRID


def _whole_days(asked: Occurrence, zone: Zone, first: int, last: int) -> Iterator[FreeTime]:
    """Yield the times of as many whole days of the resource's as were asked for, from each day on."""
    begin = zone.from_utc(asked.start)
    count = max(1, (zone.from_utc(asked.end).date() - begin.date()).days)
    midnight = datetime.combine(zone.from_utc(first).date(), datetime.min.time())
    while True:
        after = midnight + timedelta(days=count)
        time = FreeTime(zone.to_utc(midnight), zone.to_utc(after))
        if time.end > last:
            return
        if time.start >= first:
            yield time
        midnight += _ONE_DAY
