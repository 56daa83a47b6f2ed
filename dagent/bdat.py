"""BDAT: a message in chunks, each with its size said beforehand (RFC 3030 section 2).

No I/O: the session reads as many octets as a chunk announces, also of a chunk that is refused, because what
follows it are commands again.  Octets are kept as they are, and there is nothing to unstuff.
"""

import io
import re
from dataclasses import dataclass

from dagent.lmtp_commands import BAD_CHUNK, FAILED_CHUNK
from mailcore.reply import TOO_LARGE, LmtpReply

_ARGUMENT = re.compile(r"([0-9]{1,20})(?: +(.*))?\Z")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a BDAT command announces: `size` octets, the `last` of the message or not.

    One that is not `well_formed` says its size, and behind it something else than LAST.
    """

    size: int
    last: bool = False
    well_formed: bool = True


def parse_chunk(argument: str) -> Chunk | None:
    """Read the argument of BDAT; None where it says no size, and nobody can tell what follows.

    >>> parse_chunk("300 last")
    Chunk(size=300, last=True, well_formed=True)
    """
    match = _ARGUMENT.match(argument)
    if match is None:
        return None
    word = (match[2] or "").upper()
    return Chunk(int(match[1]), last=word == "LAST", well_formed=word in {"", "LAST"})


class ChunkedMessage:
    """The chunks of one message; `limit` is the largest message in octets.

    `refusal` is the reply to the chunk that came last, None if it was taken.  After one refusal all
    that follow are refused too, and nothing is kept.
    """

    def __init__(self, limit: int) -> None:
        self.refusal: LmtpReply | None = None
        self._left = limit
        self._content = io.BytesIO()

    def announce(self, chunk: Chunk) -> None:
        """Decide on a chunk before its octets are read."""
        self._left -= chunk.size
        if self.refusal is not None:
            self.refuse(TOO_LARGE if self.refusal == TOO_LARGE else FAILED_CHUNK)
        elif not chunk.well_formed:
            self.refuse(BAD_CHUNK)
        elif self._left < 0:
            self.refuse(TOO_LARGE)

    def refuse(self, reply: LmtpReply) -> None:
        """Take nothing from here on."""
        self.refusal = reply
        self._content = io.BytesIO()

    def add(self, octets: bytes) -> None:
        """Keep the next octets of the chunk that was announced."""
        if self.refusal is None:
            self._content.write(octets)

    def content(self) -> bytes:
        """Return the message; empty when it was refused."""
        return self._content.getvalue()
