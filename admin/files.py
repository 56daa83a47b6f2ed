"""Reading the files that a command line names."""

import sys
from pathlib import Path

from mailcore.errors import UsageError

_STANDARD_INPUT = "-"


def read_text_file(name: str) -> str:
    """Return the text of a UTF-8 file (``-``: standard input), a byte order mark left out.

    Line ends stay as they are.  Raises UsageError naming the file.
    """
    try:
        return read_file(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not UTF-8 text (octet {error.start})") from error


def read_file(name: str) -> bytes:
    """Return the octets of a file (``-``: standard input).  Raises UsageError naming the file."""
    try:
        return sys.stdin.buffer.read() if name == _STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
