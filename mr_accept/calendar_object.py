"""The calendar object of a booking, as CalDAV readers will see it (RFC 4791 section 4.1): no METHOD, one UID.

The text of the newest whole request is kept as it came; instances that were addressed on their own stand beside its
VEVENT instead of what it said about them, and those that are cancelled or declined are its EXDATEs; where the rest of
a series is cancelled, its rule ends.  Where such a message means another zone by a TZID that is taken, its zone gets a
name of its own.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from mr_accept.expand import goes_past, recurrence_id_of
from mr_accept.grammar import Component, parse_component, split_line
from mr_accept.itip import events_of, parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import ONWARDS, Zone
from mr_accept.reply_calendar import fold
from mr_accept.values import read_time, seconds_since_epoch
from mr_accept.zones import UTC

_LIMITS = Limits()


def compose_object(
    lineages: Mapping[str, str], cancelled: Collection[str] = (), zone: Zone = UTC
) -> str:
    """Return the folded text of the object.

    `lineages` are the VCALENDAR texts by the recurrence id they stand for, the master's ('') first, at least one;
    `cancelled` are recurrence ids; floating times are in `zone`.  Raises UnreadableError when a text cannot be read any
    more.
    """
    zones: dict[str, Component] = {}
    events: list[Component] = []
    heads: list[list[str]] = []
    for text in dict.fromkeys(lineages.values()):
        part = parse_component(text, _LIMITS)
        heads.append([line for line in part.lines if not line.upper().startswith("METHOD")])
        renamed = _add_zones(part, zones)
        stands_for = [one for one, source in lineages.items() if source == text]
        for recurrence_id, event in _events(part, text, stands_for, zone):
            own = _with_zones(event, renamed)
            if not recurrence_id:
                gone = _gone(text, cancelled, zone)
                own = _without(_with_added(own, lineages), gone)
            if recurrence_id in stands_for:
                events.append(own)
    head = heads[0]
    whole = Component("VCALENDAR", head, [*zones.values(), *events])
    return "\r\n".join(fold(line) for line in whole.whole()) + "\r\n"


def _events(
    part: Component, text: str, stands_for: Sequence[str], zone: Zone
) -> Iterator[tuple[str, Component]]:
    """Yield the VEVENTs with their canonical recurrence ids."""
    events = events_of(part)
    if len(events) == len(stands_for) == 1:  # nearly always, and reading it again takes long
        yield stands_for[0], events[0]
        return
    meeting = parse_meeting(text, zone, _LIMITS)
    ids = {instance.lines: instance.recurrence_id for instance in meeting.instances}
    for event in events:
        yield ids[tuple(event.lines)], event


def _gone(text: str, cancelled: Collection[str], zone: Zone) -> list[str]:
    """The recurrence ids that a series does without, in order.

    One from which on it is cancelled counts only where the series reaches it.  DTSTART and RDATEs after it are named
    too, because no end of the rule takes them away.
    """
    singles = {one for one in cancelled if not one.endswith(ONWARDS)}
    onwards = set(cancelled) - singles
    if not onwards:
        return sorted(singles)
    instances = parse_meeting(text, zone, _LIMITS).instances
    master = next(one for one in instances if not one.recurrence_id)
    reached = {one for one in onwards if goes_past([master], _instant(one), _LIMITS)}
    starts = (master.start, *(extra.start for extra in master.extra_dates))
    first = min(reached, default="~").removesuffix(ONWARDS)
    return sorted(
        {*singles, *reached, *(one for one in map(recurrence_id_of, starts) if one >= first)}
    )


def _instant(recurrence_id: str) -> int:
    return seconds_since_epoch(read_time(recurrence_id.removesuffix(ONWARDS)).wall)


def _with_added(event: Component, lineages: Iterable[str]) -> Component:
    """A single meeting to which instances were added (RFC 5546 section 3.2.4), as a series of them."""
    if any(line.upper().startswith(("RRULE", "RDATE")) for line in event.lines):
        return event
    lines = [f"RDATE{_value(one)}:{one}" for one in lineages if one and not one.endswith(ONWARDS)]
    return Component(event.name, [*event.lines, *lines], event.children)


def _value(recurrence_id: str) -> str:
    return "" if "T" in recurrence_id else ";VALUE=DATE"


def _without(event: Component, excluded: Collection[str]) -> Component:
    """A master without some of its instances, or without the rest: in UTC, or as dates where they are all-day."""
    singles = [one for one in excluded if not one.endswith(ONWARDS)]
    kept = [_ended(line, excluded) for line in event.lines]
    lines = [f"EXDATE{_value(one)}:{one}" for one in singles]
    return Component(event.name, [*kept, *lines], event.children)


def _ended(line: str, excluded: Collection[str]) -> str:
    """An RRULE that ends before the first instance from which on its series is cancelled; another line as it is."""
    onwards = [one for one in excluded if one.endswith(ONWARDS)]
    if not onwards or not line.upper().startswith("RRULE:"):
        return line
    first = min(onwards).removesuffix(ONWARDS)
    last = read_time(first).wall - (timedelta(seconds=1) if "T" in first else timedelta(days=1))
    until = f"{last:%Y%m%dT%H%M%SZ}" if "T" in first else f"{last:%Y%m%d}"
    parts = [part for part in line.split(";") if not part.upper().startswith(("COUNT=", "UNTIL="))]
    return ";".join([*parts, f"UNTIL={until}"])


def _add_zones(part: Component, zones: dict[str, Component]) -> dict[str, str]:
    """Take over the VTIMEZONEs of a part; return {TZID as written: its name in the object} where they differ."""
    renamed = {}
    for zone in part.named("VTIMEZONE"):
        line = zone.first("TZID")
        tzid = line.value if line else ""
        known = zones.setdefault(tzid, zone)
        if list(known.whole()) != list(zone.whole()):
            digest = hashlib.sha256("\n".join(zone.whole()).encode("utf-8", "replace")).hexdigest()
            renamed[tzid] = f"{tzid} {digest[:8]}"
            lines = [one for one in zone.lines if not one.upper().startswith("TZID")]
            own = Component(zone.name, [f"TZID:{renamed[tzid]}", *lines], zone.children)
            zones[renamed[tzid]] = own
    return renamed


def _with_zones(event: Component, renamed: Mapping[str, str]) -> Component:
    if not renamed:
        return event
    return Component(event.name, [_rename(one, renamed) for one in event.lines], event.children)


def _rename(line: str, renamed: Mapping[str, str]) -> str:
    if "TZID=" not in line.upper().partition(":")[0]:
        return line
    tzid = split_line(line).parameters.get("TZID", "")
    if tzid not in renamed:
        return line
    return line.replace(f'"{tzid}"', tzid, 1).replace(tzid, f'"{renamed[tzid]}"', 1)
