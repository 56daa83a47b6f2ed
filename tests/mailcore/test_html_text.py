"""The text of HTML mail."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.html_text import text_of_html


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br/>two<BR>three", "one\ntwo\nthree"),
        ("one\r\n two <b>three</b>four", "one two threefour"),
        ("a &lt; b &amp; c&nbsp;d &#233;", "a < b & c d é"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<!DOCTYPE html><?xml?><html><title>T</title>x", "x"),
        ("<style>p {}</style>a<script>if (1 < 2) {}</script>b", "ab"),
        ("a<!-- <p>hidden</p> -->b", "ab"),
        ("a<!-- never closed", "a"),
        ("a<script>never closed", "a"),
        ("a<p never closed", "a"),
        ("&#99999999999999999;", "\ufffd"),
        (f"&#{'9' * 5000};x", "\ufffdx"),
        ("&#xD800;", "\ufffd"),
    ],
)
def test_text(markup: str, text: str) -> None:
    assert text_of_html(markup) == text


@given(st.text("<>/!-&#;xp1 style\n"))
def test_nothing_raises(markup: str) -> None:
    text_of_html(markup).encode()


@pytest.mark.parametrize("unclosed", ["<", "<!--", "<script>", "<p ", "</", "&", "&#9"])
def test_unclosed_markup_takes_linear_time(unclosed: str) -> None:
    began = time.process_time()
    text_of_html(unclosed * (300_000 // len(unclosed)))
    assert time.process_time() - began < 2
