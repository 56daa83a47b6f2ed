"""Explaining rules: the same truth as rules.evaluate, with the reason of everything.  Pure; nothing is done here."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from rules.conditions import All, AnyOf, Condition, Not
from rules.message import Folded, Me, Situation
from rules.model import Rule


class Fate(Enum):
    """What became of a rule."""

    OBEYED = "matches"
    NOT_MET = "does not match"
    DISABLED = "is disabled"
    NOT_AWAY = "is only for out-of-office, which is not active"
    STOPPED = "is not looked at: an earlier rule has stopped the ordinary rules"
    NOTHING_LEFT = "is not looked at: an earlier rule has deleted the mail"


@dataclass(frozen=True, slots=True)
class Seen:
    """A condition in words, whether it is true, and what it looked at, shortened.

    `value` is empty and `inner` holds the conditions within where this one combines others.
    """

    condition: str
    true: bool
    value: str = ""
    inner: tuple["Seen", ...] = ()


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One rule and what became of it.

    `seen` is None for a rule that was not looked at.  What would be done are the rule's actions, if it is obeyed.
    """

    rule: Rule
    fate: Fate
    seen: Seen | None = None

    @property
    def obeyed(self) -> bool:
        """Whether its actions are carried out."""
        return self.fate is Fate.OBEYED

    def lines(self) -> list[str]:
        """The outcome in words, for people: one line for the rule, one for each condition and each action."""
        lines = [f"{self.rule.name!r} {self.fate.value}"]
        if self.seen is not None:
            lines += _lines(self.seen, 1)
        if self.obeyed:
            lines += [f"  -> {action}" for action in self.rule.actions]
            lines += ["  -> stop the ordinary rules"] if self.rule.stop else []
        return lines


def explain(
    mail: Folded, rules: Iterable[Rule], *, me: Me, oof_active: bool, now: float
) -> tuple[RuleOutcome, ...]:
    """Return what becomes of every rule and why; the obeyed ones are those of rules.evaluate.evaluate.

    The arguments are the same.  Unlike there, every condition of a rule is looked at, decided or not.
    """
    at = Situation(mail, me, now)
    outcomes: list[RuleOutcome] = []
    stopped = deleted = False
    for rule in rules:
        fate = _fate_before(rule, oof_active=oof_active, stopped=stopped, deleted=deleted)
        seen = None
        if fate is None:
            seen = _see(rule.condition, at)
            fate = Fate.OBEYED if seen.true else Fate.NOT_MET
        outcome = RuleOutcome(rule, fate, seen)
        outcomes.append(outcome)
        stopped = stopped or (outcome.obeyed and rule.stop)
        deleted = deleted or (outcome.obeyed and rule.deletes)
    return tuple(outcomes)


def _fate_before(rule: Rule, *, oof_active: bool, stopped: bool, deleted: bool) -> Fate | None:
    """The fate of a rule that is not looked at; None for one that is."""
    if not rule.enabled:
        return Fate.DISABLED
    if deleted:
        return Fate.NOTHING_LEFT
    if rule.only_when_oof:
        return None if oof_active else Fate.NOT_AWAY
    return Fate.STOPPED if stopped else None


def _see(condition: Condition, at: Situation) -> Seen:
    match condition:
        case All(conditions) | AnyOf(conditions):
            inner = tuple(_see(one, at) for one in conditions)
            true = all if isinstance(condition, All) else any
            return Seen(str(condition), true(one.true for one in inner), inner=inner)
        case Not(negated):
            seen = _see(negated, at)
            return Seen(str(condition), not seen.true, inner=(seen,))
        case _:
            return Seen(str(condition), condition.holds(at), condition.seen(at))


def _lines(seen: Seen, depth: int) -> list[str]:
    value = f" (found: {seen.value})" if seen.value else ""
    lines = [f"{'  ' * depth}{'yes' if seen.true else 'no '} {seen.condition}{value}"]
    for one in seen.inner:
        lines += _lines(one, depth + 1)
    return lines
