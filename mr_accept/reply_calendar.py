"""The VCALENDAR of a REPLY (RFC 5546 section 3.2.3): one VEVENT with the ATTENDEE that answers.

What the organizer's program needs to find its meeting is echoed as it was written: UID,
RECURRENCE-ID, SEQUENCE, times, SUMMARY, ORGANIZER.  Alarms, attachments, descriptions and other
attendees are not.
"""

import re
from collections.abc import Iterator

from mr_accept.grammar import split_line
from mr_accept.model import CalendarUser, Decision, Instance, Meeting, Reason
from mr_accept.values import utc_text

PRODID = "-//kopano-dagent//mr-accept//EN"
_ECHOED = ("UID", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "ORGANIZER")
_KEPT_PARAMETERS = ("CUTYPE", "ROLE", "CN", "EMAIL")
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST_LINE = 75  # octets, without the line end
_NAME = re.compile(r"[A-Za-z0-9-]+")

# RFC 5546 section 3.6
_STATUS = {
    None: "2.0;Success",
    Reason.BUSY: "4.0;Event conflict.  Date-time is busy.",
    Reason.ABSENT: "4.0;Event conflict.  Date-time is busy.",
    Reason.ITSELF: "4.0;Event conflict.  Date-time is busy.",
    Reason.RECURRING: "3.14;Unsupported capability",
}


def compose_calendar(
    meeting: Meeting, instance: Instance, attendee: CalendarUser, decision: Decision, now: int
) -> str:
    """Return the folded VCALENDAR text with CRLF line ends; `now` is in epoch seconds.

    DTSTAMP is the time of the reply (RFC 5545 section 3.8.7.2).
    """
    partstat = "ACCEPTED" if decision.accepted else "DECLINED"
    echo = list(_echo(meeting, instance))
    lines = [
        "BEGIN:VCALENDAR",
        f"PRODID:{PRODID}",
        "VERSION:2.0",
        "METHOD:REPLY",
        *_timezones(meeting, echo),
        "BEGIN:VEVENT",
        f"DTSTAMP:{utc_text(now)}",
        f"SEQUENCE:{instance.sequence}",
        *echo,
        _attendee_line(attendee, partstat),
        f"REQUEST-STATUS:{_STATUS[decision.refusals[0].reason if decision.refusals else None]}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(fold(_CONTROLS.sub(" ", line)) for line in lines)


def fold(line: str) -> str:
    """Fold a content line at 75 octets, never inside a character (RFC 5545 section 3.1).

    >>> fold("X" * 76).split("\\r\\n")[1]
    ' X'
    """
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


def _echo(meeting: Meeting, instance: Instance) -> Iterator[str]:
    """Yield the echoed properties; a time whose zone has no VTIMEZONE to send along is in UTC."""
    in_utc = {
        "DTSTART": utc_text(instance.start.epoch),
        "DTEND": utc_text(instance.start.epoch + instance.duration.seconds),
        "RECURRENCE-ID": instance.recurrence_id,
    }
    for name in _ECHOED:
        text = next((line for line in instance.lines if _name_of(line) == name), None)
        if text is None:
            continue
        tzid = split_line(text).parameters.get("TZID") if name in in_utc else None
        known = tzid is None or tzid.strip('" ') in meeting.timezones
        yield text if known else f"{name}:{in_utc[name]}"


def _name_of(line: str) -> str:
    match = _NAME.match(line)
    return match[0].upper() if match else ""


def _timezones(meeting: Meeting, echo: list[str]) -> Iterator[str]:
    """Yield the lines of the VTIMEZONEs that the echoed properties name."""
    used = {split_line(line).parameters.get("TZID", "").strip('" ') for line in echo}
    for tzid, lines in sorted(meeting.timezones.items()):
        if tzid in used:
            yield from lines


def _attendee_line(attendee: CalendarUser, partstat: str) -> str:
    """The ATTENDEE as invited, with the answer; RSVP and the rest belong to the request."""
    line = split_line(attendee.line)
    parameters = {"PARTSTAT": partstat}
    parameters |= {name: value for name in _KEPT_PARAMETERS if (value := line.parameters.get(name))}
    written = "".join(f";{name}={_quoted(value)}" for name, value in parameters.items())
    return f"ATTENDEE{written}:{line.value}"


def _quoted(value: str) -> str:
    """A parameter value; DQUOTE cannot stand in one (RFC 5545 section 3.2)."""
    if _PLAIN_VALUE.fullmatch(value):
        return value
    plain = _CONTROLS.sub(" ", value).replace('"', "'")
    return f'"{plain}"'
