"""What a function prints, for tests that hypothesis calls many times (capsys is one for all of them)."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout


def captured(function: Callable[[], object]) -> str:
    """Call a function and return what it has written to standard output."""
    with redirect_stdout(io.StringIO()) as written:
        function()
    return written.getvalue()
