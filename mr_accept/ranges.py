"""Changes of an instance and all after it: RECURRENCE-ID with RANGE=THISANDFUTURE (RFC 5545 section 3.2.13).

A range counts for what the master makes from the range's recurrence id on, whether or not that names an instance,
until the next range begins.  An accepted range shifts those starts by (its DTSTART - the start it names), both on the
wall clock of the master's zone, and gives them its own length; a cancelled one takes them away.  A start that the
clocks jump over is named by the time it falls on.

Refused: an accepted range of another type (DATE, DATE-TIME) than its master, and one that moves by years.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from mr_accept.model import (
    ONWARDS,
    Instance,
    Lineage,
    LineageState,
    UnreadableError,
    Zone,
)
from mr_accept.values import read_time, seconds_since_epoch

_FARTHEST = timedelta(days=3660)
_NONE = timedelta(0)


class Range(NamedTuple):
    """One range: the canonical id it counts from, its shift on the wall clock, and its VEVENT; None: cancelled."""

    first: str
    shift: timedelta = _NONE
    instance: Instance | None = None

    @property
    def length(self) -> timedelta:
        """How long its occurrences are, a nominal day counted as 24 hours."""
        duration = self.instance.duration if self.instance else (0, 0)
        return timedelta(days=duration[0], seconds=duration[1])


class Ranges:
    """The ranges of one series."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        self._ranges = sorted(ranges, key=lambda one: one.first)
        self._firsts = [one.first for one in self._ranges]
        shifts = [one.shift for one in self._ranges]
        self.ahead = max([_NONE, *shifts])  # how far starts are put off at most
        self.back = max([_NONE, *(-shift for shift in shifts)])  # how far they are brought forward
        self.longest = max([_NONE, *(one.length for one in self._ranges)])

    def at(self, recurrence_id: str) -> Range | None:
        """The range that counts for an occurrence of the master, None where there is none."""
        place = bisect_right(self._firsts, recurrence_id)
        return self._ranges[place - 1] if place else None

    def end(self, zone: Zone) -> datetime | None:
        """The wall-clock time in the series' zone at which it is cancelled for good; None where it is not."""
        if not self._ranges or self._ranges[-1].instance is not None:
            return None
        return _named_wall(self._ranges[-1].first, zone)


def ranges_of(rows: Sequence[Lineage], master: Instance) -> Ranges:
    """Return the ranges among the lineages of a booking that change what `master` makes.

    Raises UnreadableError where an accepted one cannot be applied.
    """
    found: list[Range] = []
    for row in rows:
        if not row.recurrence_id.endswith(ONWARDS) or row.state is LineageState.DECLINED:
            continue
        first = row.recurrence_id.removesuffix(ONWARDS)
        if row.state is LineageState.CANCELLED:
            found.append(Range(first))
        elif row.instance is not None:
            found.append(Range(first, _shift(first, row.instance, master), row.instance))
    return Ranges(found)


def _shift(first: str, instance: Instance, master: Instance) -> timedelta:
    if instance.all_day is not master.all_day or ("T" not in first) is not master.all_day:
        raise UnreadableError("a change of all instances from one on is not of its series' type")
    zone = master.start.zone
    moved = instance.start.wall if master.all_day else zone.from_utc(instance.start.epoch)
    shift = moved - _named_wall(first, zone)
    if abs(shift) > _FARTHEST:
        raise UnreadableError("a change of all instances from one on moves them by years")
    return shift


def _named_wall(recurrence_id: str, zone: Zone) -> datetime:
    written = read_time(recurrence_id)
    if written.date:
        return written.wall
    return zone.from_utc(seconds_since_epoch(written.wall))
