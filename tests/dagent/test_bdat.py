import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagent.bdat import Chunk, ChunkedMessage, parse_chunk
from dagent.lmtp_commands import BAD_CHUNK, FAILED_CHUNK, NEEDS_RECIPIENT
from mailcore.reply import TOO_LARGE


@pytest.mark.parametrize(
    ("argument", "chunk"),
    [
        ("0", Chunk(0)),
        ("007", Chunk(7)),
        ("12 LAST", Chunk(12, last=True)),
        ("12  last", Chunk(12, last=True)),
        ("99999999999999999999", Chunk(99_999_999_999_999_999_999)),
        ("12 FIRST", Chunk(12, well_formed=False)),
        ("12 LAST LAST", Chunk(12, well_formed=False)),
        ("", None),
        ("LAST", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("0x1", None),
        ("1LAST", None),
        ("\u0661", None),
        ("100000000000000000000", None),
    ],
)
def test_the_argument(argument: str, chunk: Chunk | None) -> None:
    assert parse_chunk(argument) == chunk


@given(st.lists(st.lists(st.binary(max_size=5), max_size=4), max_size=6))
def test_all_octets_of_all_chunks_in_their_order(chunks: list[list[bytes]]) -> None:
    octets = b"".join(map(b"".join, chunks))
    message = ChunkedMessage(len(octets))
    for blocks in chunks:
        message.announce(Chunk(sum(map(len, blocks))))
        for block in blocks:
            message.add(block)
    assert (message.refusal, message.content()) == (None, octets)


def test_nothing_is_kept_of_what_is_too_large() -> None:
    message = ChunkedMessage(3)
    message.announce(Chunk(3))
    message.add(b"one")
    message.announce(Chunk(1))
    message.add(b"x")
    assert (message.refusal, message.content()) == (TOO_LARGE, b"")
    message.announce(Chunk(0, well_formed=False))
    assert message.refusal == TOO_LARGE


@pytest.mark.parametrize("reply", [BAD_CHUNK, NEEDS_RECIPIENT])
def test_after_another_refusal_all_chunks_are_out_of_order(reply: object) -> None:
    message = ChunkedMessage(3)
    message.announce(Chunk(1, well_formed=reply is not BAD_CHUNK))
    if reply is not BAD_CHUNK:
        message.refuse(NEEDS_RECIPIENT)
    assert message.refusal == reply
    message.announce(Chunk(9, last=True))
    assert message.refusal == FAILED_CHUNK
