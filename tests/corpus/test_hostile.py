"""Mail of any kind is shown and comes back whole, in a time that grows with its size."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.imap import ImapCopy
from tests.corpus.hostile import LARGE, damaged_mails
from tests.corpus.reading import show
from tests.corpus.shapes import shapes
from tests.support.imap_client import parse_values

SMALL = 2_000  # octets
TIMES = 16
# Sixteen times the octets take sixteen times as long, more or less; 256 times would be quadratic.
MOST_RATIO = 64.0
# A shorter time says nothing.
SHORTEST_SECONDS = 0.02


def assert_well_formed(raw: bytes, copy: ImapCopy) -> None:
    """An IMAP client can read each answer, and each section lies in the mail."""
    for answer in (copy.envelope, copy.body, copy.bodystructure):
        assert b"\0" not in answer
        assert len(parse_values(answer)) == 1
    assert copy.size == len(raw)
    assert raw.startswith(copy.header)
    for section in copy.sections:
        assert 0 <= section.mime_start <= section.start
        assert section.start + section.length <= len(raw)


def test_damaged_mail_is_shown_and_comes_back() -> None:
    for raw in damaged_mails(1200):
        _, _, copy = show(raw)
        assert_well_formed(raw, copy)


_OCTETS = st.lists(
    st.sampled_from(
        [line + b"\r\n" for raw in shapes().values() for line in raw[:5000].split(b"\r\n")]
    )
    | st.binary(max_size=30),
    max_size=30,
).map(b"".join)


@given(_OCTETS)
def test_any_lines_are_shown_and_come_back(raw: bytes) -> None:
    _, _, copy = show(raw)
    assert_well_formed(raw, copy)


def seconds_to_show(raw: bytes) -> float:
    began = time.process_time()
    _, _, copy = show(raw)
    seconds = time.process_time() - began
    assert_well_formed(raw, copy)
    return seconds


@pytest.mark.parametrize("name", LARGE)
def test_the_time_grows_with_the_size(name: str) -> None:
    small, large = LARGE[name](SMALL), LARGE[name](SMALL * TIMES)
    assert len(large) > len(small) * TIMES / 2
    seconds = seconds_to_show(large)
    if seconds > SHORTEST_SECONDS * MOST_RATIO:
        allowed = MOST_RATIO * max(SHORTEST_SECONDS, seconds_to_show(small))
        assert seconds < allowed or seconds_to_show(large) < allowed
