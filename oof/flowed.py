"""Plain text as format=flowed (RFC 3676): long lines are folded where the reader's program unfolds them again."""

import re

_WIDTH = (
    76  # characters, without the space that says that the line goes on (section 4.2: at most 78)
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_SIGNATURE = "-- "


def flow(text: str) -> str:
    """The text with LF line ends, as a program that sends format=flowed writes it (section 4.2).

    Blanks at the end of a line are dropped, for they would join it to the next; the line before a signature keeps its
    own.  A word that is longer than a line stays whole.

    >>> flow("From here \\non")
    ' From here\\non'
    """
    lines = _LINE_END.split(text)
    return "\n".join(folded for line in lines for folded in _fold(line))


def _fold(line: str) -> list[str]:
    if line == _SIGNATURE:
        return [line]
    folded = []
    rest = line.rstrip(" ")
    while len(rest) > _WIDTH:
        # The space goes at the end of the line; what follows must not be blank, or it would end there.
        end = rest.rfind(" ", 1, _WIDTH)
        end = rest.find(" ", _WIDTH) if end < 0 or rest[: end + 1] == _SIGNATURE else end
        if end < 0:
            break
        folded.append(_stuffed(rest[: end + 1]))
        rest = rest[end + 1 :]
    return [*folded, _stuffed(rest)]


def _stuffed(line: str) -> str:
    """A line that would be taken for something else has a space before it (section 4.4)."""
    return f" {line}" if line.startswith((" ", ">", "From ")) else line
