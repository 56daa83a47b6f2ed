"""Encoded words as the RFC has them and as mail has them."""

from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.encoded_words import decode_words


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("no words", "no words"),
        ("=?utf-8?q?caf=C3=A9?=", "café"),
        ("=?UTF-8?B?Y2Fmw6k=?=", "café"),
        ("=?utf-8*fr?q?caf=C3=A9?=", "café"),
        ("=?iso-8859-1?Q?a?= =?iso-8859-1?Q?b?=", "ab"),
        ("=?iso-8859-1?Q?a_?=  =?utf-8?Q?b?=", "a b"),
        ("=?iso-8859-1?Q?a?= b", "a b"),
        ("a =?utf-8?q?b?= c", "a b c"),
        ("=?utf-8?B?w6k=?==?utf-8?q?x?=", "éx"),
        # A character torn across two words.
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),
        # Sloppy senders: spaces and question marks inside, and words inside quotes.
        ("=?utf-8?Q?How are you? Fine=21?=", "How are you? Fine!"),
        ('"=?utf-8?q?Berg,_Anna?="', '"Berg, Anna"'),
        # Unknown charset, damaged base64, not a word at all.
        ("=?x-unknown?q?caf=E9?=", "café"),
        ("=?utf-8?B?SGVsb?=", "Hel"),
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("=?utf-8?q?never closed", "=?utf-8?q?never closed"),
        ("=?utf-8?q?a =?utf-8?q?b?=", "=?utf-8?q?a b"),
        ("=??q?a?=", "=??q?a?="),
        ("=?utf-8?q??=", ""),
    ],
)
def test_decoding(text: str, decoded: str) -> None:
    assert decode_words(text) == decoded


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_what_the_standard_library_encodes_comes_back(text: str) -> None:
    encoded = Header(text, "utf-8", maxlinelen=10_000).encode()
    assert decode_words(encoded) == text


@given(st.text("=?qBb_utf-8 \n\0é*"))
def test_nothing_raises(text: str) -> None:
    decode_words(text).encode()
