"""The lossless split of a message for storage: a skeleton, and the bodies that are put back into
it.

The skeleton is everything that is no leaf's body: header blocks, boundaries, preambles.
Attachments inside forwarded messages are bodies of their own, so that the same file is the same
content wherever it arrives.  A base64 body is kept decoded only where encoding it again gives the
same bytes: lines of one constant length, with the line ends of the header before them; every other
body is kept as it is.
"""

import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from mailcore.mime import Part
from mailcore.transfer import encode_base64_lines

_LONGEST_ENDING = 64  # octets of line ends after the last base64 line


@dataclass(frozen=True, slots=True)
class Body:
    """One leaf's body.

    `offset` is the position in the skeleton where it is put back; `sha256` is the hash of `data`,
    32 octets.  `encoding` is ``identity`` or ``base64``.  With base64, `line_length` is the number
    of characters in a full line and `ending` what follows the last line; the line ends between
    are those of the line before the body in the skeleton.
    """

    offset: int
    sha256: bytes
    data: bytes
    encoding: str
    line_length: int = 0
    ending: bytes = b""


@dataclass(frozen=True, slots=True)
class Content:
    """A message taken apart; `assemble` makes it whole again."""

    skeleton: bytes
    bodies: tuple[Body, ...]


def split(raw: bytes, root: Part) -> Content:
    """Take a message apart; `assemble` of its skeleton and bodies gives `raw`, whatever it is."""
    kept: list[bytes] = []
    bodies: list[Body] = []
    offset = 0
    done = 0
    for part in root.walk():
        if part.children or part.body_start == part.body_end:
            continue
        before = raw[done : part.body_start]
        kept.append(before)
        offset += len(before)
        newline = b"\r\n" if before.endswith(b"\r\n") else b"\n"
        bodies.append(_body(offset, raw[part.body_start : part.body_end], part.encoding, newline))
        done = part.body_end
    kept.append(raw[done:])
    return Content(b"".join(kept), tuple(bodies))


def assemble(skeleton: bytes, bodies: Iterable[Body]) -> bytes:
    """Return the message that `split` took apart; `bodies` in the order of their offsets."""
    pieces: list[bytes] = []
    done = 0
    for body in bodies:
        pieces.append(skeleton[done : body.offset])
        pieces.append(_as_it_was(body, skeleton))
        done = body.offset
    pieces.append(skeleton[done:])
    return b"".join(pieces)


def _as_it_was(body: Body, skeleton: bytes) -> bytes:
    if body.encoding != "base64":
        return body.data
    crlf = skeleton.endswith(b"\r\n", 0, body.offset)
    lines = encode_base64_lines(body.data, body.line_length, b"\r\n" if crlf else b"\n")
    return lines + body.ending


def _body(offset: int, body: bytes, encoding: str, newline: bytes) -> Body:
    if encoding == "base64":
        lines = body.rstrip(b"\r\n")
        ending = body[len(lines) :]
        line_length = lines.find(newline)
        if line_length < 0:
            line_length = len(lines)
        data = _decoded_exactly(lines, line_length, newline)
        if data is not None and len(ending) <= _LONGEST_ENDING:
            return Body(offset, _digest(data), data, "base64", line_length, ending)
    return Body(offset, _digest(body), body, "identity")


def _decoded_exactly(lines: bytes, line_length: int, newline: bytes) -> bytes | None:
    """Return what the lines stand for, None when encoding that again would give other bytes.

    Encoding a large attachment to compare takes longer than decoding it, so the conditions under which the bytes are
    the same are looked at one by one: where the line ends are, the alphabet, and the bits that padding leaves unused.
    """
    if not line_length:
        return None
    digits = lines.translate(None, newline)
    if not _evenly_broken(lines, len(digits), line_length, newline):
        return None
    try:
        data = binascii.a2b_base64(digits, strict_mode=True)
    except binascii.Error:
        return None
    last = len(data) % 3 or 3
    return data if binascii.b2a_base64(data[-last:], newline=False) == digits[-4:] else None


def _evenly_broken(lines: bytes, digits: int, line_length: int, newline: bytes) -> bool:
    """Whether line ends stand after every `line_length` digits but not after the last, and nowhere else."""
    ends = (digits - 1) // line_length
    step = line_length + len(newline)
    return len(lines) == digits + ends * len(newline) and all(
        lines[line_length + i :: step] == newline[i : i + 1] * ends for i in range(len(newline))
    )


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
