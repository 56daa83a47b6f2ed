import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagent.netstring import NetstringError, Netstrings, netstring

TEXTS = st.lists(st.binary(max_size=40), max_size=6)


@given(TEXTS, st.data())
def test_texts_come_back_however_the_stream_is_cut(texts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(netstring, texts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader, found = Netstrings(40), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:end])
        while (text := reader.next_string()) is not None:
            found.append(text)
    assert found == texts


@given(st.binary(max_size=30))
def test_any_stream_gives_texts_or_one_kind_of_error(stream: bytes) -> None:
    reader = Netstrings(10)
    reader.feed(stream)
    read = b""
    try:
        while (text := reader.next_string()) is not None:
            read += netstring(text)
    except NetstringError:
        pass
    assert stream.startswith(read)


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"x", "no number"),
        (b":,", "no number"),
        (b"-1:x,", "no number"),
        (b"+1:x,", "no number"),
        (b"01:x,", "no number"),
        (b" 1:x,", "no number"),
        (b"1 :x,", "no number"),
        (b"\xd9\xa1:x,", "no number"),  # ARABIC-INDIC DIGIT ONE
        (b"1:xy", "no comma"),
        (b"0::", "no comma"),
        (b"101", "longer than 100"),
        (b"101:", "longer than 100"),
        (b"1000", "longer than 100"),
        (b"9" * 5000, "longer than 100"),
        (b"GET / HTTP/1.1\r\n", "no number"),
    ],
)
def test_what_is_no_netstring_is_refused_as_soon_as_it_shows(stream: bytes, why: str) -> None:
    reader = Netstrings(100)
    reader.feed(stream)
    with pytest.raises(NetstringError, match=why):
        reader.next_string()


@pytest.mark.parametrize("stream", [b"", b"1", b"100", b"100:", b"3:abc", b"0:"])
def test_the_beginning_of_a_netstring_is_waited_for(stream: bytes) -> None:
    reader = Netstrings(100)
    reader.feed(stream)
    assert reader.next_string() is None


def test_the_largest_text_is_taken() -> None:
    reader = Netstrings(100)
    reader.feed(netstring(b"x" * 100))
    assert reader.next_string() == b"x" * 100
