"""Header blocks and header fields (RFC 5322 section 2.2), on bytes and offsets.

Nothing here raises: a line that is no field is skipped, an octet that is no UTF-8 is read as
Latin-1.  A header block ends at its blank line, with CRLF or LF alone; a bare CR is no line end.
"""

import re
from itertools import islice
from typing import NamedTuple

from mailcore.address_list import Mailbox, parse_addresses
from mailcore.charset import decode_bytes, one_line
from mailcore.encoded_words import decode_words
from mailcore.parameters import parse_parameters

__all__ = [
    "MOST_FIELDS",
    "Field",
    "Mailbox",
    "decode_value",
    "first_value",
    "header_end",
    "parse_addresses",
    "parse_parameters",
    "split_fields",
    "unfold",
    "unfold_octets",
]

MOST_FIELDS = 20_000  # of one message, its parts included; fields of two octets cost memory
# White space before the colon is obsolete syntax (RFC 5322 section 4.5), and real.
_FIELD = re.compile(
    rb"^([!-9;-~]++)[ \t]*+:[ \t]*+([^\n]*+(?:\n[ \t][^\n]*+)*)",
    re.MULTILINE,
)
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_LINE_ENDS = re.compile(rb"\r\n|\n")


class Field(NamedTuple):
    """One header field: the name as written, the value still folded and encoded.

    The value has neither the white space after the colon nor the final line end.
    """

    name: str
    value: bytes


def header_end(raw: bytes, start: int = 0, end: int | None = None) -> int:
    """Return the offset just after the blank line that ends the header block; `end` when there is
    none.

    >>> header_end(b"A: b\\r\\n\\r\\nbody")
    8
    """
    if end is None:
        end = len(raw)
    if raw.startswith(b"\r\n", start, end):
        return start + 2
    if raw.startswith(b"\n", start, end):
        return start + 1
    crlf = raw.find(b"\n\r\n", start, end)
    lf = raw.find(b"\n\n", start, end if crlf < 0 else crlf + 1)
    if lf >= 0:
        return lf + 2
    return crlf + 3 if crlf >= 0 else end


def split_fields(block: bytes, most: int = MOST_FIELDS) -> tuple[Field, ...]:
    """Return the fields of a header block in their order, at most `most`; other lines are skipped.

    >>> split_fields(b"From anna Mon\\r\\nSubject: a\\r\\n b\\r\\n")
    (Field(name='Subject', value=b'a\\r\\n b'),)
    """
    return tuple(
        Field(found[1].decode("ascii"), found[2].removesuffix(b"\r"))
        for found in islice(_FIELD.finditer(block), most)
    )


def first_value(fields: tuple[Field, ...], name: str) -> bytes | None:
    """Return the raw value of the first field of that name (lower case), None without one."""
    for field in fields:
        if field.name.lower() == name:
            return field.value
    return None


def unfold(value: bytes) -> str:
    """Return a value on one line (RFC 5322 section 2.2.3), encoded words left as they are.

    Octets beyond ASCII are UTF-8 (RFC 6532), or else Latin-1.
    """
    text = decode_bytes(value)
    return one_line(_FOLD.sub("", text) if "\n" in text else text)


def unfold_octets(value: bytes) -> bytes:
    """Return a value without line ends and outer white space; the other octets as they are."""
    return (_LINE_ENDS.sub(b"", value) if b"\n" in value else value).strip()


def decode_value(value: bytes) -> str:
    """Return a value as people read it: unfolded, decoded, without control characters.

    >>> decode_value(b"=?utf-8?q?Caf=C3=A9?=\\r\\n at noon")
    'Café at noon'
    """
    text = unfold(value)
    return one_line(decode_words(text)) if "=?" in text else text
