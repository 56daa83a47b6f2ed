"""What a request changes in a booking: which of its instances are news, and which lineages stand afterwards.

A request with a master speaks for the whole series: overrides it does not repeat are gone, except those that are
newer than it.  A request for single instances speaks for these alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mr_accept.fate import Fate, Known, fate_of_request, known_of
from mr_accept.model import Instance, Lineage, LineageState


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
        """True when the request speaks for the whole meeting, not for single instances of it."""
        return bool(self.fresh) and not self.fresh[0].recurrence_id

    @property
    def recurrence_ids(self) -> list[str]:
        """Of every lineage that stands once the change is accepted."""
        fresh = [instance.recurrence_id for instance in self.fresh]
        return fresh + [row.recurrence_id for row in self.remaining]


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
        replaced = {item.recurrence_id for item in fresh}
        return Change(fresh, tuple(row for row in rows if row.recurrence_id not in replaced))
    named = {item.recurrence_id for item in instances}
    newer = tuple(
        row
        for row in rows
        if row.recurrence_id not in named and row.known.version > fresh[0].version
    )
    # Overrides that came with the master stand with it, even those that were known before.
    return Change(tuple(instances), newer)


def lineages_after(change: Change) -> list[Lineage]:
    """The lineages of the booking once the change is accepted."""
    rows = [Lineage(row.recurrence_id, row.state, row.instance) for row in change.remaining]
    return rows + [lineage_of(instance) for instance in change.fresh]


def lineages_of(rows: Sequence[Row]) -> list[Lineage]:
    """Stored rows as lineages."""
    return [Lineage(row.recurrence_id, row.state, row.instance) for row in rows]


def lineage_of(instance: Instance) -> Lineage:
    """An instance as it stands when it is accepted."""
    state = LineageState.CANCELLED if instance.cancelled else LineageState.ACCEPTED
    return Lineage(instance.recurrence_id, state, instance)


def outdated(instance: Instance, series: Known) -> bool:
    """Whether something said about one instance alone is older than what was last said about its series.

    SEQUENCEs of instances and of their series are counted apart by some programs, so DTSTAMP has to agree.
    """
    return all(a < b for a, b in zip(instance.version, series.version, strict=True))


def _fate(instance: Instance, stored: Mapping[str, Row]) -> Fate | None:
    own, master = stored.get(instance.recurrence_id), stored.get("")
    known = known_of(own.known if own else None, master.known if master else None)
    if own is not None and own.state is LineageState.ACCEPTED:
        known = own.known  # it stands by itself, also beside a series that leaves the resource out
    if own is None and known is None and instance.recurrence_id and master is not None:
        return Fate.STALE if outdated(instance, master.known) else None
    fate = fate_of_request(known, instance.version)
    if fate is Fate.REPEATED and own is not None and not _booked(instance, own):
        return None  # it was declined, and may fit by now
    return fate


def _booked(instance: Instance, own: Row) -> bool:
    """Whether this very revision is what is booked; a declined one leaves an older revision in place."""
    return own.instance is not None and own.instance.version == instance.version
