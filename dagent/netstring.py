"""Netstrings out of blocks of a stream, and into one: `5:hello,` is `hello`.

No I/O.  A length has no leading zeros and no sign; whatever else stands there is an error, after which
the stream cannot be read on, because nobody knows where the next netstring begins.
"""

_COLON, _COMMA, _ZERO = b":,0"


class NetstringError(Exception):
    """What came is no netstring, or a longer one than is accepted."""


class Netstrings:
    """Splits a stream into netstrings of at most `limit` octets each, the frame not counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._digits = len(str(limit))
        self._buffer = bytearray()

    def feed(self, block: bytes) -> None:
        """Take the next octets of the stream."""
        self._buffer += block

    def next_string(self) -> bytes | None:
        """Return the next one without its frame, or None while it is not complete.

        Raises NetstringError, as soon as it is known that none can come.
        """
        colon = self._buffer.find(_COLON, 0, self._digits + 1)
        if colon < 0:
            if self._buffer:
                self._check_length(bytes(self._buffer))
            return None
        length = self._check_length(bytes(self._buffer[:colon]))
        comma = colon + 1 + length
        if len(self._buffer) <= comma:
            return None
        if self._buffer[comma] != _COMMA:
            raise NetstringError("no comma after the text")
        text = bytes(self._buffer[colon + 1 : comma])
        del self._buffer[: comma + 1]
        return text

    def _check_length(self, digits: bytes) -> int:
        """The length that `digits` say, or begin to say."""
        if not digits.isdigit() or (digits[0] == _ZERO and len(digits) > 1):
            raise NetstringError("the length is no number")
        if len(digits) > self._digits or int(digits) > self._limit:
            raise NetstringError(f"longer than {self._limit} octets")
        return int(digits)


def netstring(text: bytes) -> bytes:
    """Frame a text.

    >>> netstring(b"hello")
    b'5:hello,'
    """
    return b"%d:%b," % (len(text), text)
