"""What a request changes in a booking: which of its instances are news, and which lineages stand afterwards.

A request with a master speaks for the whole series, and one with an instance onwards (RANGE=THISANDFUTURE) for the
series from there: overrides it does not repeat are gone, except those that are newer than it.  A request for single
instances speaks for these alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mr_accept.fate import Fate, Known, fate_of_request, is_later, known_of
from mr_accept.model import ONWARDS, Instance, Lineage, LineageState, UnreadableError


class Row(NamedTuple):
    """A stored lineage as a decision sees it; `known` is the newest version seen, booked or declined."""

    recurrence_id: str
    state: LineageState
    known: Known
    instance: Instance | None


@dataclass(frozen=True, slots=True)
class Change:
    """`fresh` has to be decided; where it is empty, `fate` is settled already.

    `remaining` are the stored lineages that stand beside the fresh ones once those are accepted.
    """

    fresh: tuple[Instance, ...] = ()
    remaining: tuple[Row, ...] = ()
    fate: Fate | None = None

    @property
    def whole(self) -> bool:
        """True when the request speaks for the whole meeting, not for a part of it."""
        return bool(self.fresh) and not self.fresh[0].recurrence_id

    @property
    def onwards(self) -> bool:
        """True when it speaks for the series from some instance on."""
        return any(item.recurrence_id.endswith(ONWARDS) for item in self.fresh)

    @property
    def in_series(self) -> bool:
        """True when what the series holds has to be worked out anew."""
        return self.whole or self.onwards

    @property
    def recurrence_ids(self) -> list[str]:
        """Of every lineage that stands once the change is accepted."""
        fresh = [instance.recurrence_id for instance in self.fresh]
        return fresh + [row.recurrence_id for row in self.remaining]

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The VEVENTs that the request is about, the series first where it speaks for more than single instances."""
        series = [row.instance for row in self.remaining if not row.recurrence_id]
        first = [one for one in series if one is not None] if self.onwards else []
        return (*first, *self.fresh)


def change_of(instances: Sequence[Instance], rows: Sequence[Row], obeyed: bool) -> Change:
    """Compare the instances of a request with what is stored of its UID.

    `obeyed` tells whether the sender may change a booking that exists.
    """
    if rows and not obeyed:
        return Change(remaining=tuple(rows), fate=Fate.NOT_OBEYED)
    stored = {row.recurrence_id: row for row in rows}
    fates = {item.recurrence_id: _fate(item, stored) for item in instances}
    fresh = tuple(item for item in instances if fates[item.recurrence_id] is None)
    if not fresh:
        repeated = Fate.REPEATED in fates.values()
        return Change(remaining=tuple(rows), fate=Fate.REPEATED if repeated else Fate.STALE)
    if fresh[0].recurrence_id:
        named = {item.recurrence_id for item in fresh}
        onwards = [item for item in fresh if item.recurrence_id.endswith(ONWARDS)]
        remaining = (row for row in rows if row.recurrence_id not in named)
        return Change(fresh, tuple(row for row in remaining if not _superseded(row, onwards)))
    # Overrides that came with the master stand with it, also those that were known before, unless theirs are newer.
    standing = tuple(item for item in instances if not _outdone(item, stored))
    named = {item.recurrence_id for item in standing}
    outdone = {item.recurrence_id for item in instances} - named
    newer = tuple(
        row
        for row in rows
        if row.recurrence_id in outdone
        or (row.recurrence_id not in named and is_later(row.known.version, fresh[0].version))
    )
    return Change(standing, newer)


def check_types(instances: Iterable[Instance], rows: Iterable[Row]) -> None:
    """Raise UnreadableError where an instance is named by a day and its series has times, or the other way round.

    RFC 5545 section 3.8.4.4 wants the type of DTSTART; nobody can tell which instance is meant otherwise.
    """
    series = next((row.instance for row in rows if not row.recurrence_id), None)
    if series is None:
        return
    named = (item.recurrence_id for item in instances if item.recurrence_id)
    if any(("T" not in recurrence_id) is not series.all_day for recurrence_id in named):
        raise UnreadableError("DTSTART of the series and RECURRENCE-ID are not of one type")


def covers(onwards: str, recurrence_id: str) -> bool:
    """Whether an instance onwards covers another one, or a later one onwards.

    >>> covers("20260105T080000Z+", "20260112T080000Z"), covers("20260105", "20260112")
    (True, False)
    """
    if not onwards.endswith(ONWARDS) or not recurrence_id or onwards == recurrence_id:
        return False
    return onwards.removesuffix(ONWARDS) <= recurrence_id.removesuffix(ONWARDS)


def lineages_after(change: Change) -> list[Lineage]:
    """The lineages of the booking once the change is accepted."""
    return lineages_of(change.remaining) + [lineage_of(instance) for instance in change.fresh]


def lineages_of(rows: Iterable[Row]) -> list[Lineage]:
    """Stored rows as lineages; one that only remembers a declined change stands for nothing."""
    return [
        Lineage(row.recurrence_id, row.state, row.instance)
        for row in rows
        if row.state is not LineageState.KEPT
    ]


def own_ids(rows: Iterable[Row]) -> set[str]:
    """The recurrence ids whose time is not their series' own."""
    return {row.recurrence_id for row in rows if row.state is not LineageState.KEPT} - {""}


def lineage_of(instance: Instance) -> Lineage:
    """An instance as it stands when it is accepted."""
    state = LineageState.CANCELLED if instance.cancelled else LineageState.ACCEPTED
    return Lineage(instance.recurrence_id, state, instance)


def outdated(instance: Instance, series: Known) -> bool:
    """Whether something said about one instance alone is older than what was last said about its series.

    SEQUENCEs of instances and of their series are counted apart by some programs, so DTSTAMP has to agree.
    """
    return all(a < b for a, b in zip(instance.version, series.version, strict=True))


def around(recurrence_id: str, rows: Iterable[Row]) -> list[Row]:
    """The lineages that speak for an instance besides its own: of the series, and of those that cover it."""
    if not recurrence_id:
        return []
    return [
        row for row in rows if not row.recurrence_id or covers(row.recurrence_id, recurrence_id)
    ]


def cancelled_around(recurrence_id: str, rows: Iterable[Row]) -> Known | None:
    """The newest cancellation that covers an instance, or None."""
    gone = (row.known for row in around(recurrence_id, rows) if row.known.cancelled)
    return max(gone, key=lambda known: known.version[::-1], default=None)


def _superseded(row: Row, onwards: Sequence[Instance]) -> bool:
    return any(
        covers(item.recurrence_id, row.recurrence_id)
        and not is_later(row.known.version, item.version)
        for item in onwards
    )


def _outdone(instance: Instance, stored: Mapping[str, Row]) -> bool:
    """Whether something newer is known of this very instance."""
    own = stored.get(instance.recurrence_id)
    return own is not None and bool(own.recurrence_id) and own.known.version > instance.version


def _fate(instance: Instance, stored: Mapping[str, Row]) -> Fate | None:
    own = stored.get(instance.recurrence_id)
    # What is booked stands by itself, also beside a series that leaves the resource out.
    if own is None or own.state is not LineageState.ACCEPTED:
        gone = cancelled_around(instance.recurrence_id, stored.values())
        if gone is not None and known_of(own.known if own else None, gone) is gone:
            return None if is_later(instance.version, gone.version) else Fate.STALE
    if own is None:
        series = around(instance.recurrence_id, stored.values())
        return Fate.STALE if any(outdated(instance, row.known) for row in series) else None
    fate = fate_of_request(own.known, instance.version)
    if fate is Fate.REPEATED and own is not None and not _booked(instance, own):
        return None  # it was declined, and may fit by now
    return fate


def _booked(instance: Instance, own: Row) -> bool:
    """Whether this very revision is what is booked; a declined one leaves an older revision in place."""
    return own.instance is not None and own.instance.version == instance.version
