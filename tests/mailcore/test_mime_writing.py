"""Written MIME is read back as what it was, by us and by the standard library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime import scan
from mailcore.mime_writing import identity_encoding, make_boundary, multipart_entity, text_entity
from tests.support.dispatches import HOSTILE_TEXTS, parsed, text_of


@given(st.text() | st.sampled_from(HOSTILE_TEXTS))
def test_a_text_is_read_back_with_its_lines(text: str) -> None:
    found = parsed(b"MIME-Version: 1.0\r\n" + text_entity("text/plain", text))
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert text_of(found) == lines.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Hello\n", "7bit"),
        ("", "7bit"),
        ("a -- b\n- c\n", "7bit"),
        ("--", "base64"),
        ("a\n--b", "base64"),
        ("a\r--b", "base64"),
        ("Gr\xfc\xdfe", "base64"),
        ("a\0b", "base64"),
        ("x" * 998, "7bit"),
        ("x" * 999, "base64"),
        ("\ud800", "7bit"),  # half a character, of which a question mark is left
    ],
)
def test_text_goes_in_base64_where_it_must(text: str, encoding: str) -> None:
    entity = text_entity("text/plain", text, b"Content-ID: <1>\r\n")
    part = scan(entity)
    assert (part.encoding, part.params) == (encoding, {"charset": "utf-8"})
    assert [field.name for field in part.fields][2:] == ["Content-ID"]
    assert all(len(line) <= 998 for line in entity.split(b"\r\n"))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", "7bit"),
        (b"a\r\n", "7bit"),
        (b"\xff\r\n", "8bit"),
        (b"a\r\r\n", "binary"),
        (b"a\n\r\n", "binary"),
        (b"a\n\rb", "binary"),
        (b"\0", "binary"),
        (b"\xff" * 998, "8bit"),
        (b"\xff" * 999, "binary"),
    ],
)
def test_the_transfer_encoding_tells_the_truth(data: bytes, encoding: str) -> None:
    assert identity_encoding(data) == encoding


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_multipart_holds_its_parts(texts: list[str]) -> None:
    parts = [text_entity("text/plain", text) for text in texts]
    entity = multipart_entity("mixed", parts, make_boundary(*parts))
    root = scan(entity)
    assert [entity[part.header_start : part.body_end] for part in root.children] == parts


def test_a_boundary_follows_from_every_seed() -> None:
    seeds = [(b"a",), (b"a", b""), (b"", b"a"), (b"ab",), (b"a", b"b")]
    assert len({make_boundary(*seed) for seed in seeds}) == len(seeds)
    assert make_boundary(b"a") == make_boundary(b"a")
