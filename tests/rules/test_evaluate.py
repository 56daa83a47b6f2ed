"""Evaluation: which rules match, and what they ask for."""

import pytest

from mailcore.view import MessageView
from rules.evaluate import Matched, evaluate, matches
from rules.model import Action, All, AnyOf, Condition, HeaderTest, LargerThan, Not, Rule

RAW = (
    b"From: Ben <ben@example.net>\r\n"
    b"Received: from a\r\nReceived: from relay.example.org\r\n"
    b"Subject: =?utf-8?q?Caf=C3=A9?=\r\n at =?utf-8?q?noon?=\r\n"
    b"X-Empty:\r\n\r\nHello\r\n"
)
VIEW = MessageView(RAW)
ALWAYS: Condition = All(())
NEVER: Condition = AnyOf(())
DELETE, READ = Action("delete"), Action("mark-read")
MOVE, COPY = Action("move", "Lists"), Action("copy", "Archive")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (HeaderTest("subject", "contains", "café"), True),
        (HeaderTest("SUBJECT", "is", "café at noon"), True),
        (HeaderTest("Subject", "is", "café at"), False),
        (HeaderTest("Subject", "prefix", "café at"), True),
        (HeaderTest("Subject", "prefix", "at"), False),
        (HeaderTest("Subject", "contains", "=?utf-8"), False),  # compared decoded
        (HeaderTest("Received", "contains", "relay"), True),  # any of several
        (HeaderTest("Received", "prefix", "from a"), True),
        (HeaderTest("X-Empty", "is", ""), True),
        (HeaderTest("X-Missing", "is", ""), False),
        (HeaderTest("X-Missing", "contains", ""), False),
        (LargerThan(len(RAW) - 1), True),
        (LargerThan(len(RAW)), False),
        (ALWAYS, True),
        (NEVER, False),
        (Not(NEVER), True),
        (All((ALWAYS, NEVER)), False),
        (AnyOf((NEVER, ALWAYS)), True),
        (Not(All((LargerThan(1), Not(ALWAYS)))), True),
    ],
)
def test_conditions(condition: Condition, expected: bool) -> None:
    assert matches(condition, VIEW) is expected


def rule(name: str, *actions: Action, when: Condition = ALWAYS, **more: bool) -> Rule:
    return Rule(name, when, actions, **more)


@pytest.mark.parametrize(
    ("rules", "oof_active", "names"),
    [
        ([], False, []),
        ([rule("a", MOVE), rule("b", COPY)], False, ["a", "b"]),
        ([rule("a", MOVE, when=NEVER), rule("b", COPY)], False, ["b"]),
        ([rule("a", READ, stop=True), rule("b", COPY)], False, ["a"]),
        ([rule("a", READ, stop=True, when=NEVER), rule("b", COPY)], False, ["b"]),
        ([rule("a", COPY, DELETE), rule("b", MOVE)], False, ["a"]),  # nothing is left to move
        ([rule("a", MOVE, only_when_oof=True), rule("b", COPY)], False, ["b"]),
        ([rule("a", MOVE, only_when_oof=True), rule("b", COPY)], True, ["a", "b"]),
        ([rule("a", DELETE, only_when_oof=True), rule("b", COPY)], False, ["b"]),
    ],
)
def test_the_rules_that_are_obeyed(rules: list[Rule], oof_active: bool, names: list[str]) -> None:
    matched = evaluate(VIEW, rules, oof_active=oof_active)
    assert [one.rule for one in matched] == names


def test_the_actions_come_in_the_rules_order() -> None:
    matched = evaluate(VIEW, [rule("a", READ, MOVE), rule("b", COPY)], oof_active=False)
    assert matched == (Matched("a", (READ, MOVE)), Matched("b", (COPY,)))
