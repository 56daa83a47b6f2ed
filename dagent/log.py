"""Logging to standard error, one line per event, as systemd and a terminal want it."""

import logging
import os
import sys
import time
from collections.abc import Mapping
from functools import lru_cache

_CHATTY = ("alembic", "dramatiq", "mail.log")
"""Loggers of libraries whose INFO is about their own workings: seen at debug only."""
_FIELDS = "%(levelname)s %(name)s: %(message)s"


class LineFormatter(logging.Formatter):
    """Level, logger and text; in front of them the local time with its zone, where `timestamps`.

    A traceback follows on lines of its own.

    >>> record = logging.LogRecord("spooler", logging.INFO, "", 0, "sent", None, None)
    >>> LineFormatter(timestamps=False).format(record)
    'INFO spooler: sent'
    """

    def __init__(self, *, timestamps: bool) -> None:
        super().__init__(f"%(asctime)s {_FIELDS}" if timestamps else _FIELDS)

    def formatTime(  # noqa: N802 - the name is logging's
        self, record: logging.LogRecord, datefmt: str | None = None
    ) -> str:
        """The time of the record as in RFC 3339, to the millisecond, in the local zone."""
        seconds, zone = _second(int(record.created), datefmt or "%Y-%m-%dT%H:%M:%S")
        return f"{seconds}.{int(record.msecs):03d}{zone}"


@lru_cache(maxsize=2)
def _second(created: int, datefmt: str) -> tuple[str, str]:
    """A second of epoch time as local text, and its zone; many lines share it."""
    moment = time.localtime(created)
    zone = time.strftime("%z", moment)
    return time.strftime(datefmt, moment), f"{zone[:3]}:{zone[3:]}"


def setup_logging(level: str) -> None:
    """Log to standard error from `level` (debug, info, warning, error) on.  Safe to repeat.

    The journal stamps its lines itself, so that they get no time here.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(timestamps=not _to_journal(os.environ)))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "WARNING")


def _to_journal(environ: Mapping[str, str]) -> bool:
    """True when standard error is the stream that JOURNAL_STREAM names (systemd.exec(5)).

    The variable alone proves nothing: what a service starts inherits it, wherever its output goes.
    """
    try:
        stream = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or replaced by something that is no file
        return False
    return environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"
