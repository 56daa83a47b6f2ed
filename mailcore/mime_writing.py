"""Writing MIME entities by hand: text parts, multiparts and their boundaries (RFC 2045, RFC 2046).

An entity is its header fields, a blank line and its body, with CRLF line ends.
"""

import hashlib
import re
from collections.abc import Iterable

from mailcore.transfer import encode_base64_lines

LONGEST_LINE = 998
"""Octets without the line end (RFC 5322 section 2.1.1)."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_BASE64_LINE = 76  # characters (RFC 2045 section 6.8)


def text_entity(media_type: str, text: str, fields: bytes = b"") -> bytes:
    """A text part in UTF-8; `media_type` may have parameters, `fields` are further fields with their line ends.

    Text that any relay takes as it is goes as it is; other text, and what could be taken for a boundary, in base64.
    """
    body = "\r\n".join(_LINE_END.split(text)).encode("utf-8", "replace")
    plain = identity_encoding(body) == "7bit" and not body.startswith(b"--")
    if plain and b"\n--" not in body:
        encoding = "7bit"
    else:
        encoding, body = "base64", base64_body(body)
    head = f"Content-Type: {media_type}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return head.encode() + fields + b"\r\n" + body


def base64_body(data: bytes) -> bytes:
    """The body in base64, in lines of 76 characters with their line ends."""
    return encode_base64_lines(data, _BASE64_LINE, b"\r\n") + b"\r\n"


def identity_encoding(data: bytes) -> str:
    """The identity encoding that tells the truth about `data`: 7bit, 8bit or binary (RFC 2045 section 2.7 to 2.9).

    What is binary holds NUL, CR or LF alone, or a line of more than 998 octets, and no relay is bound to keep it.

    >>> identity_encoding(b"a\\r\\n"), identity_encoding(b"caf\\xe9\\r\\n"), identity_encoding(b"a\\nb")
    ('7bit', '8bit', 'binary')
    """
    line_ends = data.count(b"\r\n")
    if b"\0" in data or data.count(b"\n") != line_ends or data.count(b"\r") != line_ends:
        return "binary"
    if any(len(line) > LONGEST_LINE for line in data.split(b"\r\n")):
        return "binary"
    return "7bit" if data.isascii() else "8bit"


def multipart_entity(
    subtype: str, parts: Iterable[bytes], boundary: str, fields: bytes = b""
) -> bytes:
    """A multipart of whole entities; `subtype` may have parameters."""
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n'.encode()
    line = f"--{boundary}".encode()
    body = b"".join(b"%b\r\n%b\r\n" % (line, part) for part in parts)
    return head + fields + b"\r\n" + body + line + b"--\r\n"


def make_boundary(*seeds: bytes) -> str:
    """A boundary that follows from the seeds: the message that is to stand within is one, so it cannot hold it."""
    digest = hashlib.sha256()
    for seed in seeds:
        digest.update(hashlib.sha256(seed).digest())
    return f"=_{digest.hexdigest()[:32]}"
