"""From a job's bytes to a meeting that can be decided: the part of booking that needs no database."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mailcore.address import address_key
from mailcore.settings import BookingSettings
from mailcore.view import MessageView
from mr_accept.fate import Origin
from mr_accept.itip import attendee_for, find_calendar, parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import CalendarUser, Instance, Meeting, NotForBookingError, Zone


@dataclass(frozen=True, slots=True)
class Asked:
    """A meeting message as the resource has to understand it.

    `instances` are the meeting's, master first; one that leaves the resource out counts as cancelled for it.
    `attendee` is the resource as invited, None in a CANCEL that does not name it.
    """

    view: MessageView
    meeting: Meeting
    instances: tuple[Instance, ...]
    attendee: CalendarUser | None
    origin: Origin
    own: frozenset[str]
    limits: Limits


def limits_of(settings: BookingSettings) -> Limits:
    """What one message may cost from now on."""
    return Limits(
        max_occurrences=settings.max_occurrences, out_of_time=_deadline(settings.expansion_seconds)
    )


def read_request(
    view: MessageView, addresses: tuple[str, ...], zone: Zone, limits: Limits
) -> Asked:
    """Read a meeting message for the resource with these addresses, whose zone is `zone`.

    Raises NotForBookingError (UnreadableError among them) for what is ordinary mail.
    """
    found = find_calendar(view)
    meeting = parse_meeting(found.text, zone, limits)
    own = frozenset(address_key(address) for address in addresses)
    named = {item.recurrence_id: attendee_for(item, own) for item in meeting.instances}
    attendee = next((user for user in named.values() if user is not None), None)
    instances = meeting.instances
    if meeting.method == "REQUEST":
        if attendee is None:
            raise NotForBookingError("the resource is not among the attendees")
        instances = tuple(
            item if named[item.recurrence_id] else replace(item, cancelled=True)
            for item in instances
        )
    from_, sender = view.from_, view.sender
    origin = Origin(from_.address if from_ else "", sender.address if sender else "")
    return Asked(view, meeting, instances, attendee, origin, own, limits)


def _deadline(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() > ends
