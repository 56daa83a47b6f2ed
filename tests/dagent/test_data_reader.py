import re
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagent.data_reader import DataReader

# Short texts over the octets that matter find far more than random octets.
STREAM = st.lists(
    st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\0", b"\xff", b"a"]), max_size=25
).map(b"".join)
LIMIT = 1_000_000


def read(blocks, limit=LIMIT):
    """Feed blocks until the end; return content, what is left of that block, and blocks unused."""
    reader = DataReader(limit)
    for i, block in enumerate(blocks):
        rest = reader.feed(block)
        if rest is not None:
            return reader, rest, blocks[i + 1 :]
    return reader, None, []


def cut(data, places):
    edges = sorted({0, len(data), *(p % (len(data) + 1) for p in places)})
    return [data[a:b] for a, b in pairwise(edges)]


def simple_read(stream):
    """The rules line by line, as slowly as RFC 5321 section 4.5.2 tells them."""
    content = b""
    for line in re.findall(rb"(?:(?!\r\n).)*\r\n", stream, re.DOTALL):
        stream = stream[len(line) :]
        if line == b".\r\n":
            return content, stream
        content += line.removeprefix(b".")
    return None


@given(STREAM, st.lists(st.integers(min_value=0), max_size=8))
def test_any_stream_in_any_blocks_reads_as_line_by_line(stream, places):
    reader, rest, unused = read(cut(stream, places))
    expected = simple_read(stream)
    if expected is None:
        assert rest is None
    else:
        assert (reader.content(), rest + b"".join(unused)) == expected


@given(STREAM)
def test_every_message_comes_back(content):
    content += b"\r\n"
    stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    reader, rest, _ = read([stuffed[i : i + 1] for i in range(len(stuffed))])
    assert (reader.content(), rest) == (content, b"")


@pytest.mark.parametrize("split", range(24))
def test_the_end_is_found_across_any_two_blocks(split):
    stream = b"..a\r\n..\r\nb\r\n.\r\nNOOP\r\n.\r\n"
    reader, rest, unused = read([stream[:split], stream[split:]])
    assert reader.content() == b".a\r\n.\r\nb\r\n"
    assert rest + b"".join(unused) == b"NOOP\r\n.\r\n"


@pytest.mark.parametrize(("limit", "too_large"), [(9, False), (8, True), (0, True)])
@pytest.mark.parametrize("step", [1, 3, 100])
def test_the_limit_counts_the_message_itself(limit, too_large, step):
    stream = b"..\r\n..b\r\n\r\n.\r\nrest"
    reader, rest, unused = read([stream[i : i + step] for i in range(0, len(stream), step)], limit)
    assert reader.too_large is too_large
    assert reader.content() == (b"" if too_large else b".\r\n.b\r\n\r\n")
    assert rest + b"".join(unused) == b"rest"


def test_nothing_is_kept_of_what_is_too_large():
    reader = DataReader(1000)
    for _ in range(100):
        assert reader.feed(b"x" * 999) is None
        assert len(reader.content()) <= 1000
    assert reader.feed(b"\r\n.\r\n") == b""
    assert reader.too_large


def test_an_empty_message():
    reader = DataReader(10)
    assert reader.feed(b".\r\nQUIT\r\n") == b"QUIT\r\n"
    assert reader.content() == b""


STRAY = [b"", b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r", b"\n\n", b"\0", b"\r\0\n", b"\xff", b" "]
FALSE_ENDS = [
    before + b"." + after
    for before, after in product(STRAY, STRAY)
    if (before, after) != (b"\r\n", b"\r\n")
]


@pytest.mark.parametrize("end", FALSE_ENDS, ids=repr)
def test_nothing_but_cr_lf_dot_cr_lf_ends_the_data(end):
    stream = b"one" + end + b"MAIL FROM:<evil>\r\n.\r\nQUIT\r\n"
    for step in (1, 2, 3, len(stream)):
        reader, rest, unused = read([stream[i : i + step] for i in range(0, len(stream), step)])
        assert reader.content() == b"one" + end.replace(b"\r\n.", b"\r\n") + b"MAIL FROM:<evil>\r\n"
        assert rest + b"".join(unused) == b"QUIT\r\n"


def test_lines_of_any_length_and_octets_of_any_kind_are_kept():
    content = bytes(range(256)) * 4000 + b"\r\n" + b"x" * 1_000_000 + b"\r\n"
    stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    reader, rest, _ = read(
        [stuffed[i : i + 65536] for i in range(0, len(stuffed), 65536)], 3_000_000
    )
    assert (reader.content(), rest) == (content, b"")
