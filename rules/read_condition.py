"""How the condition in a rule's document becomes a value; docs/rules.md describes the document."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from mailcore.address import address_key
from rules.conditions import (
    COMPARISONS,
    DATES,
    LEVELS,
    TESTS,
    Address,
    All,
    AnyOf,
    AttachmentType,
    Compare,
    Condition,
    Content,
    Exists,
    Flags,
    Meeting,
    Not,
)
from rules.fields import (
    ADDRESS_OR_DOMAIN,
    HEADER_NAME,
    LONGEST_ADDRESS,
    MEDIA_TYPE,
    MOMENT,
    Place,
    only,
    read_choice,
    read_number,
    read_some,
    read_text,
    shown,
)
from rules.folding import Folding, fold
from rules.message import ADDRESS_PLACES, MAIL_FLAGS, MY_FLAGS, NUMBERS, TEXT_PLACES

DEEPEST = 20
"""Conditions within conditions."""
METHODS = ("PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER")
FLAGS = (*MAIL_FLAGS, *MY_FLAGS)
TEXTS = ("subject", *TEXT_PLACES)
_TEXT_KEYS = (*TESTS, "case", "accents")


def read_condition(data: Any, place: Place, depth: int = 0) -> Condition:
    """Read a condition; raises RuleError naming the field and what was expected."""
    if depth > DEEPEST:
        raise place.error(f"conditions are nested more than {DEEPEST} deep")
    if isinstance(data, str):
        return Flags((read_choice(data, place, FLAGS),))
    if not isinstance(data, dict) or not data:
        raise place.error(f"{shown(data)}: expected an object or the name of a flag")
    inner = [key for key in _COMBINING if key in data]
    kinds = [key for key in _READERS if key in data] + inner
    if len(kinds) != 1:
        known = ", ".join((*_READERS, *_COMBINING))
        raise place.error(f"{shown(sorted(data))}: expected exactly one of {known}")
    if inner:
        only(data, place, inner)
        return _COMBINING[inner[0]](data[inner[0]], place.below(inner[0]), depth + 1)
    return _READERS[kinds[0]](data, place)


def _read_not(data: Any, place: Place, depth: int) -> Condition:
    return Not(read_condition(data, place, depth))


def _read_list(data: Any, place: Place, depth: int) -> tuple[Condition, ...]:
    if not isinstance(data, list):
        raise place.error(f"{shown(data)}: expected a list of conditions")
    return tuple(read_condition(one, place.item(n), depth) for n, one in enumerate(data))


def _read_header(data: dict[str, Any], place: Place) -> Condition:
    only(data, place, ("header", *_TEXT_KEYS))
    return _content(f"{_header_name(data, 'header', place)}:", data, place)


def _read_property(data: dict[str, Any], place: Place) -> Condition:
    name = read_choice(data["property"], place.below("property"), (*TEXTS, *NUMBERS))
    if name not in TEXTS:
        only(data, place, ("property", *COMPARISONS))
        comparison = _one_of(data, place, COMPARISONS)
        return Compare(name, comparison, _number(name, data[comparison], place.below(comparison)))
    only(data, place, ("property", *_TEXT_KEYS))
    return _content("subject:" if name == "subject" else name, data, place)


def _content(where: str, data: dict[str, Any], place: Place) -> Content:
    folding = Folding(
        case=_counts(data, "case", place, default="ignore"),
        accents=_counts(data, "accents", place, default="exact"),
    )
    test = _one_of(data, place, TESTS)
    text = data[test]
    if not isinstance(text, str):
        raise place.below(test).error(f"{shown(text)}: expected a text")
    folded = fold(text, folding)
    if text and not folded:
        raise place.below(test).error(f"{shown(text)}: nothing of it counts in a comparison")
    return Content(where, test, folded, folding)


def _counts(data: dict[str, Any], key: str, place: Place, *, default: str) -> bool:
    return read_choice(data.get(key, default), place.below(key), ("ignore", "exact")) == "exact"


def _one_of(data: dict[str, Any], place: Place, keys: dict[str, Any]) -> str:
    found = [key for key in keys if key in data]
    if len(found) != 1:
        raise place.error(f"{shown(sorted(data))}: expected exactly one of {', '.join(keys)}")
    return found[0]


def _number(name: str, value: Any, place: Place) -> float:
    if levels := LEVELS.get(name):
        return levels.index(read_choice(value, place, levels))
    if name in DATES:
        return _moment(value, place)
    if name == "spam_score" and isinstance(value, float):
        return value
    return read_number(value, place)


def _moment(value: Any, place: Place) -> float:
    expected = "a date with time and zone, such as 2030-01-31T08:00:00+01:00"
    written = read_text(value, place, MOMENT, expected)
    try:
        return datetime.fromisoformat(written).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise place.error(f"{shown(value)}: expected {expected}") from None


def _header_name(data: dict[str, Any], key: str, place: Place) -> str:
    expected = "the name of a header, such as List-Id"
    return read_text(data[key], place.below(key), HEADER_NAME, expected).lower()


def _read_exists(data: dict[str, Any], place: Place) -> Condition:
    only(data, place, ("exists",))
    return Exists(_header_name(data, "exists", place))


def _read_larger(data: dict[str, Any], place: Place) -> Condition:
    only(data, place, ("larger_than",))
    return Compare("size", "gt", read_number(data["larger_than"], place.below("larger_than")))


def _read_flags(key: str, data: dict[str, Any], place: Place) -> Condition:
    only(data, place, (key,))
    read_one = partial(read_choice, choices=FLAGS)
    return Flags(read_some(data[key], place.below(key), read_one), unset=key == "no_flag")


def _read_address(data: dict[str, Any], place: Place) -> Condition:
    only(data, place, ("address", "in"))
    if "in" not in data:
        raise place.error(f"expected 'in' with {' or '.join(ADDRESS_PLACES)}")
    read_place = partial(read_choice, choices=ADDRESS_PLACES)
    return Address(
        frozenset(read_some(data["address"], place.below("address"), _read_who)),
        read_some(data["in"], place.below("in"), read_place),
    )


def _read_who(value: Any, place: Place) -> str:
    expected = "an address, or a domain with @ before it"
    written = read_text(value, place, ADDRESS_OR_DOMAIN, expected)
    if len(written) > LONGEST_ADDRESS:
        raise place.error(f"{shown(value)}: longer than {LONGEST_ADDRESS} characters")
    return address_key(written)


def _read_attachment_type(data: dict[str, Any], place: Place) -> Condition:
    only(data, place, ("attachment_type",))
    expected = "a media type in lower case, such as application/pdf or image/*"
    at = place.below("attachment_type")
    return AttachmentType(read_text(data["attachment_type"], at, MEDIA_TYPE, expected))


def _read_meeting(data: dict[str, Any], place: Place) -> Condition:
    only(data, place, ("meeting",))
    return Meeting(read_choice(data["meeting"], place.below("meeting"), METHODS))


_READERS: dict[str, Callable[[dict[str, Any], Place], Condition]] = {
    "header": _read_header,
    "property": _read_property,
    "exists": _read_exists,
    "address": _read_address,
    "any_flag": partial(_read_flags, "any_flag"),
    "no_flag": partial(_read_flags, "no_flag"),
    "attachment_type": _read_attachment_type,
    "meeting": _read_meeting,
    "larger_than": _read_larger,
}
_COMBINING: dict[str, Callable[[Any, Place, int], Condition]] = {
    "all": lambda data, place, depth: All(_read_list(data, place, depth)),
    "any": lambda data, place, depth: AnyOf(_read_list(data, place, depth)),
    "not": _read_not,
}
