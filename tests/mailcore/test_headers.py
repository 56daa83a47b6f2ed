"""Header blocks and fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.headers import (
    Field,
    decode_value,
    first_value,
    header_end,
    split_fields,
    unfold,
    unfold_octets,
)


@pytest.mark.parametrize(
    ("raw", "end"),
    [
        (b"", 0),
        (b"A: b", 4),
        (b"A: b\r\n", 6),
        (b"A: b\r\n\r\nbody", 8),
        (b"A: b\n\nbody", 6),
        (b"\r\nbody", 2),
        (b"\nbody", 1),
        (b"A: b\n\nbody\r\n\r\n", 6),
        (b"A: b\r\n\r\nbody\n\n", 8),
        (b"A: b\r\n\nbody", 7),
        (b"A: b\n\n\r\n", 6),
        (b"A: b\r\rbody", 10),
    ],
)
def test_a_header_block_ends_after_its_first_empty_line(raw: bytes, end: int) -> None:
    assert header_end(raw) == end


def test_the_empty_line_must_lie_within_the_bounds() -> None:
    raw = b"x\r\n\r\nA: b\r\n\r\nbody"
    assert header_end(raw, 5) == 13
    assert header_end(raw, 5, 12) == 12
    assert header_end(raw, 5, 11) == 11


@pytest.mark.parametrize(
    ("block", "fields"),
    [
        (b"", []),
        (b"Subject: hello\r\n\r\n", [("Subject", b"hello")]),
        (b"subject:hello", [("subject", b"hello")]),
        (b"Subject: a\r\n b\r\n\tc\r\nX: y\r\n", [("Subject", b"a\r\n b\r\n\tc"), ("X", b"y")]),
        (b"Subject: a\n b\nX: y\n", [("Subject", b"a\n b"), ("X", b"y")]),
        (b"Subject:\r\n folded\r\n", [("Subject", b"\r\n folded")]),
        (b"Subject :x\r\n", [("Subject", b"x")]),
        (b"Empty:\r\n", [("Empty", b"")]),
        (b"A: 1\r\nA: 2\r\n", [("A", b"1"), ("A", b"2")]),
        (b"From anna@x Mon Jan  1 10:00:00 2026\r\nA: b\r\n", [("A", b"b")]),
        (b">From anna\r\nA: b\r\n", [("A", b"b")]),
        (b" continues nothing: x\r\nA: b\r\n", [("A", b"b")]),
        (b"no colon\r\nA: b\r\n", [("A", b"b")]),
        (b": no name\r\nA: b\r\n", [("A", b"b")]),
        (b"B\xfcro: x\r\nA: b\r\n", [("A", b"b")]),
        (b"A: \xff\0\r\n", [("A", b"\xff\0")]),
    ],
)
def test_fields(block: bytes, fields: list[tuple[str, bytes]]) -> None:
    assert list(split_fields(block)) == fields


def test_no_more_fields_are_read_than_asked_for() -> None:
    assert len(split_fields(b"a:\n" * 100, 7)) == 7


def test_the_first_field_of_a_name_counts() -> None:
    fields = (Field("TO", b"a"), Field("To", b"b"))
    assert first_value(fields, "to") == b"a"
    assert first_value(fields, "cc") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"hello", "hello"),
        (b" a\r\n b", "a b"),
        (b"a\r\n\tb", "a b"),
        (b"a\n  b", "a  b"),
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        (b"=?utf-8?q?caf=C3=A9?=\r\n =?utf-8?q?_noir?=", "café noir"),
        (b"=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        (b"a\0b\x1bc", "a b c"),
        (b"a\rb", "a b"),
        (b"=?x-unknown?b?/w==?=", "ÿ"),
    ],
)
def test_decoding_a_value(value: bytes, text: str) -> None:
    assert decode_value(value) == text


def test_unfolding_leaves_encoded_words() -> None:
    assert unfold(b"=?utf-8?q?a?=\r\n b") == "=?utf-8?q?a?= b"
    assert unfold_octets(b" =?utf-8?q?a?=\r\n \xff\0b ") == b"=?utf-8?q?a?= \xff\0b"


@given(st.binary() | st.text("=?utf-8qB \r\n\tQé").map(str.encode))
def test_no_value_raises_or_has_control_characters(value: bytes) -> None:
    text = decode_value(value)
    text.encode()
    assert text.splitlines() in ([], [text])


@given(st.lists(st.tuples(st.from_regex(rb"[A-Za-z-]{1,9}", fullmatch=True), st.binary())))
def test_fields_come_back_in_their_order(pairs: list[tuple[bytes, bytes]]) -> None:
    wanted = [(name, value.replace(b"\n", b"").strip(b"\r \t")) for name, value in pairs]
    block = b"".join(name + b": " + value + b"\r\n" for name, value in wanted)
    assert [(f.name.encode(), f.value) for f in split_fields(block)] == wanted


@given(st.binary())
def test_no_block_raises(block: bytes) -> None:
    assert 0 <= header_end(block) <= len(block)
    split_fields(block)
