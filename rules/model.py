"""A rule as a value, and how its JSON document becomes one.

    {"name": "lists", "when": {"header": "List-Id", "contains": "announce"},
     "then": [{"move": "Lists"}, "mark-read"], "stop": true, "only_when_oof": false}

docs/rules.md describes the document, docs/rule.schema.json is its JSON Schema.  An unknown key is an error, and so is
one that comes twice: a typo must never turn a rule into one that matches everything.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, Protocol

from rules.actions import Action, Delete
from rules.conditions import ALWAYS, Condition
from rules.fields import ONE_LINE, Place, RuleError, only, read_flag, read_line, read_number, shown
from rules.read_action import read_action
from rules.read_condition import read_condition

VERSION = 1
"""Of the document; it changes only when what is written there comes to mean something else."""
LARGEST_SEQUENCE = 2**31 - 1
_KEYS = (
    *("version", "name", "provider", "sequence", "enabled"),
    *("only_when_oof", "when", "then", "stop"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Rules run in ascending `sequence`; 0 means that the document names none.  `stop` ends the ordinary rules when it
    has matched.  `provider` says which program has written the rule.  `id` is that of the store, 0 outside it.
    """

    name: str
    condition: Condition
    actions: tuple[Action, ...]
    stop: bool = False
    only_when_oof: bool = False
    enabled: bool = True
    sequence: int = 0
    provider: str = ""
    id: int = 0
    deletes: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        deletes = any(isinstance(action, Delete) for action in self.actions)
        object.__setattr__(self, "deletes", deletes)


class StoredDocument(Protocol):
    """A rule as it lies in the store; what the row says of order and use counts, not what the document says."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def sequence(self) -> int: ...  # noqa: D102
    @property
    def enabled(self) -> bool: ...  # noqa: D102
    @property
    def document(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class BadRule:
    """A stored document that is no rule: its id, its name where that can be read, the field, and the whole error."""

    id: int
    name: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedRules:
    """The rules of a mailbox in the order in which they run, and what cannot be read."""

    rules: tuple[Rule, ...]
    bad: tuple[BadRule, ...]


def parse_rules(stored: Iterable[StoredDocument]) -> ParsedRules:
    """Read all rules of a mailbox; a bad one hurts none of the others, and nothing is raised."""
    read = [_parse_stored(one) for one in stored]
    rules = [one for one in read if isinstance(one, Rule)]
    rules.sort(key=lambda rule: rule.sequence)
    return ParsedRules(tuple(rules), tuple(one for one in read if isinstance(one, BadRule)))


def _parse_stored(stored: StoredDocument) -> Rule | BadRule:
    try:
        rule = parse_rule(stored.document)
    except RuleError as error:
        return BadRule(stored.id, error.rule, error.field, str(error))
    return replace(rule, id=stored.id, sequence=stored.sequence, enabled=stored.enabled)


def parse_rule(document: str) -> Rule:
    """Read a rule's document; raises RuleError (a UsageError) naming the rule, the field and what was expected."""
    data = _load(document)
    if not isinstance(data, dict):
        raise RuleError("", "", "expected a JSON object")
    name = data.get("name")
    place = Place(name if isinstance(name, str) and re.fullmatch(ONE_LINE, name) else "")
    only(data, place, _KEYS)
    if not place.rule:
        raise place.below("name").error("expected a text of one line")
    version = read_number(data.get("version", VERSION), place.below("version"))
    if version != VERSION:
        raise place.below("version").error(f"{version}: this program knows version {VERSION}")
    actions, stops = _read_then(data.get("then"), place.below("then"))
    when = place.below("when")
    return Rule(
        name=place.rule,
        condition=read_condition(data["when"], when) if "when" in data else ALWAYS,
        actions=actions,
        stop=read_flag(data, "stop", place) or stops,
        only_when_oof=read_flag(data, "only_when_oof", place),
        enabled=read_flag(data, "enabled", place, default=True),
        sequence=read_number(
            data.get("sequence", 0), place.below("sequence"), least=0, most=LARGEST_SEQUENCE
        ),
        provider=_read_provider(data, place),
    )


def _load(document: str) -> Any:
    try:
        data = json.loads(
            document, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant
        )
        # A lone surrogate can be written in JSON, but is no character and could not be stored.
        json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RuleError("", "", f"not valid JSON: {error}") from error
    return data


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shown(twice)} comes twice in one object")
    return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _read_then(data: Any, place: Place) -> tuple[tuple[Action, ...], bool]:
    """The actions, and whether "stop" is among them."""
    if not isinstance(data, list) or not data:
        raise place.error("expected a list of actions")
    actions = tuple(
        read_action(one, place.item(number)) for number, one in enumerate(data) if one != "stop"
    )
    return actions, "stop" in data


def _read_provider(data: dict[str, Any], place: Place) -> str:
    if "provider" not in data:
        return ""
    return read_line(data["provider"], place.below("provider"), "the name of a program")
