"""Compiling a VTIMEZONE into its changes of offset (RFC 5545 section 3.6.5).

Rules are expanded from 1970 to 2100; outside these years the nearest known offset holds.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from mr_accept.grammar import Component, Line
from mr_accept.limits import Budget
from mr_accept.model import Form, UnreadableError
from mr_accept.recurrence import expand_rule
from mr_accept.rrule import parse_rule
from mr_accept.values import EPOCH, read_any_time, read_offset, read_time, seconds_since_epoch

_FROM = datetime(1970, 1, 1)
_MOST_ONSETS = 5000
_TO = datetime(2100, 1, 1)
_EARLIEST_YEAR = 1604  # a leap year, so that every date of another has its like


class VtimezoneZone:
    """A zone made of onsets: (instant in epoch seconds, offset before, offset after)."""

    def __init__(self, name: str, onsets: Iterable[tuple[int, int, int]]) -> None:
        self.name = name
        ordered = sorted(onsets)
        self._offsets = [ordered[0][1], *(after for _, _, after in ordered)]
        self._instants = [instant for instant, _, _ in ordered]
        # On the wall clock an offset begins where both sides agree that it has begun: that gives
        # a time in a gap the offset before it, and a time in an overlap its first meaning.  Onsets
        # closer together than they shift the clock would make it run backwards, hence the maximum.
        pairs = zip(self._instants, self._offsets, self._offsets[1:], strict=False)
        self._walls = list(accumulate((i + max(b, a) for i, b, a in pairs), max))

    def to_utc(self, wall: datetime) -> int:
        """Epoch seconds of a wall-clock time."""
        local = seconds_since_epoch(wall)
        return local - self._offsets[bisect_right(self._walls, local)]

    def from_utc(self, instant: int) -> datetime:
        """The wall-clock time at an instant in epoch seconds."""
        offset = self._offsets[bisect_right(self._instants, instant)]
        return EPOCH + timedelta(seconds=instant + offset)


def compile_vtimezone(component: Component, name: str, budget: Budget) -> VtimezoneZone:
    """Return the zone that a VTIMEZONE describes; raises UnreadableError if that fails.

    `budget` is that of all the zones of a message.
    """
    onsets: list[tuple[int, int, int]] = []
    for observance in component.children:
        if observance.name not in ("STANDARD", "DAYLIGHT"):
            continue
        before = read_offset(_needed(observance, "TZOFFSETFROM").value)
        after = read_offset(_needed(observance, "TZOFFSETTO").value)
        for wall in _onset_walls(observance, before, budget):
            onsets.append((seconds_since_epoch(wall) - before, before, after))
            if len(onsets) > _MOST_ONSETS:
                raise UnreadableError(f"too costly: the time zone {name[:80]!r} changes too often")
    if not onsets:
        raise UnreadableError(f"the VTIMEZONE {name[:80]!r} has no usable observance")
    return VtimezoneZone(name, onsets)


def _needed(observance: Component, name: str) -> Line:
    line = observance.first(name)
    if line is None:
        raise UnreadableError(f"a VTIMEZONE has an observance without {name}")
    return line


def _onset_walls(observance: Component, before: int, budget: Budget) -> Iterator[datetime]:
    """Yield the onsets on the clock that was in force until each of them."""
    start = read_any_time(_needed(observance, "DTSTART").value).wall
    start = start.replace(year=max(start.year, _EARLIEST_YEAR))  # some programs write the year 1
    yield start
    for line in observance.all("RDATE"):
        for item in line.value.split(","):
            budget.spend()
            written = read_time(item)
            yield written.wall + timedelta(seconds=before if written.utc else 0)
    rule_line = observance.first("RRULE")
    if rule_line is None:
        return
    rule = parse_rule(rule_line.value)
    last = _TO
    if rule.until is not None:
        shift = before if rule.until.form is Form.UTC else 0
        shift += 86_399 if rule.until.form is Form.DATE else 0
        last = min(_TO, rule.until.wall + timedelta(seconds=shift))
    for wall in expand_rule(rule, start, last=last, budget=budget, since=_FROM):
        if wall != start:
            yield wall
