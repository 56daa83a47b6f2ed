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
        if name == _STANDARD_INPUT:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return Path(name).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not UTF-8 text (octet {error.start})") from error
