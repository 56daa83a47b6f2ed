"""Evaluation: which rules are obeyed, in which order, and that nothing makes it raise."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.envelope import Envelope
from mailcore.view import MessageView
from rules.actions import Action, Copy, Delete, MarkRead, Move
from rules.conditions import ALWAYS, AnyOf, Condition
from rules.evaluate import evaluate
from rules.explain import Fate, explain
from rules.message import Folded
from rules.model import Rule, parse_rule
from tests.rules.documents import ME, NOW, documents, mails

MAIL = Folded(MessageView(b"Subject: Lunch\r\n\r\nHello\r\n"), Envelope("", ()))
NEVER: Condition = AnyOf(())
MOVE, COPY, READ, DELETE = Move("Lists"), Copy("Archive"), MarkRead(), Delete()


def rule(name: str, *actions: Action, when: Condition = ALWAYS, **more: Any) -> Rule:
    return Rule(name, when, actions, **more)


OBEYED = pytest.mark.parametrize(
    ("rules", "oof_active", "names"),
    [
        ([], False, ""),
        ([rule("a", MOVE), rule("b", COPY)], False, "a b"),  # a move ends nothing
        ([rule("a", MOVE, when=NEVER), rule("b", COPY)], False, "b"),
        ([rule("a", MOVE, enabled=False), rule("b", COPY)], False, "b"),
        ([rule("a", READ, stop=True), rule("b", COPY)], False, "a"),
        ([rule("a", stop=True), rule("b", COPY)], False, "a"),
        ([rule("a", READ, stop=True, when=NEVER), rule("b", COPY)], False, "b"),
        ([rule("a", READ, stop=True, enabled=False), rule("b", COPY)], False, "b"),
        ([rule("a", COPY, DELETE), rule("b", MOVE)], False, "a"),  # nothing is left to move
        ([rule("a", DELETE), rule("b", MOVE, only_when_oof=True)], True, "a"),
        ([rule("a", MOVE, only_when_oof=True), rule("b", COPY)], False, "b"),
        ([rule("a", MOVE, only_when_oof=True), rule("b", COPY)], True, "a b"),
        ([rule("a", DELETE, only_when_oof=True), rule("b", COPY)], False, "b"),
        # those for out-of-office go on where the ordinary ones have stopped
        (
            [rule("a", stop=True), rule("b", COPY), rule("c", READ, only_when_oof=True)],
            True,
            "a c",
        ),
        ([rule("a", stop=True), rule("c", READ, only_when_oof=True)], False, "a"),
        (
            [
                rule("a", stop=True, only_when_oof=True),
                rule("b", COPY),
                rule("c", READ, only_when_oof=True),
            ],
            True,
            "a c",
        ),
    ],
)


@OBEYED
def test_the_rules_that_are_obeyed(rules: list[Rule], oof_active: bool, names: str) -> None:
    obeyed = evaluate(MAIL, rules, me=ME, oof_active=oof_active, now=NOW)
    assert " ".join(one.name for one in obeyed) == names


@OBEYED
def test_the_explanation_says_the_same(rules: list[Rule], oof_active: bool, names: str) -> None:
    outcomes = explain(MAIL, rules, me=ME, oof_active=oof_active, now=NOW)
    assert [one.rule for one in outcomes] == rules
    assert " ".join(one.rule.name for one in outcomes if one.obeyed) == names


def test_every_fate_is_told() -> None:
    rules = [
        rule("off", MOVE, enabled=False),
        rule("away", MOVE, only_when_oof=True),
        rule("not met", MOVE, when=NEVER),
        rule("met", MOVE, stop=True),
        rule("too late", MOVE),
    ]
    outcomes = explain(MAIL, rules, me=ME, oof_active=False, now=NOW)
    assert [one.fate for one in outcomes] == [
        *(Fate.DISABLED, Fate.NOT_AWAY, Fate.NOT_MET, Fate.OBEYED, Fate.STOPPED),
    ]
    outcomes = explain(MAIL, [rule("a", DELETE), *rules], me=ME, oof_active=True, now=NOW)
    assert [one.fate for one in outcomes[1:]] == [Fate.DISABLED, *[Fate.NOTHING_LEFT] * 4]


def test_an_explanation_in_words() -> None:
    explained = parse_rule(
        json.dumps(
            {
                "name": "lunches",
                "when": {
                    "all": [
                        {"property": "subject", "contains": "LUNCH"},
                        {"not": {"any": ["to-me", {"exists": "List-Id"}]}},
                    ]
                },
                "then": [{"move": "Lunch", "create": True}, {"tag": "food"}, "stop"],
            }
        )
    )
    (outcome,) = explain(MAIL, [explained], me=ME, oof_active=False, now=NOW)
    assert outcome.lines() == [
        "'lunches' matches",
        "  yes all of",
        "    yes subject contains 'lunch' (found: 'lunch')",
        "    yes not",
        "      no  any of",
        "        no  to-me (found: nothing)",
        "        no  there is a header list-id (found: 0 of them)",
        "  -> move to 'Lunch', made if missing",
        "  -> tag as food",
        "  -> stop the ordinary rules",
    ]


@dataclass(frozen=True)
class Case:
    """A message, and rules for it."""

    mail: Folded
    rules: list[Rule]
    oof_active: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    written = draw(st.lists(documents(), max_size=4))
    rules = [parse_rule(json.dumps(document)) for document in written]
    return Case(draw(mails()), rules, draw(st.booleans()))


@given(cases())
def test_no_rule_and_no_message_makes_it_raise_and_the_explanation_agrees(case: Case) -> None:
    options: Any = {"me": ME, "oof_active": case.oof_active, "now": NOW}
    obeyed = evaluate(case.mail, case.rules, **options)
    outcomes = explain(case.mail, case.rules, **options)
    assert tuple(one.rule for one in outcomes if one.obeyed) == obeyed
    for outcome in outcomes:
        assert outcome.seen is None or outcome.obeyed == outcome.seen.true
        assert all(line.isprintable() for line in outcome.lines())
