"""A rule as a value, and how its JSON document becomes one.

    {"name": "lists", "when": {"header": "List-Id", "contains": "announce"},
     "then": [{"move": "Lists"}, "mark-read"], "stop": true, "only_when_oof": false}

`when` is left out for "always", or is a test of a header, `{"larger_than": OCTETS}`, or `all`, `any`, `not` of such.
Headers are compared without case, decoded.  An unknown key is an error: a typo must never turn a rule into one that
matches everything.
"""

import json
from dataclasses import dataclass
from typing import Any

from mailcore.errors import UsageError

VERSION = 1
_TESTS = ("contains", "is", "prefix")
_SIMPLE_ACTIONS = ("delete", "mark-read")
_FOLDER_ACTIONS = ("move", "copy")
_DEEPEST = 20  # conditions within conditions


@dataclass(frozen=True, slots=True)
class HeaderTest:
    """True when some header of that name contains, is or begins with a text (folded)."""

    header: str
    test: str
    text: str


@dataclass(frozen=True, slots=True)
class LargerThan:
    """True when the message has more octets."""

    octets: int


@dataclass(frozen=True, slots=True)
class All:
    """True when every condition is; so true for none at all."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when one of the conditions is."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the condition is not."""

    condition: "Condition"


Condition = HeaderTest | LargerThan | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Action:
    """`kind` is move, copy (to `folder`), delete or mark-read."""

    kind: str
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `stop` ends the processing of rules when it has matched."""

    name: str
    condition: Condition
    actions: tuple[Action, ...]
    stop: bool = False
    only_when_oof: bool = False


def parse_rule(document: str) -> Rule:
    """Read a rule's document; raises UsageError naming the field and what was expected."""
    try:
        data = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"rule: not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise UsageError("rule: expected a JSON object")
    _only(data, "rule", ("name", "when", "then", "stop", "only_when_oof"))
    name = data.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError("rule: name: expected a text")
    actions = data.get("then")
    if not isinstance(actions, list) or not actions:
        raise UsageError(f"rule {name!r}: then: expected a list of actions")
    return Rule(
        name=name,
        condition=_condition(data["when"], f"rule {name!r}: when") if "when" in data else All(()),
        actions=tuple(_action(one, f"rule {name!r}: then") for one in actions),
        stop=_flag(data, "stop", name),
        only_when_oof=_flag(data, "only_when_oof", name),
    )


def _condition(data: Any, where: str, depth: int = 0) -> Condition:
    if depth > _DEEPEST:
        raise UsageError(f"{where}: conditions are nested more than {_DEEPEST} deep")
    if not isinstance(data, dict) or not data:
        raise UsageError(f"{where}: expected an object")
    if "header" in data:
        return _header_test(data, where)
    if len(data) != 1:
        raise UsageError(f"{where}: expected one of header, larger_than, all, any, not")
    (kind, value), *_ = data.items()
    if kind == "larger_than" and isinstance(value, int) and not isinstance(value, bool):
        return LargerThan(value)
    if kind == "not":
        return Not(_condition(value, f"{where}.not", depth + 1))
    if kind in {"all", "any"} and isinstance(value, list):
        inner = tuple(_condition(one, f"{where}.{kind}", depth + 1) for one in value)
        return All(inner) if kind == "all" else AnyOf(inner)
    raise UsageError(f"{where}: {kind}: expected header, larger_than, all, any or not")


def _header_test(data: dict[str, Any], where: str) -> HeaderTest:
    _only(data, where, ("header", *_TESTS))
    tests = [test for test in _TESTS if test in data]
    if len(tests) != 1 or not all(isinstance(value, str) for value in data.values()):
        raise UsageError(f"{where}: expected a header and one of {', '.join(_TESTS)}, all texts")
    return HeaderTest(data["header"], tests[0], data[tests[0]].casefold())


def _action(data: Any, where: str) -> Action:
    if isinstance(data, str) and data in _SIMPLE_ACTIONS:
        return Action(data)
    if isinstance(data, dict) and len(data) == 1:
        (kind, folder), *_ = data.items()
        if kind in _FOLDER_ACTIONS and isinstance(folder, str) and folder:
            return Action(kind, folder)
    raise UsageError(
        f"{where}: {data!r}: expected 'delete', 'mark-read', {{'move': FOLDER}} or {{'copy': FOLDER}}"
    )


def _flag(data: dict[str, Any], key: str, name: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"rule {name!r}: {key}: expected true or false")
    return value


def _only(data: dict[str, Any], where: str, known: tuple[str, ...]) -> None:
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise UsageError(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(known)}")
