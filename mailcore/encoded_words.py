"""Encoded words in header fields (RFC 2047), as mail really has them.

Beyond the RFC it is accepted that a word contains spaces or `?`, stands inside quotes or inside
other text, and that a multi-octet character is torn across two words.  What is no encoded word
stays as it is.  Nothing raises, and the time is linear in the length of the text.
"""

import binascii
import re
from itertools import groupby

from mailcore.charset import decode_bytes
from mailcore.transfer import decode_base64

# charset [* language] ? encoding ? text: up to `?=`, never past the start of another word, so that matching
# stays linear.  (A possessive group would say the same; before Python 3.11.4 it matches wrongly.)
_WORD = re.compile(
    r"=\?([^?*\s]{1,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?((?:[^?=]|=(?!\?[^=])|\?(?!=))*)\?="
)


def decode_words(text: str) -> str:
    """Return `text` with its encoded words decoded; white space between two words is dropped.

    >>> decode_words("=?utf-8?Q?M=C3=BCn?= =?utf-8?B?Y2hlbg==?= calling")
    'München calling'
    """
    if "=?" not in text:
        return text
    decoded: list[str] = []
    for charset, run in groupby(_pieces(text), key=lambda piece: piece[0]):
        if charset is None:
            decoded.extend(str(piece) for _, piece in run)
        else:  # joined before decoding: a character may be torn across two words
            octets = b"".join(piece for _, piece in run if isinstance(piece, bytes))
            decoded.append(decode_bytes(octets, charset))
    return "".join(decoded)


def _pieces(text: str) -> list[tuple[str | None, str | bytes]]:
    """Split into (None, plain text) and (charset, octets)."""
    pieces: list[tuple[str | None, str | bytes]] = []
    end = 0
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        if between and not (end and between.isspace()):
            pieces.append((None, between))
        charset, encoding, content = word.groups()
        pieces.append((charset.lower(), _octets(content, encoding in "bB")))
        end = word.end()
    if end < len(text):
        pieces.append((None, text[end:]))
    return pieces


def _octets(content: str, base64: bool) -> bytes:
    data = content.encode("utf-8", "replace")
    return decode_base64(data) if base64 else binascii.a2b_qp(data, header=True)
