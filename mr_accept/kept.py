"""What is kept of a meeting in the resource's calendar: a request without what its policy leaves out.

Everybody who may read the calendar of a room can read what is kept there, so a policy may take the subject, the body
or the attachments out of it.  Times, ids, versions, organizer, attendees and time zones are never touched, nor is the
message itself (see the policy's processed_requests).  With the body or the subject the alarms go too: their
texts repeat both.

Known limit: a private (X-) property that is not listed here stays.
"""

import re
from collections.abc import Iterable

from mr_accept.grammar import Component, parse_component, split_line
from mr_accept.limits import Limits
from mr_accept.model import CalendarUser, Instance
from mr_accept.policy import BookingPolicy
from mr_accept.reply_calendar import fold
from mr_accept.values import read_text

_SUBJECT = ("SUMMARY",)
_BODY = (
    *("DESCRIPTION", "STYLED-DESCRIPTION", "COMMENT", "CONTACT", "URL", "CONFERENCE"),
    *("STRUCTURED-DATA", "X-ALT-DESC", "X-WR-CALDESC", "X-GOOGLE-CONFERENCE"),
    *("X-MICROSOFT-SKYPETEAMS*", "X-MICROSOFT-ONLINEMEETING*"),
)
_ATTACHMENTS = ("ATTACH", "IMAGE", "X-APPLE-ATTACH*")
_PRIVATE = ("CLASS", "X-CALENDARSERVER-ACCESS")
_LONGEST_NAME = 100  # characters
_NAME = re.compile(r"[A-Za-z0-9-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def kept_source(source: str, policy: BookingPolicy, organizer: CalendarUser, limits: Limits) -> str:
    """Return a VCALENDAR as it is to be kept, folded and with CRLF line ends.

    Where the policy takes nothing out it is the same object.  What was kept once is kept again as it is, and is read by
    parse_meeting like the source, except for what has been taken out.  Raises UnreadableError where the source is not
    readable, or what would be kept too large to be read again.
    """
    dropped = _dropped(policy)
    if not dropped and not policy.organizer_prefix:
        return source
    calendar = parse_component(source, limits)
    kept = _without(calendar, dropped, alarms=not (policy.strip_body or policy.strip_subject))
    if policy.organizer_prefix:
        for event in kept.named("VEVENT"):
            _set_title(event, organizer)
    text = "\r\n".join(fold(line) for line in kept.whole()) + "\r\n"
    parse_component(text, limits)
    return text


def kept_summary(instance: Instance, policy: BookingPolicy) -> str:
    """Return the subject of an instance as it is to be kept, without escapes; empty where nothing of it is."""
    if policy.organizer_prefix:
        return _prefixed("" if policy.strip_subject else instance.summary, instance.organizer)
    return "" if policy.strip_subject else instance.summary


def _dropped(policy: BookingPolicy) -> tuple[str, ...]:
    """The names of the properties that are taken out; `*` stands for the rest of a name."""
    chosen = (
        (policy.strip_subject, _SUBJECT),
        (policy.strip_body, _BODY),
        (policy.strip_attachments, _ATTACHMENTS),
        (policy.remove_private, _PRIVATE),
    )
    return tuple(name for on, names in chosen if on for name in names)


def _without(part: Component, dropped: Iterable[str], *, alarms: bool) -> Component:
    """A component and those inside it without the dropped properties; time zones are left as they are.

    A line without a name means nothing to anybody, and would be read as the end of the line before it.
    """
    if part.name == "VTIMEZONE":
        return part
    lines = [line for line in part.lines if (name := _name_of(line)) and not _among(name, dropped)]
    children = [child for child in part.children if alarms or child.name != "VALARM"]
    inside = [_without(child, dropped, alarms=alarms) for child in children]
    return Component(part.name, lines, inside)


def _name_of(line: str) -> str:
    found = _NAME.match(line)
    return found[0].upper() if found else ""


def _among(name: str, dropped: Iterable[str]) -> bool:
    return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in dropped)


def _set_title(event: Component, organizer: CalendarUser) -> None:
    """Write the organizer's name into the SUMMARY; of several the first counts, as for the booking."""
    place = [number for number, line in enumerate(event.lines) if _name_of(line) == "SUMMARY"]
    subject = read_text(split_line(event.lines[place[0]]).value) if place else ""
    title = f"SUMMARY:{_escaped(_prefixed(subject, organizer))}"
    for number in reversed(place):
        del event.lines[number]
    event.lines.insert(place[0] if place else len(event.lines), title)


def _prefixed(subject: str, organizer: CalendarUser) -> str:
    written = " ".join(_CONTROLS.sub(" ", organizer.name).split())
    name = written[:_LONGEST_NAME].strip() or organizer.written
    subject = subject.strip()
    if not subject or subject == name:
        return name
    return subject if subject.startswith(f"{name}: ") else f"{name}: {subject}"


def _escaped(text: str) -> str:
    r"""Write a TEXT value (RFC 5545 section 3.3.11).

    >>> _escaped("Lunch, then; cake")
    'Lunch\\, then\\; cake'
    """
    for plain in "\\;,":
        text = text.replace(plain, f"\\{plain}")
    return text.replace("\n", "\\n")
