"""Octets into text: known, unknown and hostile charsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.charset import codec_name, decode_bytes, one_line


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"caf\xc3\xa9", "utf-8", "café"),
        (b"caf\xe9", "ISO-8859-1", "café"),
        (b"\x80", "windows-1252", "€"),
        (b"caf\xe9", "utf-8", "caf\ufffd"),
        (b"caf\xc3\xa9", "us-ascii", "café"),
        (b"caf\xe9", "us-ascii", "café"),
        (b"caf\xc3\xa9", "", "café"),
        (b"caf\xe9", "x-unknown", "café"),
        (b"\xc4\xe3\xba\xc3", "gb2312", "你好"),
        (b"\xc1", "koi8-u", "\u0430"),
        (b"+AOk-", "utf-7", "é"),
        (b"+2AA-", "utf-7", "\ufffd"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
        (b"aGk=", "base64", "aGk="),
        (b"abc-", "punycode", "abc-"),
        (b"x", "utf\0-8", "x"),
        (b"x", "a" * 10_000, "x"),
    ],
)
def test_decoding(data: bytes, charset: str, text: str) -> None:
    assert decode_bytes(data, charset) == text


@given(
    st.binary(), st.sampled_from(["utf-7", "utf-16", "iso-2022-jp", "hz", "big5", "utf-32", "?"])
)
def test_no_octets_raise_or_give_what_cannot_be_written(data: bytes, charset: str) -> None:
    decode_bytes(data, charset).encode()


def test_the_name_of_a_codec_that_is_no_charset_is_refused() -> None:
    assert [codec_name(name) for name in ("rot13", "zip", "idna", "undefined", "hex")] == [""] * 5


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        (" a\r\n b ", "a  b"),
        ("a\0\x1b\x7f\x85\u2028b", "a b"),
        ("a\tb", "a b"),
        ("\u00a0é", "é"),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line
