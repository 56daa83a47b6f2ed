"""Whom a user knows outside: who answers mail of ours."""

import pytest

from mailcore.view import MessageView
from oof.acquaintance import answers_ours

OURS = frozenset({"example.org", "b\xfccher.example"})


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("In-Reply-To: <1@example.org>", True),
        ("In-Reply-To: <1@PC7.Example.ORG>", True),
        ("References: <1@example.net>\r\n <2@example.org>", True),
        ("In-Reply-To: <1@xn--bcher-kva.example>", True),
        ("In-Reply-To: <1@example.net>", False),
        ("In-Reply-To: <1@badexample.org>", False),
        ("In-Reply-To: <1@example.org.example.net>", False),
        ("In-Reply-To: anna@example.org", False),
        ("Subject: <1@example.org>", False),
    ],
)
def test_who_answers_mail_of_ours(field: str, known: bool) -> None:
    assert answers_ours(MessageView(f"{field}\r\n\r\n".encode()), OURS) is known


def test_without_domains_nobody_does() -> None:
    assert not answers_ours(MessageView(b"In-Reply-To: <1@example.org>\r\n\r\n"), {""})
