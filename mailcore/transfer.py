"""Content transfer encodings (RFC 2045 section 6): lenient when decoding, exact when encoding.

Decoding never raises: mail with a damaged attachment is still mail.  Known limit: base64 text that
goes on after its padding is read up to the padding.
"""

import binascii

_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64_ALPHABET))


def decode_base64(data: bytes) -> bytes:
    """Return what base64 text stands for; foreign characters are skipped, a torn end is dropped.

    >>> decode_base64(b"SGVs\\r\\nbG8")
    b'Hello'
    """
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        digits = data.translate(None, _NOT_BASE64)
        if len(digits) % 4 == 1:  # six bits alone are no octet
            digits = digits[:-1]
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def encode_base64_lines(data: bytes, line_length: int, newline: bytes) -> bytes:
    """Return `data` in base64, `newline` after every `line_length` characters but not after the
    last.

    >>> encode_base64_lines(b"Hello", 4, b"\\n")
    b'SGVs\\nbG8='
    """
    encoded = binascii.b2a_base64(data, newline=False)
    lines = [encoded[at : at + line_length] for at in range(0, len(encoded), line_length)]
    return newline.join(lines)


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding, given in lower case; what is not known is the identity."""
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    return data
