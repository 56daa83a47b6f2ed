"""Reading the fields of a rule's document, and the error that names the rule, the field and the fix."""

import re
import reprlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from mailcore.errors import UsageError

ONE_LINE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+"
"""A text that people read in one line."""
HEADER_NAME = r"[!-9;-~]+"
"""The name of a header field (RFC 5322 section 2.2)."""
_LOCAL_PART = r'[^\s\u0000-\u0020\u007f-\u009f<>()\[\]\\,;:@"]+'
_LABEL = r"[^\s\u0000-,./:-@\[-^`{-\u009f]+"
ADDRESS = rf"{_LOCAL_PART}@{_LABEL}(\.{_LABEL})*"
"""An address as mailcore.path reads it, without quotes and address literals."""
ADDRESS_OR_DOMAIN = rf"({_LOCAL_PART})?@{_LABEL}(\.{_LABEL})*"
KEYWORD = r"[!#$&'+,.\/0-9:;<=>?@A-Z\[^_`a-z|}~-]+"
"""An atom of IMAP, which is what a keyword is (RFC 9051 section 9)."""
MEDIA_TYPE = r"[a-z0-9!#$&^_.+-]+\/([a-z0-9!#$&^_.+-]+|\*)"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})"
"""A date with its time and zone (RFC 3339)."""
LONGEST_ADDRESS = 254  # characters (RFC 5321 section 4.5.3.1.3)

_Read = TypeVar("_Read")


class RuleError(UsageError):
    """A document that is no rule: `rule` is its name where that can be read, `field` what is wrong with it."""

    def __init__(self, rule: str, field: str, reason: str) -> None:
        words = [f"rule {rule!r}" if rule else "rule", field, reason]
        super().__init__(": ".join(filter(None, words)))
        self.rule = rule
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which rule's document the reader is, for the error."""

    rule: str
    field: str = ""

    def below(self, key: str) -> "Place":
        """The field of that name here."""
        return Place(self.rule, f"{self.field}.{key}" if self.field else key)

    def item(self, number: int) -> "Place":
        """The item of that number, from 0, in the list that is here."""
        return Place(self.rule, f"{self.field}[{number}]")

    def error(self, reason: str) -> RuleError:
        """The error that something is wrong here."""
        return RuleError(self.rule, self.field, reason)


def shown(value: object) -> str:
    """What was found, short enough for an error."""
    return reprlib.repr(value)


def only(data: dict[str, Any], place: Place, known: Collection[str]) -> None:
    """Refuse keys that nobody knows: a typo must never turn a rule into one that matches everything."""
    unknown = sorted(set(data).difference(known))
    if unknown:
        names = ", ".join(unknown)
        raise place.error(f"unknown {reprlib.repr(names)[1:-1]}; known: {', '.join(known)}")


def read_flag(data: dict[str, Any], key: str, place: Place, *, default: bool = False) -> bool:
    """A field that is true or false, or left out."""
    value = data.get(key, default)
    if not isinstance(value, bool):
        raise place.below(key).error(f"{shown(value)}: expected true or false")
    return value


def read_number(
    value: Any, place: Place, *, least: int | None = None, most: int | None = None
) -> int:
    """A whole number within bounds."""
    if isinstance(value, float) and value.is_integer():  # 1.0 is whole for JSON Schema too
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or (least is not None and value < least) or (most is not None and value > most):
        between = "" if least is None else f" from {least} to {most}"
        raise place.error(f"{shown(value)}: expected a whole number{between}")
    return int(value)


def read_choice(value: Any, place: Place, choices: Collection[str]) -> str:
    """One of some words."""
    if isinstance(value, str) and value in choices:
        return value
    raise place.error(f"{shown(value)}: expected {' or '.join(choices)}")


def read_text(value: Any, place: Place, pattern: str, expected: str) -> str:
    """A text that a pattern describes."""
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise place.error(f"{shown(value)}: expected {expected}")


def read_line(value: Any, place: Place, expected: str) -> str:
    """A text of one line that is not empty."""
    return read_text(value, place, ONE_LINE, f"{expected}, a text of one line")


def read_some(value: Any, place: Place, read: Callable[[Any, Place], _Read]) -> tuple[_Read, ...]:
    """One value or a list of at least one; in the order of the document, each once."""
    if not isinstance(value, list):
        return (read(value, place),)
    if not value:
        raise place.error("expected at least one")
    return tuple(dict.fromkeys(read(one, place.item(n)) for n, one in enumerate(value)))
