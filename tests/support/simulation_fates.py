"""What becomes of a message by its versions alone: new, once more, or too late (RFC 5546 section 2.1.5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.simulation_calendar import ACCEPTED, CANCELLED, Row, Rows, Version, covers
from tests.support.simulation_words import Event, Message

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
    gone = [row.version for row in _around(name, rows) if row.state == CANCELLED]
    return max(gone, default=None)


def _outdated(event: Event, rows: Rows) -> bool:
    """Older than its series in both its numbers."""
    around = _around(event.name, rows)
    return any(event.sequence < row.version[0] and event.stamp < row.version[1] for row in around)


def _known(own: Row | None, gone: Version | None) -> tuple[Version | None, bool]:
    """The version that counts for an instance, and whether that is a cancellation."""
    if gone is not None and (own is None or gone >= own.version):
        return gone, True
    return (own.version, own.state == CANCELLED) if own else (None, False)


def cancel_fate(event: Event, rows: Rows) -> str:
    """The fate of one event of a CANCEL that is obeyed."""
    own, gone = rows.get(event.name), _cancelled_around(event.name, rows)
    known, _ = _known(own, gone)
    if known is None:
        if rows:
            return STALE if _outdated(event, rows) else FREED
        return TOMBSTONE
    return STALE if event.version < known else FREED


def is_newer(event: Event, rows: Rows) -> bool:
    """Whether an event is news about what is known already."""
    own = rows.get(event.name)
    known = (
        own.version
        if own
        else max((row.version for row in _around(event.name, rows)), default=None)
    )
    return known is not None and event.version > known


def request_fate(event: Event, rows: Rows) -> str:
    """The fate of one event of a REQUEST; DECIDED where it is news."""
    own = rows.get(event.name)
    known, cancelled = _known(own, _cancelled_around(event.name, rows))
    if own is not None and own.state == ACCEPTED:
        known, cancelled = own.version, False
    if known is None:
        return STALE if _outdated(event, rows) else DECIDED
    if event.version != known:
        return DECIDED if event.version > known else STALE
    if cancelled:
        return STALE
    booked = own is not None and own.event is not None and own.event.version == event.version
    return REPEATED if booked else DECIDED


def change_of(events: Sequence[Event], fresh: Sequence[Event], rows: Rows) -> Change:
    """What a request changes: all of a meeting, or the news alone and what they cover."""
    if not fresh[0].name:
        named = {event.name for event in events}
        newer = {name: row for name, row in rows.items() if row.version > fresh[0].version}
        return Change(tuple(events), {n: row for n, row in newer.items() if n not in named})
    remaining = {
        name: row
        for name, row in rows.items()
        if not any(
            name == event.name or (covers(event.name, name) and row.version <= event.version)
            for event in fresh
        )
    }
    return Change(tuple(fresh), remaining)
