"""The MIME tree: proper mail, broken mail and hostile mail."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime import DEEPEST, MOST_PARTS, Part, decode_body, decode_text, scan

_MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def shape(raw: bytes, part: Part | None = None) -> object:
    """A leaf is its body; a container is its subtype and its children."""
    part = part or scan(raw)
    if not part.children:
        return raw[part.body_start : part.body_end]
    return part.content_type.partition("/")[2], [shape(raw, child) for child in part.children]


SHAPES = {
    "plain": (b"Subject: x\r\n\r\nhello\r\n", b"hello\r\n"),
    "only a body": (b"\r\nhello", b"hello"),
    "no blank line": (b"hello", b""),
    "two parts": (
        _MIXED + b"preamble\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue",
        ("mixed", [b"one", b"two\r\n"]),
    ),
    "LF": (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n",
        ("mixed", [b"one", b"two"]),
    ),
    "white space after a boundary": (
        _MIXED + b"--b \t\r\n\r\none\r\n--b-- \r\n",
        ("mixed", [b"one"]),
    ),
    "no end": (_MIXED + b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n", ("mixed", [b"one", b"two\r\n"])),
    "end without a line end": (_MIXED + b"--b\r\n\r\none\r\n--b--", ("mixed", [b"one"])),
    "cut in a boundary": (_MIXED + b"--b\r\n\r\none\r\n--b", ("mixed", [b"one"])),
    "cut after a boundary": (_MIXED + b"--b\r\n\r\none\r\n--b\r\n", ("mixed", [b"one", b""])),
    "boundary that is no UTF-8": (
        b"Content-Type: multipart/mixed; boundary=caf\xe9\r\n\r\n"
        b"--caf\xe9\r\n\r\none\r\n--caf\xe9--",
        ("mixed", [b"one"]),
    ),
    "no parts": (_MIXED + b"only words\r\n", b"only words\r\n"),
    "closed at once": (_MIXED + b"--b--\r\n", b"--b--\r\n"),
    "no boundary parameter": (
        b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx",
        b"--b\r\n\r\nx",
    ),
    "empty parts": (_MIXED + b"--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--", ("mixed", [b"", b"", b""])),
    "part without a body": (_MIXED + b"--b\r\nX: y\r\n--b--", ("mixed", [b""])),
    "boundary that begins alike": (
        _MIXED + b"--b\r\n\r\none\r\n--bb\r\nmore\r\n--b--\r\n",
        ("mixed", [b"one\r\n--bb\r\nmore"]),
    ),
    "boundary within a line": (_MIXED + b"--b\r\n\r\nx --b\r\n--b--", ("mixed", [b"x --b"])),
    "inner boundary begins like the outer": (
        _MIXED + b"--b\r\nContent-Type: multipart/alternative; boundary=bc\r\n\r\n"
        b"--bc\r\n\r\none\r\n--bc--\r\n\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
        ("mixed", [("alternative", [b"one"]), b"two"]),
    ),
    "inner end is missing": (
        _MIXED + b"--b\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n"
        b"--i\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
        ("mixed", [("alternative", [b"one"]), b"two"]),
    ),
    "same boundary inside": (
        _MIXED + b"--b\r\n" + _MIXED + b"--b\r\n\r\none\r\n--b--\r\n",
        ("mixed", [b"", b"one"]),
    ),
    "quoted boundary with specials": (
        b'Content-Type: multipart/mixed;\r\n boundary="=_(a;b)?"\r\n\r\n'
        b"--=_(a;b)?\r\n\r\none\r\n--=_(a;b)?--\r\n",
        ("mixed", [b"one"]),
    ),
    "forwarded": (
        b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhello",
        ("rfc822", [b"hello"]),
    ),
    "forwarded, empty": (b"Content-Type: message/rfc822\r\n\r\n", ("rfc822", [b""])),
    "forwarded in base64": (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQTogYg==",
        b"QTogYg==",
    ),
    "digest": (
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n"
        b"--b\r\n\r\nSubject: x\r\n\r\none\r\n--b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--b--",
        ("digest", [("rfc822", [b"one"]), b"two"]),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), SHAPES.values(), ids=SHAPES)
def test_shape(raw: bytes, expected: object) -> None:
    assert shape(raw) == expected


@pytest.mark.parametrize(
    ("header", "content_type", "encoding"),
    [
        (b"", "text/plain", "7bit"),
        (b"Content-Type: TEXT/HTML; charset=x", "text/html", "7bit"),
        (b"Content-Type: text", "text/plain", "7bit"),
        (b"Content-Type:", "text/plain", "7bit"),
        (b"Content-Type: a/b/c", "text/plain", "7bit"),
        (b"Content-Type: text/html, charset=utf-8", "text/plain", "7bit"),
        (b"Content-Type: t\xe9xt/plain", "text/plain", "7bit"),
        (b"content-type: image/png\r\nContent-Type: text/html", "image/png", "7bit"),
        (b"Content-Transfer-Encoding: BASE64 (as always)", "text/plain", "base64"),
        (b"Content-Transfer-Encoding: (of course) base64", "text/plain", "base64"),
        (b'Content-Transfer-Encoding: "8bit";', "text/plain", "8bit"),
        (b"Content-Transfer-Encoding: 8 bit", "text/plain", "7bit"),
        (b"Content-Transfer-Encoding: b\xe9se64", "text/plain", "7bit"),
        (b"Content-Transfer-Encoding:", "text/plain", "7bit"),
    ],
)
def test_what_the_header_says(header: bytes, content_type: str, encoding: str) -> None:
    part = scan(header + b"\r\n\r\n")
    assert (part.content_type, part.encoding) == (content_type, encoding)


@pytest.mark.parametrize(
    ("header", "disposition", "filename"),
    [
        (b"", "", ""),
        (b"Content-Disposition: INLINE", "inline", ""),
        (b"Content-Disposition: attachment; filename=a.pdf", "attachment", "a.pdf"),
        (b"Content-Disposition: attachment; filename*=utf-8''%C3%A9.pdf", "attachment", "é.pdf"),
        (b'Content-Disposition: attachment; filename="=?utf-8?q?=C3=A9?="', "attachment", "é"),
        (b"Content-Type: image/png; name=b.png", "", "b.png"),
        (b"Content-Type: x/y; name=b\r\nContent-Disposition: inline; filename=a", "inline", "a"),
    ],
)
def test_file_names(header: bytes, disposition: str, filename: str) -> None:
    part = scan(header + b"\r\n\r\n")
    assert (part.disposition, part.filename) == (disposition, filename)


@pytest.mark.parametrize(
    ("header", "body", "text"),
    [
        (b"X: y", b"caf\xc3\xa9", "café"),
        (b"Content-Type: text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        (b"Content-Type: text/plain; charset=x-unknown", b"caf\xe9", "café"),
        (b"Content-Transfer-Encoding: quoted-printable", b"caf=C3=A9=\r\n!", "café!"),
        (b"Content-Transfer-Encoding: base64", b"Y2Fmw6k=\r\n", "café"),
        (b"Content-Transfer-Encoding: base64", b"Y2Fmw6k", "café"),
        (b"Content-Transfer-Encoding: x-other", b"a=3D", "a=3D"),
    ],
)
def test_text(header: bytes, body: bytes, text: str) -> None:
    raw = header + b"\r\n\r\n" + body
    assert decode_text(raw, scan(raw)) == text
    assert decode_body(raw, scan(raw)).decode("utf-8", "replace")[:3] == text[:3]


def test_walking_goes_in_the_order_of_the_message() -> None:
    raw, _ = SHAPES["inner boundary begins like the outer"]
    types = [part.content_type for part in scan(raw).walk()]
    assert types == ["multipart/mixed", "multipart/alternative", "text/plain", "text/plain"]


@pytest.mark.parametrize("container", ["multipart/mixed; boundary=", "message/rfc822; x="])
def test_below_the_deepest_level_the_rest_is_a_leaf(container: str) -> None:
    levels = range(DEEPEST + 20)
    raw = b"".join(
        b"Content-Type: %s%d\r\n\r\n--%d\r\n" % (container.encode(), n, n) for n in levels
    )
    if container.startswith("message"):
        raw = b"Content-Type: message/rfc822\r\n\r\n" * (DEEPEST + 20)
    parts = list(scan(raw).walk())
    assert len(parts) == DEEPEST + 1
    assert parts[-1].body_end == len(raw)
    assert not parts[-1].children


def test_after_the_last_part_that_counts_the_rest_is_kept_whole() -> None:
    raw = _MIXED + b"--b\r\n\r\nx\r\n" * (MOST_PARTS + 500) + b"--b--\r\n"
    parts = list(scan(raw).walk())
    assert len(parts) == MOST_PARTS
    assert parts[-1].body_end == len(raw)
    assert raw.count(b"--b\r\n", parts[-1].body_start) == 501


def test_a_crowded_multipart_leaves_a_part_for_what_follows_it() -> None:
    crowd = b"--i\r\n\r\nx\r\n" * (MOST_PARTS + 500) + b"--i--\r\n"
    inner = b"--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n" + crowd
    raw = _MIXED + inner + b"--b\r\n\r\nafter it\r\n--b\r\n\r\nand more"
    root = scan(raw)
    assert len(list(root.walk())) == MOST_PARTS
    assert shape(raw, root.children[-1]) == b"after it\r\n--b\r\n\r\nand more"


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "boundary lines": lambda n: _MIXED + b"--b\n" * (n // 4),
    "lines like a boundary": lambda n: _MIXED + b"--bX\n" * (n // 5),
    "boundaries and blanks": lambda n: _MIXED + b"--b  \t" * (n // 6),
    "the same multipart again and again": lambda n: (_MIXED + b"--b\r\n") * (n // 50),
    "every boundary begins like the next": lambda n: (
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%b\n\n--%b\n" % (b"b" * k, b"b" * k)
            for k in range(60, 0, -1)
        )
        + (b"\n--" + b"b" * 61) * (n // 64)
    ),
    "long boundary": lambda n: (
        b"Content-Type: multipart/mixed; boundary="
        + b"a" * 900
        + b"\n\n"
        + b"\n--aaaaaaa" * (n // 10)
    ),
    "fields": lambda n: b"a:\n" * (n // 3),
    "colons": lambda n: b":" * n,
    "parameters": lambda n: b"Content-Type: multipart/mixed" + b'; a*1*="b' * (n // 9) + b"\n\nx",
    "forwarded again and again": lambda n: b"Content-Type: message/rfc822\n\n" * (n // 30),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_hostile_mail_is_scanned_in_time(make: Callable[[int], bytes]) -> None:
    raw = make(1_000_000)
    began = time.process_time()
    scan(raw)
    assert time.process_time() - began < 1


_PIECES = [
    _MIXED,
    b"--b\r\n",
    b"--b--\r\n",
    b"--bc\n",
    b"\r\n",
    b"\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: multipart/digest; boundary=bc\n\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"SGVsbG8=\r\n",
    b"text",
    b"\r",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join) | st.binary())
def test_any_bytes_give_a_tree_whose_parts_lie_within_each_other(raw: bytes) -> None:
    root = scan(raw)
    assert (root.header_start, root.body_end) == (0, len(raw))
    for part in root.walk():
        assert part.header_start <= part.body_start <= part.body_end
        decode_text(raw, part)
        end = part.body_start
        for child in part.children:
            assert end <= child.header_start
            assert child.body_end <= part.body_end
            end = child.body_end
