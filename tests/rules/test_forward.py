"""Passing a mail on: every guard against loops, each with its reason, and what the administrator allows."""

from dataclasses import replace

import pytest
from hypothesis import given

from mailcore.envelope import Envelope
from mailcore.header_patterns import parse_header_patterns
from mailcore.view import MessageView
from rules.forward import ForwardPolicy, Refusal, check_target
from tests.support.dispatches import ANY_MAIL

POLICY = ForwardPolicy()
OWN = ("anna@example.org", "info@b\xfccher.example")
TARGET = "carl@example.com"


def checked(
    *fields: str,
    target: str = TARGET,
    mail_from: str = "ben@example.net",
    earlier: tuple[str, ...] = (),
    policy: ForwardPolicy = POLICY,
) -> Refusal | None:
    raw = "".join(f"{field}\r\n" for field in fields) + "\r\nHello\r\n"
    return check_target(
        target,
        view=MessageView(raw.encode()),
        envelope=Envelope(mail_from, ("anna@example.org",)),
        own_addresses=OWN,
        earlier=earlier,
        policy=policy,
    )


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("From: ben@example.net", "Received: x", "Delivered-To: dora@example.org"),
        ("Delivered-To: anna@example.org", "Received: x"),  # the MTA in front of us wrote it
        ("Auto-Submitted: no",),
        ("Auto-Submitted: No; comment=x",),
        ("X-Auto-Submitted: yes",),
        ("Received: x",) * 49,
        ("Subject: X-Kopano-Rule-Action: forward",),
    ],
)
def test_ordinary_mail_is_passed_on(fields: tuple[str, ...]) -> None:
    assert checked(*fields) is None


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("X-Kopano-Rule-Action: forward", "a rule has sent it (X-Kopano-Rule-Action)"),
        ("x-kopano-rule-action:", "a rule has sent it (X-Kopano-Rule-Action)"),
        (
            "Auto-Submitted: auto-replied",
            "it bears Auto-Submitted, one of inhibit_forward_headers",
        ),
        (
            "x-kopano-vacation: yes",
            "it bears x-kopano-vacation, one of inhibit_forward_headers",
        ),
        ("Received: x\r\n" * 49 + "Received: x", "it has 50 Received headers or more: a loop"),
        (
            "Received: x\r\nDelivered-To: CARL@example.com",
            "it has been delivered to the target before: a loop",
        ),
        (
            "Received: x\r\nDelivered-To: anna@example.org",
            "it has been delivered here before: a loop",
        ),
        (
            "Received: x\r\nDelivered-To: x@y\r\nDelivered-To: info@xn--bcher-kva.example",
            "it has been delivered here before: a loop",
        ),
        ("From: Carl <carl@EXAMPLE.com>", "the target has sent it"),
        ("From: ben@example.net, carl@example.com", "the target has sent it"),
    ],
)
def test_mail_that_would_go_round(field: str, reason: str) -> None:
    assert checked(field) == Refusal(reason)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("anna@example.org", "the target is one's own address"),
        ("ANNA@example.ORG", "the target is one's own address"),
        ("info@xn--bcher-kva.example", "the target is one's own address"),
        ('"anna"@example.org', "the target is one's own address"),
        ("ben@example.net", "the target has sent it"),
        ("", "'' is not an address"),
        ("carl", "'carl' is not an address"),
        ("carl@", "'carl@' is not an address"),
        ("carl@example.com>", "'carl@example.com>' is not an address"),
        ("carl@example.com> SIZE=1", "'carl@example.com> SIZE=1' is not an address"),
        ("carl@example.com\r\nDATA", r"'carl@example.com\r\nDATA' is not an address"),
        ("a@b, c@d", "'a@b, c@d' is not an address"),
    ],
)
def test_targets_that_nothing_is_passed_on_to(target: str, reason: str) -> None:
    assert checked(target=target) == Refusal(reason)


def test_no_double_forward_can_be_switched_off_and_a_loop_ends_all_the_same() -> None:
    off = replace(POLICY, no_double_forward=False)
    assert checked("X-Kopano-Rule-Action: forward", policy=off) is None
    passed = ("Received: x", "Delivered-To: " + TARGET)
    assert checked("X-Kopano-Rule-Action: forward", *passed, policy=off)


@pytest.mark.parametrize(
    ("patterns", "field", "name"),
    [
        (["X-Loop"], "X-LOOP: a", "X-LOOP"),
        (["X-Loop: ab"], "X-Loop: ABC", "X-Loop"),
        (["X-Loop: ab"], "X-Loop: =?utf-8?q?ab?=", "X-Loop"),
        (["X-Lo*"], "X-Loop: a", "X-Loop"),
        (["X-Lo*: ab"], "X-Loop: abc", "X-Loop"),
        (["X-Loop: ab"], "X-Loop: cab", None),
        (["X-Loop"], "X-Looping: a", None),
        (["Auto-*"], "Auto-Submitted: no", None),
        ([], "Auto-Submitted: auto-replied", None),
    ],
)
def test_headers_that_inhibit(patterns: list[str], field: str, name: str | None) -> None:
    policy = replace(POLICY, inhibit_forward_headers=parse_header_patterns(patterns))
    reason = name and Refusal(f"it bears {name}, one of inhibit_forward_headers")
    assert checked(field, policy=policy) == reason


@pytest.mark.parametrize(
    ("domains", "allowed"),
    [
        (("*",), True),
        (("example.com",), True),
        (("EXAMPLE.com",), True),
        (("example.net", "*.com"), True),
        (("ex*com",), True),
        ((), False),
        (("example.org",), False),
        (("*.example.com",), False),
        (("example.co",), False),
        (("example?com",), False),
        (("[a-z]*",), False),
    ],
)
def test_the_domains_of_the_white_list(domains: tuple[str, ...], allowed: bool) -> None:
    found = checked(policy=replace(POLICY, forward_whitelist_domains=domains))
    if allowed:
        assert found is None
    else:
        reason = "the domain example.com is not allowed by forward_whitelist_domains"
        assert found == Refusal(reason, notify=True)


def test_a_star_crosses_dots_and_a_label_is_known_in_both_its_forms() -> None:
    stars = replace(POLICY, forward_whitelist_domains=("*.example",))
    assert checked(target="x@a.b.example", policy=stars) is None
    umlaut = replace(POLICY, forward_whitelist_domains=("b\xfccher.example",))
    assert checked(target="x@xn--bcher-kva.example", policy=umlaut) is None


def test_a_target_gets_one_copy_and_there_are_only_so_many_targets() -> None:
    two = replace(POLICY, max_forwards=2)
    assert checked(earlier=("a@example.com",), policy=two) is None
    assert checked(earlier=("CARL@example.com",)) == Refusal("it goes there already")
    found = checked(earlier=("a@example.com", "b@example.com"), policy=two)
    assert found == Refusal("it has 2 targets already, as many as max_forwards allows")


@given(ANY_MAIL)
def test_no_mail_makes_it_raise(raw: bytes) -> None:
    refusal = check_target(
        TARGET,
        view=MessageView(raw),
        envelope=Envelope("ben@example.net", ()),
        own_addresses=OWN,
        earlier=(),
        policy=POLICY,
    )
    assert refusal is None or refusal.reason
