"""Command lines out of blocks of the stream (RFC 5321 section 2.3.8: only CR LF ends a line).

No I/O. A line that contains a bare CR, a bare LF or a NUL is refused as a whole, up to its CR LF:
whoever puts a line feed into an argument cannot make a second command of what follows it.
"""


class CommandLineError(Exception):
    """A line that is no command line; the rest of it has been, or will be, skipped."""


class CommandLines:
    """Splits the stream into command lines.

    Parameters: `limit` is the longest line in octets, its CR LF included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._start = 0
        self._skipping = False

    def feed(self, block: bytes) -> None:
        """Take the next octets of the stream."""
        self._buffer = self._buffer[self._start :] + block
        self._start = 0

    def take_rest(self) -> bytes:
        """Hand over everything that has been fed and not been read as a line."""
        rest = self._buffer[self._start :]
        self._buffer, self._start = b"", 0
        return rest

    def next_line(self) -> bytes | None:
        """Return the next line without its CR LF, or None while it is not complete.

        Raises CommandLineError once for each bad line, as soon as it is known to be bad: a person
        who types with bare line feeds gets an answer at once.
        """
        if self._skipping and not self._skip():
            return None
        end = self._buffer.find(b"\n", self._start)
        if end < 0:
            if len(self._buffer) - self._start >= self._limit:
                self._refuse("line too long", len(self._buffer) - 1)
            return None
        if end + 1 - self._start > self._limit:
            self._refuse("line too long", end - 1)
        line = self._buffer[self._start : end - 1]
        if end == self._start or self._buffer[end - 1] != 0x0D:
            self._refuse("a command line ends with CR LF, not with LF alone", end + 1)
        self._start = end + 1
        if b"\r" in line or b"\0" in line:
            raise CommandLineError("a bare CR or a NUL in a command line")
        return line

    def _refuse(self, why: str, skip_from: int) -> None:
        """Go on at offset `skip_from`, past the next CR LF."""
        self._start = max(skip_from, self._start)
        self._skipping = True
        raise CommandLineError(why)

    def _skip(self) -> bool:
        """Drop the rest of a bad line; False while its end has not come."""
        end = self._buffer.find(b"\r\n", self._start)
        if end < 0:
            last = len(self._buffer) - 1
            # A CR at the very end may be the first half of the line's end.
            keep = self._buffer.endswith(b"\r") and last >= self._start
            self._start = last if keep else len(self._buffer)
            return False
        self._start = end + 2
        self._skipping = False
        return True
