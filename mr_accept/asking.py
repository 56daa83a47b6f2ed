"""From a job's bytes to a meeting that can be decided: the part of booking that needs no database.

Delegation (RFC 5546 section 3.2.2.3): an invitee who sends the resource instead forwards the request, which then names
both of them.  A resource that has itself been replaced by a delegate is not invited any more.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mailcore.address import address_key
from mailcore.settings import BookingSettings
from mailcore.view import MessageView
from mr_accept.fate import Origin
from mr_accept.itip import find_calendar, parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import CalendarUser, Instance, Meeting, NotForBookingError, Zone


@dataclass(frozen=True, slots=True)
class Asked:
    """A meeting message as the resource has to understand it.

    `instances` are the meeting's, master first; one that leaves the resource out counts as cancelled for it.
    `attendee` is the resource as invited, None where it is not.  `left_out` tells that a REQUEST invites it to none of
    its instances, or that all of them are cancelled.  `delegator` is the invitee (folded address) in whose stead the
    resource was sent; empty without one.
    """

    view: MessageView
    meeting: Meeting
    instances: tuple[Instance, ...]
    attendee: CalendarUser | None
    origin: Origin
    own: frozenset[str]
    limits: Limits
    left_out: bool = False
    delegator: str = ""


def limits_of(settings: BookingSettings, now: int | None = None) -> Limits:
    """What one message may cost from now on; `now` is in epoch seconds, the clock's if not given."""
    return Limits(
        max_occurrences=settings.max_occurrences,
        counted_from=int(time.time()) if now is None else now,
        out_of_time=_deadline(settings.expansion_seconds),
    )


def read_request(
    view: MessageView, addresses: tuple[str, ...], zone: Zone, limits: Limits
) -> Asked:
    """Read a meeting message for the resource with these addresses, whose zone is `zone`.

    An ADD keeps only the instances to which the resource is invited.  Raises NotForBookingError (UnreadableError
    among them) for what is ordinary mail.
    """
    found = find_calendar(view)
    meeting = parse_meeting(found.text, zone, limits)
    own = frozenset(address_key(address) for address in addresses)
    invited = {item.recurrence_id: _invited(item, own) for item in meeting.instances}
    attendee = next((user for user in invited.values() if user is not None), None)
    instances = meeting.instances
    if meeting.method == "ADD":
        instances = tuple(item for item in instances if invited[item.recurrence_id])
        if not instances:
            raise NotForBookingError("the resource is not among the attendees")
    elif meeting.method == "REQUEST":
        instances = tuple(
            item if invited[item.recurrence_id] else replace(item, cancelled=True)
            for item in instances
        )
    from_, sender = view.from_, view.sender
    origin = Origin(from_.address if from_ else "", sender.address if sender else "")
    left_out = meeting.method == "REQUEST" and all(item.cancelled for item in instances)
    delegator = _delegator(meeting.instances, own, origin)
    return Asked(view, meeting, instances, attendee, origin, own, limits, left_out, delegator)


def _invited(instance: Instance, own: frozenset[str]) -> CalendarUser | None:
    """The resource among the attendees, unless it has sent somebody else instead."""
    mine = (user for user in instance.attendees if user.address in own)
    return next((user for user in mine if own.issuperset(user.delegated_to)), None)


def _delegator(instances: Sequence[Instance], own: frozenset[str], origin: Origin) -> str:
    """Who has sent the resource instead, by what both their ATTENDEEs say; of several the sender of the mail."""
    found = [
        user.address
        for instance in instances
        if (invited := _invited(instance, own))
        for user in instance.attendees
        if user.address in invited.delegated_from and not own.isdisjoint(user.delegated_to)
    ]
    senders = origin.folded()
    return next((one for one in found if one in senders), found[0] if found else "")


def _deadline(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() > ends
