"""What a resource has of its meetings, kept by a slow and simple book: lineages, and the time they hold.

It knows the rules of iTIP and nothing of the booker: `simulation_model` says what becomes of each message.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.support.simulation_words import Event

ACCEPTED, DECLINED, CANCELLED, KEPT = "accepted", "declined", "cancelled", "kept"
Version = tuple[int, int]


class Slot(NamedTuple):
    """Time of one occurrence, in epoch seconds, half-open; `name` says which it is."""

    start: int
    end: int
    name: str


@dataclass(frozen=True)
class Row:
    """What is known of one lineage: the newest version seen, and the VEVENT that holds time, if one does.

    `proven` tells whether its organizer has asked for it, and `lacked` when a series does without it.
    """

    state: str
    version: Version
    sender: str
    proven: bool
    event: Event | None = None
    lacked: Slot | None = None


Rows = dict[str, Row]


def is_later(version: Version, other: Version) -> bool:
    """Whether one lineage of a meeting was renewed after another one: DTSTAMP tells, then SEQUENCE."""
    return version[::-1] > other[::-1]


def covers(onwards: str, name: str) -> bool:
    """Whether a change of all instances from one on is about another one, or a later one onwards."""
    if not onwards.endswith("+") or not name or onwards == name:
        return False
    return onwards[:-1] <= name.rstrip("+")


def slots_of(rows: Mapping[str, Row], home: str, until: int) -> list[Slot]:
    """When a meeting holds a resource in that zone, as far as its series begin before `until`."""
    found = []
    own = {name for name, row in rows.items() if name and row.state != KEPT}
    ranges = sorted(
        (name, row)
        for name, row in rows.items()
        if name.endswith("+") and row.state in (ACCEPTED, CANCELLED)
    )
    for name, row in rows.items():
        event = row.event
        if row.state != ACCEPTED or event is None or name.endswith("+"):
            continue
        if event.rule is None:
            found.append(_slot(event, timedelta(), event.minutes, home, name))
        else:
            last = datetime.fromtimestamp(until, UTC).replace(tzinfo=None) + timedelta(days=3)
            found += _of_series(event, own, ranges, home, last)
    return sorted(one for one in found if one.start < until)


def _of_series(
    event: Event, own: set[str], ranges: list[tuple[str, Row]], home: str, last: datetime
) -> Iterator[Slot]:
    assert event.rule is not None
    left_out = own | {one.name for one in event.excluded}
    for wall in event.rule.starts(event.start.wall, last):
        shift = wall - event.start.wall
        name = event.start._replace(wall=wall).name
        if name in left_out:
            continue
        minutes = event.minutes
        counting = [row for first, row in ranges if first[:-1] <= name]
        if counting:
            moved = counting[-1].event
            if moved is None or moved.instance is None:
                continue
            shift += moved.start.wall - moved.instance.wall
            minutes = moved.minutes
        yield _slot(event, shift, minutes, home, name)


def _slot(event: Event, shift: timedelta, minutes: int, home: str, name: str) -> Slot:
    start = event.start._replace(wall=event.start.wall + shift)
    if start.zone:
        begin = int(start.at(home).timestamp())
        return Slot(begin, begin + 60 * minutes, name)
    end = start.later(minutes=minutes)
    return Slot(int(start.at(home).timestamp()), int(end.at(home).timestamp()), name)


class Diary:
    """The time that a resource's meetings hold, found by day."""

    _DAY = 86_400

    def __init__(self) -> None:
        self._of: dict[str, list[Slot]] = {}
        self._days: dict[int, set[tuple[str, Slot]]] = defaultdict(set)

    def held(self, uid: str) -> list[Slot]:
        """What a meeting holds."""
        return self._of.get(uid, [])

    def hold(self, uid: str, slots: Iterable[Slot]) -> None:
        """Let a meeting hold these times, and no others."""
        for slot in self._of.pop(uid, []):
            for day in self._days_of(slot):
                self._days[day].discard((uid, slot))
        self._of[uid] = list(slots)
        for slot in self._of[uid]:
            for day in self._days_of(slot):
                self._days[day].add((uid, slot))

    def use(self, slot: Slot, without: str, beside: Iterable[Slot]) -> int:
        """How many hold the resource at most at one instant of `slot`: the others, and those `beside`."""
        others = {one for day in self._days_of(slot) for one in self._days[day]}
        meeting = [one for uid, one in others if uid != without]
        meeting = [
            one for one in (*meeting, *beside) if one.start < slot.end and one.end > slot.start
        ]
        instants = {slot.start, *(one.start for one in meeting if one.start > slot.start)}
        return max(sum(one.start <= at < one.end for one in meeting) for at in instants)

    def _days_of(self, slot: Slot) -> range:
        return range(slot.start // self._DAY, (slot.end - 1) // self._DAY + 1)
