"""What the organizer reads: what was asked for, when, and for a decline why."""

from datetime import datetime, timedelta
from textwrap import wrap

from mailcore.charset import one_line
from mr_accept.model import Decision, Duration, Form, Instance, Moment, Occurrence, OldTime, Zone
from mr_accept.zones import offset_text

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
_MOST_CLASHES = 10
_LONGEST_TITLE = 300  # characters


def title_of(instance: Instance) -> str:
    """Return the SUMMARY in one line, cut where it is unreasonably long."""
    title = " ".join(one_line(instance.summary).split())
    if len(title) > _LONGEST_TITLE:
        title = title[:_LONGEST_TITLE].rstrip() + "..."
    return title or "(no title)"


def compose_text(
    instance: Instance, decision: Decision, resource_name: str, resource_zone: Zone
) -> str:
    """Return the plain text with LF line ends.

    Times are in the zone of the organizer's DTSTART, or in the resource's where that one is UTC or
    floating.
    """
    zoned = instance.start.form is Form.ZONED
    zone = instance.start.zone if zoned else resource_zone
    name = one_line(resource_name)
    if decision.accepted and instance.duration == Duration(0, 0):
        lines = [f"{name} has accepted the meeting. It has no length, so no time is held for it."]
    elif decision.accepted:
        lines = [f"{name} has accepted the meeting and is booked."]
    else:
        why = decision.refusals[0].text if decision.refusals else "it is not possible"
        lines = [f"{name} has declined the meeting: {why}."]
        if decision.old_time is OldTime.KEPT:
            lines.append("What was booked for this meeting before stays booked.")
        lines += _besides(decision.note)
    lines += ["", f"What: {title_of(instance)}", f"When: {_when(instance, zone)}"]
    if place := one_line(instance.location):
        lines.append(f"Where: {place[:_LONGEST_TITLE]}")
    if decision.clashes:
        lines += ["", "These times are not free:"]
        lines += [
            f"  {_clash(clash, instance, zone)}" for clash in decision.clashes[:_MOST_CLASHES]
        ]
        if (more := len(decision.clashes) - _MOST_CLASHES) > 0:
            lines.append(f"  and {more} more")
    return "\n".join([*lines, ""])


def _besides(text: str) -> list[str]:
    """A text of the resource's own, in lines of any length, after an empty line."""
    if not text.strip():
        return []
    lines = ["", *text.strip().splitlines()]
    return [folded for line in lines for folded in wrap(one_line(line)) or [""]]


def _when(instance: Instance, zone: Zone) -> str:
    start, length = instance.start, instance.duration
    if instance.all_day:
        text = _days(start.wall, start.wall + timedelta(days=length.days))
    else:
        begin = start.epoch
        nominal = Moment(start.wall + timedelta(days=length.days), start.zone, start.form)
        text = _times(begin, nominal.epoch + length.seconds, zone)
    return f"{text}; this is the first of a series" if instance.recurring else text


def _clash(clash: Occurrence, instance: Instance, zone: Zone) -> str:
    if instance.all_day:
        home = instance.start.zone
        return _days(home.from_utc(clash.start), home.from_utc(clash.end))
    return _times(clash.start, clash.end, zone)


def _days(first: datetime, after: datetime) -> str:
    last = after - timedelta(days=1)
    if last.date() <= first.date():
        return f"{_day(first)}, all day"
    return f"{_day(first)} to {_day(last)}, all day"


def _times(begin: int, end: int, zone: Zone) -> str:
    first, last = zone.from_utc(begin), zone.from_utc(end)
    until = f"{last:%H:%M}" if last.date() == first.date() else f"{_day(last)}, {last:%H:%M}"
    place = f"{one_line(zone.name)}, UTC{offset_text(zone, begin)}"
    return f"{_day(first)}, {first:%H:%M} to {until} ({place})"


def _day(wall: datetime) -> str:
    """A date in words; not by strftime, whose names follow the process's locale."""
    return f"{_WEEKDAYS[wall.weekday()]} {wall.day} {_MONTHS[wall.month - 1]} {wall.year}"
