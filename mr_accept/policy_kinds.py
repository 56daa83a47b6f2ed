"""How the values of a resource's rules for booking are written: numbers, switches, days, hours, names, texts.

A kind reads what an administrator types and writes the one form that is kept; writing what was read and reading it
again changes nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mr_accept.holidays import check_holidays
from mr_accept.model import UnreadableError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)
_LONGEST_NAME = 254  # characters, as an address (RFC 5321 with its erratum 1690)
_LONGEST_TEXT = 10_000  # characters
_MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: `read` raises ValueError, with a text where there is more to say than `expected`."""

    expected: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]


def declared(
    default: Any,
    kind: Kind,
    meaning: str,
    *,
    example: str,
    unit: str = "",
    of_file: bool = False,
) -> Any:
    """Declare one key of the policy: its default, how it is written, its meaning, an example and its unit.

    `of_file`: a value `@FILE` stands for the text in a file.
    """
    said = {"kind": kind, "meaning": meaning, "example": example, "unit": unit, "of_file": of_file}
    return field(default=default, metadata=said)


def number(most: int) -> Kind:
    """A whole number from 0 on."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most):
            raise ValueError
        return int(text)

    return Kind(f"a whole number from 0 to {most}", read, str)


def limit(most: int) -> Kind:
    """A whole number from 0 on, or none, which is not 0."""
    whole = number(most)

    def read(text: str) -> int | None:
        return None if text.lower() == "none" else whole.read(text)

    return Kind(whole.expected, read, lambda value: "" if value is None else str(value))


def choice(*words: str) -> Kind:
    """One of some words."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return Kind(" or ".join(words), read, str)


def _read_switch(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError
    return text.lower() == "yes"


def _write_switch(value: bool) -> str:
    return "yes" if value else "no"


def _read_days(text: str) -> frozenset[int]:
    """Days with commas between them; mon-fri stands for all from one day to the other."""
    days: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = (word.strip()[:3] for word in part.partition("-"))
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            raise ValueError
        begin, end = DAYS.index(first), DAYS.index(last)
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


def _write_days(value: frozenset[int]) -> str:
    return ",".join(DAYS[day] for day in sorted(value))


def _read_hours(text: str) -> tuple[int, int]:
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError
    hours = [int(part) for part in match.groups()]
    begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if max(hours[1], hours[3]) > 59 or max(begin, end) > 1440:
        raise ValueError
    if begin >= end:
        raise ValueError("it ends before it begins; hours over midnight are not supported")
    return begin, end


def _write_hours(value: tuple[int, int] | None) -> str:
    if value is None:
        return ""
    begin, end = value
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def _read_names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(filter(None, (name.strip() for name in text.split(",")))))
    if not names:
        raise ValueError
    if len(names) > _MOST_NAMES:
        raise ValueError(f"at most {_MOST_NAMES} names; a group can hold more")
    for name in names:
        local, at, domain = name.rpartition("@")
        if not name.isprintable() or len(name) > _LONGEST_NAME or set(name) & set('<>"'):
            raise ValueError(f"{name[:80]!r} is no name and no address")
        if at and (not domain or "@" in local or " " in name):
            raise ValueError(f"{name!r} is no address")
    return names


def _read_addresses(text: str) -> tuple[str, ...]:
    addresses = _read_names(text)
    for address in addresses:
        if not address.partition("@")[0] or "@" not in address:
            raise ValueError(f"{address!r} is no address")
    return addresses


def _write_names(value: tuple[str, ...]) -> str:
    return ", ".join(value)


def _read_text(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"it is longer than {_LONGEST_TEXT} characters")
    if "\0" in text:
        raise ValueError("it contains a NUL")
    return text.strip()


def _read_calendar(text: str) -> str:
    try:
        check_holidays(text)
    except UnreadableError as error:
        raise ValueError(str(error)) from error
    return text


SWITCH = Kind("yes or no", _read_switch, _write_switch)
WEEKDAYS = Kind("weekdays such as mon,tue,fri or mon-fri", _read_days, _write_days)
HOURS = Kind("hours of one day, HH:MM-HH:MM", _read_hours, _write_hours)
NAMES = Kind(
    "addresses, names of users or groups, or @domains, with commas between them",
    _read_names,
    _write_names,
)
ADDRESSES = Kind("addresses with commas between them", _read_addresses, _write_names)
TEXT = Kind("a text", _read_text, str)
CALENDAR = Kind("an iCalendar file with days off, as @FILE", _read_calendar, str)
