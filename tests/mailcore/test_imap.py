"""Section numbers and the copy as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.imap import ImapCopy, Section, imap_copy
from mailcore.mime import scan
from tests.corpus.shapes import shapes


def copy_of(raw: bytes) -> ImapCopy:
    return imap_copy(raw, scan(raw))


def test_a_plain_message() -> None:
    raw = b"From: anna@example.org\r\n\r\nhello\r\n"
    copy = copy_of(raw)
    anna = b'((NIL NIL "anna" "example.org"))'
    assert copy.size == len(raw)
    assert copy.header == b"From: anna@example.org\r\n\r\n"
    assert copy.envelope == b"(NIL NIL %b %b %b NIL NIL NIL NIL NIL)" % (anna, anna, anna)
    assert copy.body == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1)'
    assert copy.bodystructure == copy.body[:-1] + b" NIL NIL NIL NIL)"
    assert copy.sections == (("1", 0, 26, 7),)


_NESTED = b"""\
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=i

--i

plain
--i
Content-Type: text/html

<p>html
--i--

--b
Content-Type: message/rfc822

Subject: forwarded
Content-Type: multipart/mixed; boundary=f

--f

inner one
--f
Content-Type: message/rfc822

Subject: deeper

deepest
--f--

--b--
""".replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("raw", "bodies"),
    [
        (b"X: y\r\n\r\nbody", {"1": b"body"}),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\nwords", {"1": b"words"}),
        (
            b"Content-Type: message/rfc822\r\n\r\nX: y\r\n\r\nbody",
            {"1": b"X: y\r\n\r\nbody", "1.1": b"body"},
        ),
        (
            _NESTED,
            {
                "1": None,
                "1.1": b"plain",
                "1.2": b"<p>html",
                "2": None,
                "2.1": b"inner one",
                "2.2": b"Subject: deeper\r\n\r\ndeepest",
                "2.2.1": b"deepest",
            },
        ),
    ],
    ids=["plain", "multipart without parts", "forwarded", "nested"],
)
def test_sections(raw: bytes, bodies: dict[str, bytes | None]) -> None:
    sections = copy_of(raw).sections
    assert [section.path for section in sections] == list(bodies)
    for section in sections:
        body = raw[section.start : section.start + section.length]
        assert body == (bodies[section.path] or body)


def test_the_mime_header_of_a_section_lies_before_its_body() -> None:
    section = copy_of(_NESTED).sections[2]
    assert _NESTED[section.mime_start : section.start] == b"Content-Type: text/html\r\n\r\n"


SHAPES = shapes()


@pytest.mark.parametrize("name", SHAPES)
def test_lines_before_a_message_move_its_sections_and_change_nothing_else(name: str) -> None:
    """So that the trace lines of each recipient can stand before a copy that all share."""
    trace, raw = b"Return-Path: <ben@example.net>\r\n", SHAPES[name]
    shared, own = copy_of(raw), copy_of(trace + raw)
    moved = tuple(
        Section(
            section.path,
            section.mime_start + len(trace) if section.mime_start else 0,
            section.start + len(trace),
            section.length,
        )
        for section in shared.sections
    )
    assert own == ImapCopy(
        shared.size + len(trace),
        trace + shared.header,
        shared.envelope,
        shared.body,
        shared.bodystructure,
        moved,
    )


_PIECES = [
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Disposition: a; b=\xff\r\n",
    b"Content-Language: ,\r\n",
    b'From: "\xff( <\r\n',
    b"--b\r\n",
    b"--b--\r\n",
    b"\r\n",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map(b"".join) | st.binary())
def test_any_bytes_have_a_copy_with_sections_inside_the_message(raw: bytes) -> None:
    copy = copy_of(raw)
    assert copy.sections
    for section in copy.sections:
        assert (
            0 <= section.mime_start <= section.start <= section.start + section.length <= len(raw)
        )
    for answer in (copy.envelope, copy.body, copy.bodystructure):
        assert answer.startswith(b"(")
        assert b"\0" not in answer
