"""What an IMAP server answers about a message without parsing it again (RFC 3501 sections 6.4.5
and 7.4.2).

Sizes and offsets are those of the stored bytes, so the bytes must have the line ends that clients
are to see.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mailcore.imap_envelope import envelope
from mailcore.imap_structure import body_structure
from mailcore.mime import Part


class Section(NamedTuple):
    """One numbered section: offsets and the length in octets into the message.

    The MIME header of the part is ``raw[mime_start:start]``.  Of a message/rfc822 the section is
    the inner message, header and body.
    """

    path: str
    mime_start: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class ImapCopy:
    """The answers: RFC822.SIZE, the header block with its blank line, and the rest in IMAP syntax.

    `envelope`, `body` and `bodystructure` stand as they follow the words ENVELOPE, BODY and
    BODYSTRUCTURE; they may contain literals.
    """

    size: int
    header: bytes
    envelope: bytes
    body: bytes
    bodystructure: bytes
    sections: tuple[Section, ...]


def imap_copy(raw: bytes, root: Part) -> ImapCopy:
    """Return the answers for a message and its MIME tree."""
    return ImapCopy(
        size=len(raw),
        header=raw[: root.body_start],
        envelope=envelope(root.fields),
        body=body_structure(raw, root, extended=False),
        bodystructure=body_structure(raw, root, extended=True),
        sections=tuple(_message_sections(root, "")),
    )


def _message_sections(message: Part, prefix: str) -> Iterator[Section]:
    """Number the parts of a message: a message that is no multipart has one part, number 1."""
    if _is_multipart(message):
        yield from _numbered(message, prefix)
    else:
        yield from _sections(message, f"{prefix}1")


def _numbered(multipart: Part, prefix: str) -> Iterator[Section]:
    for number, child in enumerate(multipart.children, 1):
        yield from _sections(child, f"{prefix}{number}")


def _sections(part: Part, path: str) -> Iterator[Section]:
    yield Section(path, part.header_start, part.body_start, part.body_end - part.body_start)
    if _is_multipart(part):
        yield from _numbered(part, f"{path}.")
    elif part.children:
        yield from _message_sections(part.children[0], f"{path}.")


def _is_multipart(part: Part) -> bool:
    return part.content_type.startswith("multipart/") and bool(part.children)
