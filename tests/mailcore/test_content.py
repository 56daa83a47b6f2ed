"""The lossless split: whatever goes in comes out, and equal attachments are equal content."""

import base64
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.content import Body, Content, assemble, split
from mailcore.mime import scan

_DATA = random.Random(1).randbytes(1000)


def taken_apart(raw: bytes) -> Content:
    content = split(raw, scan(raw))
    assert assemble(content.skeleton, content.bodies) == raw
    return content


def lines(data: bytes, length: int, newline: bytes) -> bytes:
    encoded = base64.b64encode(data)
    return newline.join(encoded[n : n + length] for n in range(0, len(encoded), length))


def attachment(body: bytes, newline: bytes = b"\r\n") -> bytes:
    return b"Content-Transfer-Encoding: base64" + newline * 2 + body


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("length", [4, 60, 64, 72, 75, 76, 998, 2000])
@pytest.mark.parametrize("ending", [0, 1, 2])
def test_base64_with_constant_lines_is_kept_decoded(
    newline: bytes, length: int, ending: int
) -> None:
    raw = attachment(lines(_DATA, length, newline) + newline * ending, newline)
    (body,) = taken_apart(raw).bodies
    assert (body.encoding, body.data, body.ending) == ("base64", _DATA, newline * ending)
    assert body.sha256 == hashlib.sha256(_DATA).digest()


@pytest.mark.parametrize(
    "body",
    [
        b"not base64 at all\r\n",
        b"SGVsbG8\r\n",  # no padding
        b"SGVsbG9=\r\n",  # bits after the end that are not zero
        b"SGVsbG8=\r\nSGVsbG8=\r\n",  # two streams
        b"SGVs\r\nbG8=\n",  # the line end after the last line is free
        b"SGVs\nbG8=\r\n",  # LF within, CRLF in the header
        b"SGVs\r\nbG\r\n8=\r\n",  # uneven lines
        b"SGVs \r\nbG8=\r\n",
        b"\r\nSGVsbG8=\r\n",
        b"SGVs\r\n\r\nbG8=\r\n",
        b"SGVs\rbG8=",
        b"SGVsbG8=\r\n" + b"\r\n" * 100,
        b"SGVsbG8=\r\n-- \r\nsent with words\r\n",
        b"\r\n\r\n",
        b"====",
        b"\xff\0",
    ],
)
def test_other_base64_is_kept_as_it_is_or_comes_back_the_same(body: bytes) -> None:
    (kept,) = taken_apart(attachment(body)).bodies
    exact = body == b"SGVs\r\nbG8=\n"
    assert kept.encoding == ("base64" if exact else "identity")
    assert kept.data == (b"Hello" if exact else body)


def test_quoted_printable_and_text_are_kept_as_they_are() -> None:
    raw = b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=3D"
    digest = hashlib.sha256(b"a=3D").digest()
    assert taken_apart(raw).bodies == (Body(len(raw) - 4, digest, b"a=3D", "identity"),)


def mixed(*parts: bytes, boundary: bytes = b"b") -> bytes:
    start = b"Content-Type: multipart/mixed; boundary=" + boundary + b"\r\n\r\nin old clients\r\n"
    inside = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return start + inside + b"--" + boundary + b"--\r\nafter\r\n"


def test_every_leaf_that_is_not_empty_is_a_body() -> None:
    raw = mixed(b"\r\none", b"\r\n", b"X: y", attachment(lines(_DATA, 76, b"\r\n")))
    content = taken_apart(raw)
    assert [body.data for body in content.bodies] == [b"one", _DATA]
    assert b"in old clients" in content.skeleton
    assert b"after" in content.skeleton


def test_an_attachment_is_the_same_content_however_it_arrives() -> None:
    plain = attachment(lines(_DATA, 76, b"\r\n"))
    other = attachment(lines(_DATA, 60, b"\r\n") + b"\r\n")
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + mixed(other, boundary=b"i")
    bodies = taken_apart(mixed(plain, forwarded)).bodies
    assert {body.sha256 for body in bodies} == {hashlib.sha256(_DATA).digest()}
    assert [body.line_length for body in bodies] == [76, 60]


def test_mail_without_bodies_is_all_skeleton() -> None:
    assert taken_apart(b"Subject: x\r\n") == Content(b"Subject: x\r\n", ())
    assert taken_apart(b"") == Content(b"", ())


@given(st.binary())
def test_any_bytes_come_back(raw: bytes) -> None:
    taken_apart(raw)


_PIECES = [
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    b"--b\r\n",
    b"--b\n",
    b"--b--\r\n",
    b"Content-Type: message/rfc822\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: base64\n\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"SGVsbG8=",
    b"SGVs",
    b"text",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join))
def test_any_structure_comes_back(raw: bytes) -> None:
    taken_apart(raw)


@given(
    st.binary(min_size=1),
    st.integers(1, 100),
    st.sampled_from([b"\r\n", b"\n"]),
    st.sampled_from([b"", b"\n", b"\r\n", b"\r\n\r\n"]),
)
def test_encoded_data_comes_back_and_is_kept_decoded(
    data: bytes, length: int, newline: bytes, ending: bytes
) -> None:
    (body,) = taken_apart(attachment(lines(data, length, newline) + ending, newline)).bodies
    assert body.data == data


@given(
    st.binary(min_size=1, max_size=60),
    st.integers(1, 20),
    st.sampled_from([b"\r\n", b"\n"]),
    st.integers(0, 100),
    st.sampled_from([b"", b"=", b"A", b"\r", b"\n", b"\r\n", b" ", b"-", b"\0"]),
    st.integers(0, 2),
)
def test_what_is_nearly_base64_comes_back(
    data: bytes, length: int, newline: bytes, at: int, octets: bytes, replaced: int
) -> None:
    proper = lines(data, length, newline)
    at = min(at, len(proper))
    taken_apart(attachment(proper[:at] + octets + proper[at + replaced :], newline))
