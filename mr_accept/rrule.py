"""Reading RRULE text into a `Rule` (RFC 5545 section 3.3.10, grammar and the notes on each part).

Refused: RSCALE and SKIP (RFC 7529), unknown or repeated parts, and the combinations that the RFC
forbids.  A rule that is half understood would book the wrong days, so nothing here is guessed.
"""

import re

from mr_accept.model import Form, Frequency, Rule, UnreadableError, Until
from mr_accept.values import EARLIEST, LATEST, read_any_time

_WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,4}", re.ASCII)
_MAX_COUNT = 10**9

# part -> (field of Rule, lowest, highest, whether negative numbers and not zero are allowed)
_NUMBER_LISTS = {
    "BYMONTH": ("by_month", 1, 12, False),
    "BYWEEKNO": ("by_week_number", 1, 53, True),
    "BYYEARDAY": ("by_year_day", 1, 366, True),
    "BYMONTHDAY": ("by_month_day", 1, 31, True),
    "BYHOUR": ("by_hour", 0, 23, False),
    "BYMINUTE": ("by_minute", 0, 59, False),
    "BYSECOND": ("by_second", 0, 60, False),
    "BYSETPOS": ("by_set_position", 1, 366, True),
}
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", *_NUMBER_LISTS}


def parse_rule(text: str) -> Rule:
    """Return the rule that `text` (the value of an RRULE property) states.

    Raises UnreadableError when a part is unknown, malformed, out of range or not allowed here.

    >>> parse_rule("FREQ=WEEKLY;COUNT=4;BYDAY=MO,WE").by_day
    ((0, 0), (0, 2))
    """
    parts = _split(text)
    try:
        frequency = Frequency[parts.get("FREQ", "")]
    except KeyError:
        raise _broken(text, "FREQ") from None
    numbers = {
        field: _numbers(text, part, parts[part], low, high, negative)
        for part, (field, low, high, negative) in _NUMBER_LISTS.items()
        if part in parts
    }
    if "by_second" in numbers:  # no leap seconds here: the 60th is read as the 59th
        numbers["by_second"] = tuple(sorted({min(s, 59) for s in numbers["by_second"]}))
    rule = Rule(
        frequency=frequency,
        interval=_positive(text, "INTERVAL", parts.get("INTERVAL", "1")),
        count=_positive(text, "COUNT", parts["COUNT"]) if "COUNT" in parts else None,
        until=_until(text, parts["UNTIL"]) if "UNTIL" in parts else None,
        by_day=_by_day(text, parts["BYDAY"]) if "BYDAY" in parts else (),
        week_start=_week_start(text, parts.get("WKST", "MO")),
        **numbers,
    )
    _refuse_forbidden(text, rule)
    return rule


def _broken(text: str, part: str) -> UnreadableError:
    return UnreadableError(f"the recurrence rule {text[:120]!r} has an unusable {part}")


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in text.strip().upper().split(";"):
        if not piece:
            continue  # a stray semicolon at the end is common and says nothing
        name, equals, value = piece.partition("=")
        if not equals or name not in _KNOWN or name in parts:
            raise _broken(text, name[:20] or "part")
        parts[name] = value
    return parts


def _positive(text: str, part: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 < int(value[:12]) <= _MAX_COUNT:
        raise _broken(text, part)
    return int(value[:12])


def _numbers(
    text: str, part: str, value: str, low: int, high: int, negative: bool
) -> tuple[int, ...]:
    found = set()
    for item in value.split(","):
        if not _NUMBER.fullmatch(item):
            raise _broken(text, part)
        number = int(item)
        if not low <= (abs(number) if negative else number) <= high:
            raise _broken(text, part)
        found.add(number)
    return tuple(sorted(found))


def _by_day(text: str, value: str) -> tuple[tuple[int, int], ...]:
    found = set()
    for item in value.split(","):
        match = _BY_DAY.fullmatch(item)
        if match is None:
            raise _broken(text, "BYDAY")
        ordinal = int(match[1]) if match[1] else 0
        if match[1] and not 1 <= abs(ordinal) <= 53:
            raise _broken(text, "BYDAY")
        found.add((ordinal, _WEEKDAYS[match[2]]))
    return tuple(sorted(found))


def _week_start(text: str, value: str) -> int:
    if value not in _WEEKDAYS:
        raise _broken(text, "WKST")
    return _WEEKDAYS[value]


def _until(text: str, value: str) -> Until:
    try:
        wall, utc, date = read_any_time(value)
    except UnreadableError:
        raise _broken(text, "UNTIL") from None
    form = Form.DATE if date else Form.UTC if utc else Form.FLOATING
    # Some programs write the year 9999 for a series without an end; beyond the bounds nothing can be reckoned.
    return Until(min(max(wall, EARLIEST), LATEST), form)


def _refuse_forbidden(text: str, rule: Rule) -> None:
    """Raise UnreadableError for the combinations that the notes of RFC 5545 3.3.10 rule out."""
    yearly = rule.frequency is Frequency.YEARLY
    monthly = rule.frequency is Frequency.MONTHLY
    ordinals = any(ordinal for ordinal, _ in rule.by_day)
    coarse = (Frequency.MONTHLY, Frequency.WEEKLY, Frequency.DAILY)
    others = (
        rule.by_month,
        rule.by_week_number,
        rule.by_year_day,
        rule.by_month_day,
        rule.by_day,
        rule.by_hour,
        rule.by_minute,
        rule.by_second,
    )
    forbidden = {
        "BYWEEKNO": bool(rule.by_week_number) and not yearly,
        "BYYEARDAY": bool(rule.by_year_day) and rule.frequency in coarse,
        "BYMONTHDAY": bool(rule.by_month_day) and rule.frequency is Frequency.WEEKLY,
        "BYDAY": ordinals and not (monthly or (yearly and not rule.by_week_number)),
        "BYSETPOS": bool(rule.by_set_position) and not any(others),
        "COUNT": rule.count is not None and rule.until is not None,
    }
    for part, wrong in forbidden.items():
        if wrong:
            raise _broken(text, part)
