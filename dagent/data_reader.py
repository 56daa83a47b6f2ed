"""The bytes after DATA: the end of the data and transparency (RFC 5321 sections 4.1.1.4 and 4.5.2).

Only CR LF "." CR LF ends the data. A bare LF or CR is content like any other octet, so no two
servers on the way can disagree about where a message ends. Octets are kept as they are: NUL,
8-bit, lines of any length. No I/O: blocks go in, whatever way the network cut them.
"""

import io

_END = b"\r\n.\r\n"


def _undecided(data: bytes) -> int:
    """Return how many of the last octets may begin the end-of-data sequence (0 to 4)."""
    for length in range(min(len(data), len(_END) - 1), 0, -1):
        if data.endswith(_END[:length]):
            return length
    return 0


class DataReader:
    """Collects one message from blocks of the stream.

    Parameters: `limit` is the largest message in octets, counted as RFC 1870 does: with line ends,
    without the stuffed dots and the final dot line. Of a larger message nothing is kept, while its
    end is still looked for.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = io.BytesIO()
        # The line end before the first line is the one of the DATA command: imagined here and
        # dropped with the first octets stored, it makes the first line a line like the others.
        self._carry = b"\r\n"
        self._imagined = 2
        self.too_large = False

    def feed(self, block: bytes) -> bytes | None:
        """Take the next octets; return those behind the end of the data, None before the end."""
        data = self._carry + block if self._carry else block
        # Few lines begin with a dot, often only the last: this one search mostly decides it all.  In base64 there is
        # no dot at all, and one octet is looked for eighty times as fast as three.
        dot = data.find(b"\r\n.") if b"." in data else -1
        end = data.find(_END, dot) if dot >= 0 else -1
        if end >= 0:
            self._store(data[: end + 2], stuffed=dot < end)
            self._carry = b""
            return data[end + len(_END) :]
        kept = len(data) - _undecided(data)
        self._carry = data[kept:]
        self._store(data[:kept], stuffed=dot >= 0)
        return None

    def content(self) -> bytes:
        """Return the message, dots unstuffed; empty when it was too large."""
        return (
            self._content.getvalue()
        )  # this buffer itself: a large message must not be here twice

    def _store(self, piece: bytes, *, stuffed: bool) -> None:
        """Keep a piece that ends neither inside a CR LF "." nor with one whose meaning is open."""
        if self.too_large:
            return
        if stuffed:
            piece = piece.replace(b"\r\n.", b"\r\n")
        if self._imagined and piece:
            piece = piece[self._imagined :]
            self._imagined = 0
        self._content.write(piece)
        if self._content.tell() > self._limit:
            self.too_large = True
            self._content = io.BytesIO()
