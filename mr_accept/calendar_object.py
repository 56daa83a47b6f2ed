"""The calendar object of a booking, as CalDAV readers will see it (RFC 4791 section 4.1): no METHOD, one UID.

The text of the newest whole request is kept as it came; instances that were addressed on their own are put beside
its VEVENTs.  Where such a message means another zone by a TZID that is taken, its zone gets a name of its own.
"""

import hashlib
from collections.abc import Mapping, Sequence

from mr_accept.grammar import Component, parse_component, split_line
from mr_accept.limits import Limits
from mr_accept.reply_calendar import fold

_LIMITS = Limits()


def compose_object(sources: Sequence[str]) -> str:
    """Return the folded text of the object from the VCALENDAR texts of its lineages, the master's first."""
    parts = [parse_component(text, _LIMITS) for text in dict.fromkeys(sources)]
    head = [line for line in parts[0].lines if not line.upper().startswith("METHOD")]
    zones: dict[str, Component] = {}
    events: list[Component] = []
    for part in parts:
        renamed = _add_zones(part, zones)
        events.extend(_with_zones(event, renamed) for event in part.named("VEVENT"))
    whole = Component("VCALENDAR", head, [*zones.values(), *events])
    return "\r\n".join(fold(line) for line in whole.whole()) + "\r\n"


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
