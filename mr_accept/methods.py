"""What other messages than invitations say of a booking: CANCEL, ADD, and a REQUEST without the resource.

RFC 5546 sections 3.2.5, 3.2.4 and 3.2.2.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mr_accept.asking import Asked
from mr_accept.booking_rows import Held
from mr_accept.change import Row, around, cancelled_around, outdated
from mr_accept.fate import (
    Fate,
    Known,
    Order,
    compare,
    fate_of_cancel,
    is_later,
    known_of,
)
from mr_accept.model import Instance, NotForBookingError
from mr_accept.work import Work

_LEFT_OUT = "the organizer does not invite it any more"


class Freed(NamedTuple):
    """The fate of the message, the reason where there is one, and the instances that are cancelled by it."""

    fate: Fate
    reason: str = ""
    instances: Sequence[Instance] = ()


def cancelled_by(work: Work, held: Held) -> Freed:
    """What a CANCEL cancels; without a booking it is remembered, if it comes from the organizer it names."""
    stored = held.organizer()
    obeyed = work.obeyed(stored) if stored else work.tied
    if not obeyed:
        return Freed(Fate.NOT_OBEYED, work.stranger(held))
    fates = [(item, _cancel_fate(item, held.rows)) for item in work.asked.instances]
    fate = next((own for _, own in fates if own is not Fate.STALE), Fate.STALE)
    fate = Fate.FREED if held.frees else fate
    return Freed(fate, "", [item for item, own in fates if own is not Fate.STALE])


def freed_by(work: Work, held: Held) -> Freed:
    """What a REQUEST frees that invites the resource no longer.

    Raises NotForBookingError where it frees nothing: the resource was never booked, the message is a copy that somebody
    has forwarded, or it is no newer than what is booked.
    """
    newer = [item for item in work.asked.instances if _is_newer(item, held.rows)]
    if held.frees:
        return Freed(Fate.FREED, _LEFT_OUT, newer)
    if not held.booked or not newer or not work.strictly_obeyed(held.organizer()):
        invited = work.asked.attendee is not None
        what = "the meeting is cancelled" if invited else "the resource is not among the attendees"
        raise NotForBookingError(what)
    return Freed(Fate.FREED, _LEFT_OUT, newer)


def added_by(asked: Asked, held: Held) -> Sequence[Instance]:
    """The instances that an ADD adds, without those that are older than what is known of the series (RFC 5546 3.2.4).

    Raises NotForBookingError where nothing is booked.
    """
    if not held.booked:
        raise NotForBookingError("nothing is booked to which an instance could be added")
    known = {row.recurrence_id: row.known.version for row in held.rows}
    newest = known.get("", (0, 0))
    return [
        item
        for item in asked.instances
        if item.recurrence_id in known or not is_later(newest, item.version)
    ]


def _own(instance: Instance, rows: Sequence[Row]) -> Known | None:
    mine = (row.known for row in rows if row.recurrence_id == instance.recurrence_id)
    return next(mine, None)


def _cancel_fate(instance: Instance, rows: Sequence[Row]) -> Fate:
    """The fate of one instance of a CANCEL that is obeyed."""
    own, gone = _own(instance, rows), cancelled_around(instance.recurrence_id, rows)
    if gone is not None and known_of(own, gone) is gone:
        return Fate.STALE if is_later(gone.version, instance.version) else Fate.FREED
    if own is None and rows:
        # An instance of a series, or the whole of what is booked by instances.
        series = around(instance.recurrence_id, rows)
        return Fate.STALE if any(outdated(instance, row.known) for row in series) else Fate.FREED
    return fate_of_cancel(own, instance.version)


def _is_newer(instance: Instance, rows: Sequence[Row]) -> bool:
    own = _own(instance, rows)
    if own is not None:
        return compare(own, instance.version) is Order.NEWER
    series = around(instance.recurrence_id, rows)
    return all(is_later(instance.version, row.known.version) for row in series)
