"""Transfer encodings: lenient decoding, exact encoding."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.transfer import decode_base64, decode_transfer, encode_base64_lines


@pytest.mark.parametrize(
    ("encoded", "data"),
    [
        (b"SGVsbG8=", b"Hello"),
        (b"SGVs\r\nbG8=\r\n", b"Hello"),
        (b"SGVsbG8", b"Hello"),
        (b"SGVsb", b"Hel"),
        (b"SG!Vs*bG8=", b"Hello"),
        (b"S", b""),
        (b"====", b""),
        (b"", b""),
        (b"\xff\xfe", b""),
    ],
)
def test_base64_gives_what_can_be_read(encoded: bytes, data: bytes) -> None:
    assert decode_base64(encoded) == data


@given(st.binary())
def test_nothing_raises(data: bytes) -> None:
    for encoding in ("base64", "quoted-printable", "7bit", "x-uuencode"):
        decode_transfer(data, encoding)


@given(st.binary(), st.integers(1, 100), st.sampled_from([b"\r\n", b"\n"]))
def test_encoded_lines_have_one_length(data: bytes, length: int, newline: bytes) -> None:
    lines = encode_base64_lines(data, length, newline).split(newline)
    assert b"".join(lines) == base64.b64encode(data)
    assert all(len(line) == length for line in lines[:-1])


def test_quoted_printable() -> None:
    assert decode_transfer(b"a=3D=\r\nb=XY", "quoted-printable") == b"a=b=XY"
