"""The VCALENDAR of a REPLY (RFC 5546 section 3.2.3): VEVENTs of one UID with the ATTENDEE that answers.

There is one VEVENT, or for a series that is accepted in part its own and one for each declined occurrence.

What the organizer's program needs to find its meeting is echoed as it was written: UID,
RECURRENCE-ID, SEQUENCE, times, SUMMARY, ORGANIZER.  Alarms, attachments, descriptions and other
attendees are not.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mr_accept.decision import Decision, Reason
from mr_accept.grammar import split_line
from mr_accept.model import ONWARDS, CalendarUser, Instance, Meeting
from mr_accept.series_instance import instance_for, line_of
from mr_accept.values import utc_text

PRODID = "-//kopano-dagent//mr-accept//EN"
_ECHOED = ("UID", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "ORGANIZER")
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID")
_KEPT_PARAMETERS = ("CUTYPE", "ROLE", "CN", "EMAIL")
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST_LINE = 75  # octets, without the line end

# RFC 5546 section 3.6
_SUCCESS = "2.0;Success"
_BAD_TIME = "3.5;Invalid date or time"
_NO_AUTHORITY = "3.8;No authority"
_UNSUPPORTED = "3.14;Unsupported capability"
_CONFLICT = "4.0;Event conflict.  Date-time is busy."
_STATUS = {
    Reason.ABSENT: _CONFLICT,
    Reason.EXTERNAL: _NO_AUTHORITY,
    Reason.NOT_ALLOWED: _NO_AUTHORITY,
    Reason.RECURRING: _UNSUPPORTED,
    Reason.PAST: _BAD_TIME,
    Reason.BEYOND_WINDOW: _BAD_TIME,
    Reason.TOO_SOON: _BAD_TIME,
    Reason.TOO_SHORT: _BAD_TIME,
    Reason.TOO_LONG: _BAD_TIME,
    Reason.OUTSIDE_HOURS: _BAD_TIME,
    Reason.SERIES_TOO_LONG: "3.6;Invalid rule",
    Reason.TOO_MANY_PEOPLE: _UNSUPPORTED,
    Reason.BUSY: _CONFLICT,
    Reason.ITSELF: _CONFLICT,
}


class _Answered(NamedTuple):
    """One VEVENT of the reply: what it is about, the PARTSTAT, and each REQUEST-STATUS."""

    instance: Instance
    partstat: str
    statuses: tuple[str, ...]


def compose_calendar(
    meeting: Meeting,
    instance: Instance,
    attendee: CalendarUser,
    decision: Decision,
    now: int,
    *,
    partial: bool = True,
) -> str:
    """Return the folded VCALENDAR text with CRLF line ends; `now` is in epoch seconds.

    Of a series that is accepted in part each declined occurrence follows the series, unless `partial` is false.
    DTSTAMP is the time of the reply (RFC 5545 section 3.8.7.2).
    """
    answered = [_answered(instance, decision)]
    several = instance.recurring or instance.recurrence_id.endswith(ONWARDS)
    if partial and several and decision.accepted:
        for clash in decision.clashes:
            lacking = instance_for(meeting, instance, clash)
            answered.append(_Answered(lacking, "DECLINED", (_CONFLICT,)))
    tzids = _Tzids()
    attendees = {
        partstat: _attendee_line(attendee, partstat) for partstat in ("ACCEPTED", "DECLINED")
    }
    events: list[str] = []
    for one in answered:
        echo = list(_echo(meeting, one.instance, tzids))
        events += _event(one, echo, attendees[one.partstat], now)
    lines = [
        "BEGIN:VCALENDAR",
        f"PRODID:{PRODID}",
        "VERSION:2.0",
        "METHOD:REPLY",
        *_timezones(meeting, events, tzids),
        *events,
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(fold(_CONTROLS.sub(" ", line)) for line in lines)


def fold(line: str) -> str:
    """Fold a content line at 75 octets, never inside a character (RFC 5545 section 3.1).

    >>> fold("X" * 76).split("\\r\\n")[1]
    ' X'
    """
    if len(line) <= _LONGEST_LINE and line.isascii():
        return line
    pieces: list[str] = []
    piece: list[str] = []
    size = 0
    for character in line:
        width = len(character.encode("utf-8", "replace"))
        if size + width > _LONGEST_LINE:
            pieces.append("".join(piece))
            piece, size = [" "], 1
        piece.append(character)
        size += width
    return "\r\n".join([*pieces, "".join(piece)])


def _answered(instance: Instance, decision: Decision) -> _Answered:
    if decision.accepted:
        return _Answered(instance, "ACCEPTED", (_SUCCESS,))
    statuses = dict.fromkeys(_STATUS[refusal.reason] for refusal in decision.refusals)
    return _Answered(instance, "DECLINED", tuple(statuses) or (_CONFLICT,))


def _event(answered: _Answered, echo: Iterable[str], attendee: str, now: int) -> Iterator[str]:
    """Yield the lines of one VEVENT."""
    yield "BEGIN:VEVENT"
    yield f"DTSTAMP:{utc_text(now)}"
    yield f"SEQUENCE:{answered.instance.sequence}"
    yield from echo
    yield attendee
    for status in answered.statuses:
        yield f"REQUEST-STATUS:{status}"
    yield "END:VEVENT"


class _Tzids:
    """The TZID that a time has; the occurrences of a series have the same, and splitting a line is slow."""

    def __init__(self) -> None:
        self._found: dict[str, str | None] = {}

    def of(self, line: str) -> str | None:
        """The TZID of a property whose value is a time, None where it has none."""
        head = line.rpartition(":")[0]
        if head not in self._found:
            tzid = split_line(line).parameters.get("TZID") if ";" in head else None
            self._found[head] = None if tzid is None else tzid.strip('" ')
        return self._found[head]


def _echo(meeting: Meeting, instance: Instance, tzids: _Tzids) -> Iterator[str]:
    """Yield the echoed properties; a time whose zone has no VTIMEZONE to send along is in UTC."""
    for name in _ECHOED:
        text = line_of(instance, name)
        if not text:
            continue
        tzid = tzids.of(text) if name in _TIMES else None
        known = tzid is None or tzid in meeting.timezones
        yield text if known else f"{name}{_in_utc(name, instance)}"


def _in_utc(name: str, instance: Instance) -> str:
    """The end of a property line that is a time."""
    if name == "RECURRENCE-ID":
        onwards = instance.recurrence_id.endswith(ONWARDS)
        range_ = ";RANGE=THISANDFUTURE" if onwards else ""
        return f"{range_}:{instance.recurrence_id.removesuffix(ONWARDS)}"
    length = instance.duration.seconds if name == "DTEND" else 0
    return f":{utc_text(instance.start.epoch + length)}"


def _timezones(meeting: Meeting, echoed: Iterable[str], tzids: _Tzids) -> Iterator[str]:
    """Yield the lines of the VTIMEZONEs that the echoed times name."""
    used = {tzids.of(line) for line in echoed if line.upper().startswith(_TIMES)}
    for tzid, lines in sorted(meeting.timezones.items()):
        if tzid in used:
            yield from lines


def _attendee_line(attendee: CalendarUser, partstat: str) -> str:
    """The ATTENDEE as invited, with the answer; RSVP and the rest belong to the request.

    A delegate names in each reply whose place it has taken (RFC 5546 section 3.2.2.3).
    """
    line = split_line(attendee.line)
    parameters = {"PARTSTAT": partstat}
    parameters |= {name: value for name in _KEPT_PARAMETERS if (value := line.parameters.get(name))}
    written = "".join(f";{name}={_quoted(value)}" for name, value in parameters.items())
    if delegators := line.parameters.get("DELEGATED-FROM"):
        written += f";DELEGATED-FROM={','.join(map(_quoted, delegators.split(',')))}"
    return f"ATTENDEE{written}:{line.value}"


def _quoted(value: str) -> str:
    """A parameter value; DQUOTE cannot stand in one (RFC 5545 section 3.2)."""
    if _PLAIN_VALUE.fullmatch(value):
        return value
    plain = _CONTROLS.sub(" ", value).replace('"', "'")
    return f'"{plain}"'
