"""The outer grammar of iCalendar: content lines and components (RFC 5545 sections 3.1 and 3.6).

Splitting a property line into name, parameters and value is icalendar's work.  Its typed values are
not used: it resolves TZIDs through a table shared by the whole process, where one mail's VTIMEZONE
would be applied to another's times.  Only the properties somebody asks for are split, so a megabyte
of inline attachment costs nothing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from icalendar import Event
from icalendar.parser import Contentline

from mr_accept.limits import Budget, Limits
from mr_accept.model import UnreadableError

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_TZID = re.compile(r';TZID=(?:"[^"]*"|[^";:]*)', re.IGNORECASE)
_LEAP_SECOND = re.compile(
    r"(?<=\d{8}T\d{4})60"
)  # valid (RFC 5545 3.3.12), and read as the 59th here
_DEEPEST = 4  # VCALENDAR, VEVENT, VALARM and one to spare
_LONGEST_SPLIT = 200_000  # characters of a property that is asked for
_LONGEST_JUDGED = 20_000  # characters of a line that icalendar is asked about
_JUDGED_AT_ONCE = 50_000  # characters; the deadline is asked between such portions
# None of these bears on when and where a meeting is; attendees are read line by line anyway.
_NOT_JUDGED = (
    "X-",
    "ATTACH",
    "ATTENDEE",
    "DESCRIPTION",
    "COMMENT",
    "CONTACT",
    "CATEGORIES",
    "CONFERENCE",
)

_content_line: Callable[[str], Contentline] = Contentline  # its constructor has no annotations


class Line(NamedTuple):
    """One unfolded property line; parameter names are upper case, lists are joined by `,`."""

    name: str
    parameters: dict[str, str]
    value: str
    text: str


@dataclass(slots=True)
class Component:
    """One BEGIN ... END block: its own unfolded property lines, and the blocks inside it."""

    name: str
    lines: list[str] = field(default_factory=list)
    children: list["Component"] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Line]:
        """Yield the properties called `name` in order; raises UnreadableError if malformed."""
        for text in self.lines:
            if _property_name(text) == name:
                yield split_line(text)

    def first(self, name: str) -> Line | None:
        """Return the property called `name`, or None; raises UnreadableError if repeated."""
        found = self.all(name)
        line = next(found, None)
        if next(found, None) is not None:
            raise UnreadableError(f"{self.name} has more than one {name}")
        return line

    def named(self, name: str) -> list["Component"]:
        """Return the blocks called `name` directly inside this one."""
        return [child for child in self.children if child.name == name]

    def whole(self) -> Iterator[str]:
        """Yield the unfolded lines of the block with its BEGIN, END and everything inside."""
        yield f"BEGIN:{self.name}"
        yield from self.lines
        for child in self.children:
            yield from child.whole()
        yield f"END:{self.name}"


def parse_component(text: str, limits: Limits) -> Component:
    """Return the one VCALENDAR that `text` holds.

    Raises UnreadableError when blocks do not nest, when there is not exactly one VCALENDAR, or when
    the text has more blocks or characters than `limits` allows.
    """
    if len(text) > limits.max_source:
        raise UnreadableError("too costly: the calendar part is too large")
    stack = [Component("")]
    blocks = 0
    lines = _LINE_END.split(_FOLD.sub("", text.removeprefix("\ufeff")))
    if len(lines) > limits.max_lines:
        raise UnreadableError("too costly: the calendar has too many lines")
    for line in lines:
        name = _property_name(line)
        if name == "BEGIN":
            blocks += 1
            if blocks > limits.max_components or len(stack) > _DEEPEST:
                raise UnreadableError("too costly: the calendar has too many components")
            child = Component(line[6:].strip().upper())
            stack[-1].children.append(child)
            stack.append(child)
        elif name == "END":
            if len(stack) == 1 or stack.pop().name != line[4:].strip().upper():
                raise UnreadableError("the components of the calendar do not nest")
        elif line.strip():
            stack[-1].lines.append(line)
    root = stack[0]
    if len(stack) > 1 or root.lines or [child.name for child in root.children] != ["VCALENDAR"]:
        raise UnreadableError("the part does not hold exactly one complete VCALENDAR")
    return root.children[0]


def judge_event(event: Component, limits: Limits) -> None:
    """Raise UnreadableError when icalendar finds a property of this VEVENT that it cannot read.

    Alarms, attendees, private (X-) properties and texts that do not matter for a booking are not
    shown to it; nor are TZIDs, which it would look up, and remember, for the whole process.
    """
    shown: list[str] = []
    size = 0
    for line in event.lines:
        if line.upper().startswith(_NOT_JUDGED) or len(line) > _LONGEST_JUDGED:
            continue
        shown.append(_LEAP_SECOND.sub("59", _TZID.sub("", line)))
        size += len(line)
        if size > _JUDGED_AT_ONCE:
            _judge(shown, limits)
            shown, size = [], 0
    _judge(shown, limits)


def _judge(lines: list[str], limits: Limits) -> None:
    Budget(limits).check_time()
    block = "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""])
    try:
        errors = Event.from_ical(block).errors
    except (ValueError, TypeError, KeyError, IndexError, AssertionError, OverflowError) as error:
        raise UnreadableError(f"the VEVENT cannot be read: {_one_line(str(error))}") from error
    for name, problem in errors:
        raise UnreadableError(f"the VEVENT has a broken {name or 'line'}: {_one_line(problem)}")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _property_name(line: str) -> str:
    match = _NAME.match(line)
    return match[0].upper() if match else ""


def split_line(text: str) -> Line:
    """Return an unfolded property line in its parts; raises UnreadableError."""
    if len(text) > _LONGEST_SPLIT:
        raise UnreadableError("too costly: a property is too long")
    try:
        name, parameters, value = _content_line(text).raw_parts()
    except ValueError as error:
        raise UnreadableError(f"a property line cannot be read: {text[:80]!r}") from error
    plain = {
        str(key).upper(): ",".join(map(str, item)) if isinstance(item, list) else str(item)
        for key, item in parameters.items()
    }
    return Line(str(name).upper(), plain, str(value).strip(), text)
