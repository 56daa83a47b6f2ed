"""When a resource is taken, and the VFREEBUSY that says so (RFC 5545 section 3.6.4, RFC 5546 section 3.3.1).

Taken (BUSY) is time in which nothing more can be booked: a room while it is booked, equipment while as many bookings
hold it as there are pieces.  Time outside the hours and days that a resource has rules for is BUSY-UNAVAILABLE.  What
is left is free, or partly taken, which free/busy does not tell apart.  A transparent event takes the resource like
any other, and so does one that was accepted where conflicts are not declined.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from mr_accept.holidays import holidays_of
from mr_accept.model import Interval, Zone
from mr_accept.open_hours import always_open
from mr_accept.policy import BookingPolicy
from mr_accept.reply_calendar import PRODID, fold
from mr_accept.sweep import Span, instants_over
from mr_accept.values import utc_text

_DAY = timedelta(days=1)
_WHOLE_DAY = (0, 24 * 60)  # minutes


class BusyType(enum.Enum):
    """Why time cannot be booked: a FBTYPE (RFC 5545 section 3.2.9)."""

    BUSY = "BUSY"
    UNAVAILABLE = "BUSY-UNAVAILABLE"


class Stretch(NamedTuple):
    """Time that cannot be booked, in epoch seconds UTC, half-open."""

    start: int
    end: int
    kind: BusyType


def stretches(
    held: Iterable[Span], policy: BookingPolicy, zone: Zone, start: int, end: int
) -> tuple[Stretch, ...]:
    """Return what cannot be booked within [start, end), merged and in order, no two at one instant.

    `zone` is the resource's, whose days and hours count.  Raises UnreadableError where the holidays cannot be read.
    """
    taken = _merged(instants_over(held, policy.capacity - 1), start, end)
    closed = _without(_between(_open(policy, zone, start, end), start, end), taken)
    found = [Stretch(*one, BusyType.BUSY) for one in taken]
    found += [Stretch(*one, BusyType.UNAVAILABLE) for one in closed]
    return tuple(sorted(found, key=lambda one: one.start))


def compose_free_busy(
    address: str, found: Sequence[Stretch], start: int, end: int, now: int
) -> str:
    """Return the folded VCALENDAR that publishes when the resource with this address is taken within [start, end).

    All instants, `now` among them, are epoch seconds.  A newer one replaces it: the UID is always the same.
    """
    lines = [
        "BEGIN:VCALENDAR",
        f"PRODID:{PRODID}",
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "BEGIN:VFREEBUSY",
        f"UID:free-busy-{address}",
        f"DTSTAMP:{utc_text(now)}",
        f"DTSTART:{utc_text(start)}",
        f"DTEND:{utc_text(end)}",
        f"ORGANIZER:mailto:{address}",
        *(
            f"FREEBUSY;FBTYPE={one.kind.value}:{utc_text(one.start)}/{utc_text(one.end)}"
            for one in found
        ),
        "END:VFREEBUSY",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(fold(line) for line in lines)


def _open(policy: BookingPolicy, zone: Zone, start: int, end: int) -> Iterator[Interval]:
    """Yield the time that the rules leave open, in order; all of it where there are no such rules."""
    if always_open(policy):
        yield Interval(start, end)
        return
    first, last = zone.from_utc(start).date() - _DAY, zone.from_utc(end).date()
    holidays = holidays_of(policy.holidays, first.year, last.year)
    opens, closes = policy.work_hours or _WHOLE_DAY
    day = first
    while day <= last:
        if day.weekday() in policy.work_days and day not in holidays:
            midnight = datetime.combine(day, time())
            edges = (midnight + timedelta(minutes=minutes) for minutes in (opens, closes))
            yield Interval(*map(zone.to_utc, edges))
        day += _DAY


def _merged(spans: Iterable[Span], start: int, end: int) -> list[Interval]:
    """What spans, which come by their start, cover of [start, end), in as few intervals as possible."""
    found: list[Interval] = []
    for span in spans:
        begins, ends = max(span.start, start), min(span.end, end)
        if begins >= ends:
            continue
        if found and begins <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, ends))
        else:
            found.append(Interval(begins, ends))
    return found


def _between(spans: Iterable[Span], start: int, end: int) -> list[Interval]:
    """What spans, which come by their start, leave of [start, end)."""
    found: list[Interval] = []
    for span in _merged(spans, start, end):
        found.append(Interval(start, span.start))
        start = span.end
    found.append(Interval(start, end))
    return [one for one in found if one.start < one.end]


def _without(spans: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """What others leave of spans; both in order, and neither with overlaps."""
    found: list[Interval] = []
    first = 0
    for span in spans:
        while first < len(taken) and taken[first].end <= span.start:
            first += 1
        last = first
        while last < len(taken) and taken[last].start < span.end:
            last += 1
        found += _between(taken[first:last], span.start, span.end)
    return found
