"""What becomes of a message by its versions alone: new, once more, or too late (RFC 5546 section 2.1.5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.simulation_calendar import (
    ACCEPTED,
    CANCELLED,
    Row,
    Rows,
    Version,
    covers,
    is_later,
)
from tests.support.simulation_words import ADD, Event, Message

FREED, TOMBSTONE, STALE, REPEATED = "freed", "tombstone", "stale", "repeated"
NOT_OBEYED, ORDINARY, PAST = "not_obeyed", "ordinary", "past"
DECIDED = "decided"
"""Stands for both decisions."""


@dataclass(frozen=True)
class Change:
    """The events that are news, and the rows that stand beside them."""

    fresh: tuple[Event, ...]
    remaining: Rows

    @property
    def whole(self) -> bool:
        """Whether it is about the whole meeting."""
        return not self.fresh[0].name

    @property
    def onwards(self) -> bool:
        """Whether it is about a series from some instance on."""
        return any(one.onwards for one in self.fresh)


def tied(message: Message) -> bool:
    """Whether a message is from its organizer, or from who sends in the organizer's stead."""
    return message.from_ in (message.organizer, message.sent_by)


def given_up(message: Message, rows: Rows) -> list[str]:
    """The lineages that an organizer's word takes the place of: what others have asked for, of what it is about."""
    named = {event.name for event in message.events}
    about = [name for name in rows if "" in named or name in named]
    return [name for name in about if tied(message) and not rows[name].proven]


def obeyed(message: Message, rows: Rows) -> bool:
    """Whether the sender is the organizer, or whoever sent the first request."""
    if tied(message) or not rows:
        return True
    alive = {name: row for name, row in rows.items() if row.state != CANCELLED} or rows
    return alive[min(alive)].sender == message.from_


def _around(name: str, rows: Rows) -> list[Row]:
    if not name:
        return []
    return [row for other, row in rows.items() if not other or covers(other, name)]


def _cancelled_around(name: str, rows: Rows) -> Version | None:
    """The latest cancellation of what an instance belongs to, unless the instance was renewed after it."""
    gone = [row.version for row in _around(name, rows) if row.state == CANCELLED]
    latest = max(gone, key=lambda version: version[::-1], default=None)
    own = rows.get(name)
    return None if latest and own and is_later(own.version, latest) else latest


def _outdated(event: Event, rows: Rows) -> bool:
    """Older than its series in both its numbers."""
    around = _around(event.name, rows)
    return any(event.sequence < row.version[0] and event.stamp < row.version[1] for row in around)


def cancel_fate(event: Event, rows: Rows) -> str:
    """The fate of one event of a CANCEL that is obeyed."""
    own, gone = rows.get(event.name), _cancelled_around(event.name, rows)
    if gone is not None:
        return STALE if is_later(gone, event.version) else FREED
    if own is not None:
        return STALE if event.version < own.version else FREED
    if rows:
        return STALE if _outdated(event, rows) else FREED
    return TOMBSTONE


def is_newer(event: Event, rows: Rows) -> bool:
    """Whether an event is news about what is known already."""
    own = rows.get(event.name)
    if own is not None:
        return event.version > own.version
    return all(is_later(event.version, row.version) for row in _around(event.name, rows))


def is_late_addition(message: Message, rows: Rows) -> bool:
    """Whether it adds an instance to a series of which something newer is known."""
    (event,) = message.events[:1]
    known = event.name not in rows and "" in rows
    return message.method == ADD and known and is_later(rows[""].version, event.version)


def request_fate(event: Event, rows: Rows) -> str:
    """The fate of one event of a REQUEST; DECIDED where it is news."""
    own = rows.get(event.name)
    if own is None or own.state != ACCEPTED:
        gone = _cancelled_around(event.name, rows)
        if gone is not None:
            return DECIDED if is_later(event.version, gone) else STALE
    if own is None:
        return STALE if _outdated(event, rows) else DECIDED
    if event.version != own.version:
        return DECIDED if event.version > own.version else STALE
    if own.state == CANCELLED:
        return STALE
    booked = own.event is not None and own.event.version == event.version
    return REPEATED if booked else DECIDED


def change_of(events: Sequence[Event], fresh: Sequence[Event], rows: Rows) -> Change:
    """What a request changes: all of a meeting, or the news alone and what they cover."""
    if not fresh[0].name:
        outdone = {event.name for event in events if _outdone(event, rows)}
        named = {event.name for event in events} - outdone
        newer = {
            name: row
            for name, row in rows.items()
            if name in outdone or is_later(row.version, fresh[0].version)
        }
        standing = tuple(event for event in events if event.name in named)
        return Change(standing, {n: row for n, row in newer.items() if n not in named})
    remaining = {
        name: row
        for name, row in rows.items()
        if not any(name == event.name or _superseded(name, row, event) for event in fresh)
    }
    return Change(tuple(fresh), remaining)


def _outdone(event: Event, rows: Rows) -> bool:
    """Whether something newer is known of this very instance."""
    return bool(event.name) and event.name in rows and rows[event.name].version > event.version


def _superseded(name: str, row: Row, event: Event) -> bool:
    return covers(event.name, name) and not is_later(row.version, event.version)
