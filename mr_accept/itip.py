"""Reading a meeting message: from MIME parts to a `Meeting` (RFC 5546, RFC 6047).

Only REQUEST, ADD and CANCEL of a single VEVENT UID concern a resource; everything else raises
NotForBookingError, and what cannot be read for certain raises UnreadableError: both are ordinary
mail.

A VEVENT of an ADD (RFC 5546 section 3.2.4) is one more instance of a series, for which no
RECURRENCE-ID exists yet.  Its start stands for it, as that of an RDATE would, and it is read as if
it had that RECURRENCE-ID.
"""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from mailcore.charset import decode_bytes
from mailcore.meeting import BOOKING_METHODS, calendar_parts, part_method
from mailcore.mime import Part, decode_body
from mailcore.view import MessageView
from mr_accept.grammar import Component, parse_component
from mr_accept.limits import Limits
from mr_accept.model import (
    CalendarUser,
    Instance,
    Meeting,
    NotForBookingError,
    UnreadableError,
    Zone,
)
from mr_accept.vevent import parse_instance
from mr_accept.zones import ZoneTable

_NOT_IN_AN_ADDITION = ("RECURRENCE-ID", "RRULE", "RDATE")
_FOLD = re.compile(rb"\r?\n[ \t]")
_METHOD = re.compile(
    r"^METHOD(?:;[^:\r\n]*)?:[ \t]*([A-Z-]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_TWO_BYTE_CHARSETS = ("utf-16", "utf-32", "utf16", "utf32", "ucs")


class CalendarText(NamedTuple):
    """A calendar part as text without folds, and its method in upper case."""

    text: str
    method: str


def find_calendar(view: MessageView) -> CalendarText:
    """Return the first calendar part whose method parameter and METHOD property agree.

    Raises NotForBookingError when there is none.
    """
    for part in calendar_parts(view.root):
        text = _calendar_text(view.raw, part)
        stated = _METHOD.search(text)
        if stated and stated[1].upper() == part_method(part):
            return CalendarText(text, part_method(part))
    raise NotForBookingError("no calendar part whose method parameter and METHOD agree")


def _calendar_text(raw: bytes, part: Part) -> str:
    """Decode a part; folds are undone first, since one may stand inside a UTF-8 sequence."""
    body = decode_body(raw, part)
    charset = part.params.get("charset", "")
    if not charset.lower().startswith(_TWO_BYTE_CHARSETS):
        body = _FOLD.sub(b"", body)
    return decode_bytes(body, charset).removeprefix("\ufeff")


def parse_meeting(text: str, resource_zone: Zone, limits: Limits) -> Meeting:
    """Return the meeting in a VCALENDAR; floating times and dates are in `resource_zone`.

    The same text gives the same meeting, so a stored source may be parsed again.  Raises
    NotForBookingError for another method or component, UnreadableError for what is not certain.
    """
    calendar = parse_component(text, limits)
    method = _method(calendar)
    scale = calendar.first("CALSCALE")
    if scale is not None and scale.value.upper() != "GREGORIAN":
        raise UnreadableError(f"the calendar scale {scale.value[:40]!r} is not supported")
    zones = ZoneTable(calendar.named("VTIMEZONE"), resource_zone, limits)
    instances: list[Instance] = []
    for event in events_of(calendar):
        if limits.out_of_time():
            raise UnreadableError("too costly: the time for one message is used up")
        instances.append(parse_instance(event, zones, limits, cancel=method == "CANCEL"))
    if not instances:
        raise NotForBookingError("the calendar holds no VEVENT")
    ordered = tuple(sorted(instances, key=lambda item: item.recurrence_id))
    _check_together(ordered)
    return Meeting(method, ordered[0].uid, ordered, text, zones.used())


def events_of(calendar: Component) -> list[Component]:
    """Return the VEVENTs of a VCALENDAR in their order, those of an ADD with the RECURRENCE-ID of their start.

    Raises UnreadableError for an ADD of what is no single instance, NotForBookingError for another method.
    """
    events = calendar.named("VEVENT")
    return [_added(event) for event in events] if _method(calendar) == "ADD" else events


def _added(event: Component) -> Component:
    for name in _NOT_IN_AN_ADDITION:
        if event.first(name) is not None:
            raise UnreadableError(f"a VEVENT of an ADD has a {name}")
    if any(line.value.upper() == "CANCELLED" for line in event.all("STATUS")):
        raise UnreadableError("a VEVENT of an ADD is cancelled")
    start = event.first("DTSTART")
    if start is None:
        raise UnreadableError("the VEVENT has no DTSTART")
    if "RANGE" in start.parameters:
        raise UnreadableError("a DTSTART has no RANGE")
    own_id = "RECURRENCE-ID" + start.text[len(start.name) :]
    return Component(event.name, [*event.lines, own_id], event.children)


def _method(calendar: Component) -> str:
    line = calendar.first("METHOD")
    method = line.value.upper() if line else ""
    if method not in BOOKING_METHODS:
        raise NotForBookingError(f"the method {method[:40]!r} is not for booking")
    return method


def _check_together(instances: Sequence[Instance]) -> None:
    """Raise UnreadableError unless the VEVENTs, sorted by recurrence id, make up one meeting."""
    first = instances[0]
    if any(item.uid != first.uid for item in instances):
        raise UnreadableError("the calendar holds several UIDs")
    if any(item.organizer.address != first.organizer.address for item in instances):
        raise UnreadableError("the VEVENTs of the calendar have several ORGANIZERs")
    ids = [item.recurrence_id for item in instances]
    if len(set(ids)) < len(ids):
        raise UnreadableError("two VEVENTs of the calendar stand for one instance")
    if first.recurrence_id or len(ids) == 1 or first.cancelled:
        return
    if not first.recurring:
        raise UnreadableError("the calendar holds an instance of a meeting that does not recur")
    if any(("T" not in recurrence_id) is not first.all_day for recurrence_id in ids[1:]):
        raise UnreadableError("DTSTART and RECURRENCE-ID are not of one type")


def attendee_for(instance: Instance, addresses: Collection[str]) -> CalendarUser | None:
    """Return the first ATTENDEE with one of these addresses (folded by `address_key`), or None."""
    found = (user for user in instance.attendees if user.address in addresses)
    return next(found, None)
