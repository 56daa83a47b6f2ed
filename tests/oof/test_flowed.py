"""Text as format=flowed: what a reader's program puts together again is what was written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oof.flowed import flow


def unflowed(text: str) -> str:
    """What RFC 3676 section 4 makes of a text."""
    paragraphs = [""]
    for line in text.split("\n"):
        content = line.removeprefix(" ")
        paragraphs[-1] += content
        if not line.endswith(" ") or content == "-- ":
            paragraphs.append("")
    return "\n".join(paragraphs[:-1] if not paragraphs[-1] else paragraphs)


@pytest.mark.parametrize(
    ("text", "flowed"),
    [
        ("", ""),
        ("short", "short"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("blanks at the end  \nnext", "blanks at the end\nnext"),
        ("> no quote", " > no quote"),
        (" indented", "  indented"),
        ("-- \nAnna", "-- \nAnna"),
        ("x" * 100, "x" * 100),
        ("-- " + "x" * 100, "-- " + "x" * 100),
        ("a" * 70 + " " + "b" * 10, "a" * 70 + " \n" + "b" * 10),
        ("a" * 100 + " " + "b" * 10, "a" * 100 + " \n" + "b" * 10),
        ("a" * 74 + " >b", "a" * 74 + " \n >b"),
    ],
)
def test_flowing(text: str, flowed: str) -> None:
    assert flow(text) == flowed


_WORDS = st.text(st.sampled_from("ab >-F"), max_size=90)


@given(st.lists(_WORDS | st.just("-- ") | st.just("From anna"), max_size=5))
def test_a_reader_gets_what_was_written(lines: list[str]) -> None:
    written = "\n".join(line if line == "-- " else line.rstrip(" ") for line in lines)
    flowed = flow("\n".join(lines))
    assert unflowed(flowed) == written
    assert not re.search(r"^(>|From )", flowed, re.MULTILINE)
    assert all(len(line) <= 78 or " " not in line.strip() for line in flowed.split("\n"))
