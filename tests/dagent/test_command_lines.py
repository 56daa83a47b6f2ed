from hypothesis import given
from hypothesis import strategies as st

from dagent.command_lines import CommandLineError, CommandLines

LIMIT = 12
STREAM = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b"a", b"NOOP\r\n", b"x" * 9]), max_size=20
).map(b"".join)


def split(blocks):
    lines = CommandLines(LIMIT)
    seen: list[bytes | None] = []
    for block in blocks:
        lines.feed(block)
        while True:
            try:
                line = lines.next_line()
            except CommandLineError:
                seen.append(None)
                continue
            if line is None:
                break
            seen.append(line)
    return seen


def simple_split(stream):
    """Whole lines by CR LF; those with stray octets or too many of them are None."""
    return [
        None if set(line) & set(b"\r\n\0") or len(line) + 2 > LIMIT else line
        for line in stream.split(b"\r\n")[:-1]
    ]


@given(STREAM, st.integers(min_value=1, max_value=30))
def test_lines_do_not_depend_on_the_blocks(stream, step):
    stream += b"\r\n"
    blocks = [stream[i : i + step] for i in range(0, len(stream), step)]
    assert split(blocks) == simple_split(stream)


def test_what_was_not_read_as_a_line_can_be_taken():
    lines = CommandLines(LIMIT)
    lines.feed(b"DATA\r\nhello\r\n.")
    assert lines.next_line() == b"DATA"
    assert lines.take_rest() == b"hello\r\n."
    assert lines.next_line() is None


def test_a_bare_line_feed_is_answered_at_once():
    assert split([b"NOOP\n"]) == [None]


def test_a_line_without_end_is_refused_once():
    assert split([b"x" * 5] * 100) == [None]
