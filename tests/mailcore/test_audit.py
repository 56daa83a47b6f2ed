"""Audit lines say what the manual's do, and nobody can make one of his name."""

import ast
import re

import pytest
from hypothesis import given, strategies

from mailcore.audit import audit_line

TEXT = r"'(?:[^'\\]|\\.)*'"
FAILED = re.compile(f"authenticate failed user=({TEXT}) from=({TEXT})")


@pytest.mark.parametrize(
    ("what", "fields", "line"),
    [
        ("kopano-dagent startup by user", {"uid": 0}, "kopano-dagent startup by user uid=0"),
        ("kopano-dagent signalled", {"sig": 15}, "kopano-dagent signalled sig=15"),
        (
            "authenticate ok",
            {"user": "john", "from": "", "method": "User supplied password", "program": "imap"},
            "authenticate ok user='john' from='' method='User supplied password' program='imap'",
        ),
        ("x", {"user": "jürgen"}, "x user='jürgen'"),
        ("x", {"user": "a'b\\c"}, r"x user='a\'b\\c'"),
        ("x", {"user": "a\nauthenticate ok"}, r"x user='a\nauthenticate ok'"),
        ("x", {"user": "\0\x1b[2J\u2028\u202e\udcff"}, r"x user='\x00\x1b[2J\u2028\u202e\udcff'"),
        ("x", {"user": "y" * 201}, f"x user='{'y' * 200}...'"),
        ("nothing more", {}, "nothing more"),
    ],
)
def test_line(what: str, fields: dict[str, str | int], line: str) -> None:
    assert audit_line(what, fields) == line


@given(
    strategies.text(strategies.characters(), max_size=200),
    strategies.text(strategies.sampled_from("'\\ =\n\rabx"), max_size=200),
)
def test_a_line_is_read_back_as_what_was_said(name: str, source: str) -> None:
    line = audit_line("authenticate failed", {"user": name, "from": source})
    assert line.isprintable()
    found = FAILED.fullmatch(line)
    assert found is not None
    assert [ast.literal_eval(text) for text in found.groups()] == [name, source]
