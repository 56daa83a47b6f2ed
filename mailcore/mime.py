"""The MIME tree of a message as offsets into its bytes (RFC 2045, RFC 2046), never raising.

Bodies are neither copied nor read line by line: boundaries are searched for as bytes.  Broken mail
gives the tree that loses nothing: without an end boundary the last part goes on to the end; a
multipart without a usable boundary is a leaf; beyond `MOST_PARTS` parts or `DEEPEST` levels the
rest is a leaf.

Limits: an encoded message/rfc822 (base64, which the RFC forbids) is a leaf; message/partial and
message/external-body are leaves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailcore.charset import decode_bytes
from mailcore.encoded_words import decode_words
from mailcore.headers import (
    MOST_FIELDS,
    Field,
    first_value,
    header_end,
    parse_parameters,
    split_fields,
    unfold,
)
from mailcore.parameters import WORD
from mailcore.transfer import decode_transfer

MOST_PARTS = 2_000  # of one message, containers included
DEEPEST = 50  # levels below the message itself
_MOST_HEADER_OCTETS = 1_000_000  # of all header blocks together; the rest is kept, not read
# Lines that begin like a boundary but are none; more of them are no honest mail.
_MOST_CANDIDATES = 100_000
_LONGEST_BOUNDARY = 1_000  # octets; RFC 2046 allows 70
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\Z)")
_MEDIA_TYPE = re.compile(f"{WORD}/{WORD}")
_TOKEN = re.compile(WORD)
_COMMENT = re.compile(r"\([^()]*\)")
_IDENTITY_ENCODINGS = frozenset({"7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part: offsets into the message, and what its header says.

    The header block is ``raw[header_start:body_start]``, the body ``raw[body_start:body_end]``;
    the line end before a boundary belongs to the boundary.  `content_type` is ``type/subtype`` and
    `encoding` the Content-Transfer-Encoding, both in lower case.  The children of a multipart are
    its parts; a message/rfc822 has one child, the inner message.
    """

    header_start: int
    body_start: int
    body_end: int
    content_type: str
    params: dict[str, str]
    encoding: str
    fields: tuple[Field, ...]
    children: tuple["Part", ...] = ()

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or another word in lower case; empty without the field."""
        return self._disposition()[0]

    @property
    def filename(self) -> str:
        """The file's name as the sender wrote it, perhaps with a path; empty without one."""
        name = self._disposition()[1].get("filename") or self.params.get("name", "")
        return decode_words(name)

    def _disposition(self) -> tuple[str, dict[str, str]]:
        value = first_value(self.fields, "content-disposition")
        return parse_parameters(unfold(value)) if value is not None else ("", {})

    def walk(self) -> Iterator["Part"]:
        """Yield this part and all below it, in the order of the message."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


def scan(raw: bytes) -> Part:
    """Return the MIME tree of a message."""
    return _Scan(raw).part(0, len(raw), 0, "text/plain")


def decode_body(raw: bytes, part: Part) -> bytes:
    """Return a part's body without its transfer encoding; damaged ones give what can be read."""
    return decode_transfer(raw[part.body_start : part.body_end], part.encoding)


def decode_text(raw: bytes, part: Part) -> str:
    """Return a part's body as text; in an unknown charset it is read as UTF-8 or Latin-1."""
    return decode_bytes(decode_body(raw, part), part.params.get("charset", ""))


def _content_type(value: bytes | None, default: str) -> tuple[str, dict[str, str]]:
    """Read Content-Type; what is no media type counts as text/plain (RFC 2045 section 5.2)."""
    if value is None:
        return default, {}
    media_type, params = parse_parameters(unfold(value))
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else "text/plain", params


def transfer_encoding(fields: tuple[Field, ...]) -> str:
    """Return the Content-Transfer-Encoding as it was written; what is no word counts as 7bit."""
    value = first_value(fields, "content-transfer-encoding")
    if value is None:
        return "7bit"
    text = unfold(value)
    if "(" in text:
        text = _COMMENT.sub("", text)
    written = text.partition(";")[0].strip(' "')
    return written if _TOKEN.fullmatch(written) else "7bit"


def _boundary_octets(boundary: str, field: bytes) -> bytes:
    """Return a boundary as it stands in the body; octets that are no UTF-8 were read as Latin-1."""
    octets = boundary.encode("utf-8", "replace")
    if boundary.isascii() or octets in field:
        return octets
    return boundary.encode("latin-1", "replace")


class _Scan:
    """One pass over one message; the budgets are shared by all its parts."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._parts_left = MOST_PARTS
        self._fields_left = MOST_FIELDS
        self._header_octets_left = _MOST_HEADER_OCTETS
        self._candidates_left = _MOST_CANDIDATES

    def part(self, start: int, end: int, depth: int, default: str) -> Part:
        """Read the part in ``raw[start:end]``; `default` is its type when the header names none."""
        self._parts_left -= 1
        body_start = header_end(self._raw, start, end)
        fields = self._fields(start, body_start)
        field = first_value(fields, "content-type")
        content_type, params = _content_type(field, default)
        encoding = transfer_encoding(fields).lower()
        children: tuple[Part, ...] = ()
        # One part stays free for each multipart around this one: for what follows in it.
        if depth < DEEPEST and self._parts_left > depth:
            if content_type.startswith("multipart/"):
                inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
                boundary = _boundary_octets(params.get("boundary", "").rstrip(), field or b"")
                children = self._multipart(boundary, body_start, end, depth + 1, inner)
            elif content_type == "message/rfc822" and encoding in _IDENTITY_ENCODINGS:
                children = (self.part(body_start, end, depth + 1, "text/plain"),)
        return Part(start, body_start, end, content_type, params, encoding, fields, children)

    def _fields(self, start: int, end: int) -> tuple[Field, ...]:
        block = self._raw[start : min(end, start + self._header_octets_left)]
        fields = split_fields(block, self._fields_left)
        self._header_octets_left -= len(block)
        self._fields_left -= len(fields)
        return fields

    def _multipart(
        self, boundary: bytes, start: int, end: int, depth: int, default: str
    ) -> tuple[Part, ...]:
        """Read the parts between the boundaries; preamble and epilogue belong to none of them."""
        if not boundary or len(boundary) > _LONGEST_BOUNDARY:
            return ()
        parts: list[Part] = []
        opened = -1
        for line_start, line_end, closes in self._boundaries(boundary, start, end):
            if opened >= 0:
                if self._parts_left <= depth:
                    break
                part_end = self._before_line_end(line_start, opened)
                parts.append(self.part(opened, part_end, depth, default))
            opened = -1 if closes else line_end
        if opened >= 0:  # no end boundary, or too many parts
            parts.append(self.part(opened, end, depth, default))
        return tuple(parts)

    def _boundaries(self, boundary: bytes, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Yield (start of the line, start of the next, whether it closes) of boundary lines."""
        needle = b"\n--" + boundary
        at = start - 1  # the line end of the blank line before the body
        while self._candidates_left > 0:
            self._candidates_left -= 1
            at = self._raw.find(needle, max(at, 0), end)
            if at < 0:
                return
            after = _AFTER_BOUNDARY.match(self._raw, at + len(needle), end)
            if after is None:  # another boundary that begins like this one
                at += 1
                continue
            cut_off = after.end() == len(self._raw) and not after[0].endswith(b"\n")
            closes = after[1] is not None or cut_off
            yield at + 1, after.end(), closes
            if closes:
                return
            at = after.end() - 1  # the end of this line may be the beginning of the next boundary

    def _before_line_end(self, line_start: int, floor: int) -> int:
        """Return where the line before `line_start` ends, not counting its CRLF or LF."""
        end = line_start - 1
        if self._raw[end - 1 : end] == b"\r":
            end -= 1
        return max(end, floor)
