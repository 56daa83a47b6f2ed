"""Parameters of Content-Type and Content-Disposition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.parameters import parse_parameters, shown_parameters


@pytest.mark.parametrize(
    ("value", "main", "parameters"),
    [
        ("", "", {}),
        ("Text/Plain", "text/plain", {}),
        ("text/plain; Charset=UTF-8", "text/plain", {"charset": "UTF-8"}),
        ("text/plain;charset=us-ascii (Plain text)", "text/plain", {"charset": "us-ascii"}),
        ("text/plain (words); charset=a", "text/plain", {"charset": "a"}),
        ('x/y; a="b;c"; d=e', "x/y", {"a": "b;c", "d": "e"}),
        ('x/y; a="b\\"c\\\\d"', "x/y", {"a": 'b"c\\d'}),
        ('x/y; a="open', "x/y", {"a": "open"}),
        ("x/y; name=My Plan (1).pdf; b=c", "x/y", {"name": "My Plan (1).pdf", "b": "c"}),
        ("x/y; a = b ;; ; c", "x/y", {"a": "b"}),
        ("x/y; a=1; A=2", "x/y", {"a": "1"}),
        ("x; filename*=utf-8'en'caf%C3%A9.txt", "x", {"filename": "café.txt"}),
        ("x; filename*=iso-8859-1''caf%E9", "x", {"filename": "café"}),
        ("x; filename*=x-unknown''caf%C3%A9", "x", {"filename": "café"}),
        ("x; filename*=plain%20words", "x", {"filename": "plain words"}),
        ("x; f*=utf-8''%E2%82%AC; f=euro", "x", {"f": "€"}),
        ("x; f=plain; f*0=a; f*1=b", "x", {"f": "ab"}),
        ('x; f*0="one "; f*1=two', "x", {"f": "one two"}),
        ("x; f*1=two; f*0=one", "x", {"f": "onetwo"}),
        ("x; f*0*=utf-8''a%C3; f*1*=%A9; f*2=\"50%\"", "x", {"f": "aé50%"}),
        ("x; f*0=a; f*2=c", "x", {"f": "a"}),
        ("x; f*0=a; f*0=b; f*1=c", "x", {"f": "ac"}),
        ("x; f*1=b", "x", {}),
        ("x; f*=utf-8''a%0D%0Ab", "x", {"f": "a b"}),
    ],
)
def test_parsing(value: str, main: str, parameters: dict[str, str]) -> None:
    assert parse_parameters(value) == (main, parameters)


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("x; f*=utf-8''a%C3%A9", [("f*", "utf-8''a%C3%A9")]),
        ("x; f*0*=utf-8''a; f*1*=%C3%A9; f*2=%", [("f*", "utf-8''a%C3%A9%25")]),
        ("x; f*0=a; f*1=b", [("f", "ab")]),
        ("x; f*0=a%; f*1*=%C3%A9", [("f*", "''a%25%C3%A9")]),
        ("x; f*1=b; F*0=a; g=c", [("g", "c"), ("F", "ab")]),
        ("x; b*0=1; A*0=2; b*1=3", [("A", "2"), ("b", "13")]),
        ("x; f*0=a; f*2=c", [("f*0", "a"), ("f*2", "c")]),
        ("x; f*1*=''b", [("f*1*", "''b")]),
        ("x; f*0=a; f*0=b", [("f*0", "a"), ("f*0", "b")]),
        ("X; Name=a; name=b", [("Name", "a"), ("name", "b")]),
    ],
)
def test_what_imap_shows_is_joined_and_stays_encoded(
    value: str, pairs: list[tuple[str, str]]
) -> None:
    assert shown_parameters(value)[1] == pairs


@given(st.text(";=\"\\*'%0 1aé\n\0("))
def test_nothing_raises(value: str) -> None:
    _, parameters = parse_parameters(f"x/y;{value}")
    assert all(text.isprintable() or not text.isascii() for text in parameters.values())
