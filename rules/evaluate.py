"""Evaluating rules: which actions a message asks for, and which rule asked.  Pure; nothing is done here."""

from collections.abc import Iterable
from dataclasses import dataclass

from mailcore.view import MessageView
from rules.model import Action, All, AnyOf, Condition, HeaderTest, LargerThan, Not, Rule


@dataclass(frozen=True, slots=True)
class Matched:
    """A rule that matched."""

    rule: str
    actions: tuple[Action, ...]


def evaluate(view: MessageView, rules: Iterable[Rule], *, oof_active: bool) -> tuple[Matched, ...]:
    """Return what the rules ask for, in their order.

    Delete ends the processing, and so does a rule with `stop`; rules only for out-of-office run when it is active.
    """
    matched: list[Matched] = []
    for rule in rules:
        if rule.only_when_oof and not oof_active:
            continue
        if not matches(rule.condition, view):
            continue
        matched.append(Matched(rule.name, rule.actions))
        if rule.stop or any(action.kind == "delete" for action in rule.actions):
            break
    return tuple(matched)


def matches(condition: Condition, view: MessageView) -> bool:
    """Whether a condition is true of a message."""
    match condition:
        case HeaderTest(header, test, text):
            return any(_compare(test, value.casefold(), text) for value in view.headers(header))
        case LargerThan(octets):
            return len(view.raw) > octets
        case All(conditions):
            return all(matches(one, view) for one in conditions)
        case AnyOf(conditions):
            return any(matches(one, view) for one in conditions)
        case Not(inner):
            return not matches(inner, view)


def _compare(test: str, value: str, text: str) -> bool:
    if test == "is":
        return value == text
    return value.startswith(text) if test == "prefix" else text in value
