"""Logging to standard error, one line per event, as systemd and a terminal want it."""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from functools import lru_cache

from mailcore.charset import one_line
from mailcore.log_fields import LogFields

TEXT, JSON = "text", "json"
_CHATTY = ("alembic", "dramatiq", "mail.log")
"""Loggers of libraries whose INFO is about their own workings: seen at debug only."""
_FIELDS = "%(levelname)s %(name)s: %(message)s"


class LineFormatter(logging.Formatter):
    """Level, logger and text, or another `line`; in front of it the local time with its zone, where `timestamps`.

    A traceback follows on lines of its own.

    >>> record = logging.LogRecord("spooler", logging.INFO, "", 0, "sent", None, None)
    >>> LineFormatter(timestamps=False).format(record)
    'INFO spooler: sent'
    """

    def __init__(self, *, timestamps: bool, line: str = _FIELDS) -> None:
        super().__init__(f"%(asctime)s {line}" if timestamps else line)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """One line, whatever a mail has brought into the text."""
        record.message = one_line(record.message)
        return super().formatMessage(record)

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


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, RFC 3339), level, logger, message or fields; a traceback is one text.

    >>> record = logging.LogRecord("spooler", logging.INFO, "", 0, "sent", None, None)
    >>> record.created = record.msecs = 0.0
    >>> JsonFormatter().format(record)
    '{"time": "1970-01-01T00:00:00.000Z", "level": "info", "logger": "spooler", "message": "sent"}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        said = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if isinstance(said, LogFields):
            line = {**said.fields, **line}
        else:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str).encode("ascii", "backslashreplace").decode()


def setup_logging(level: str, log_format: str = TEXT) -> None:
    """Log to standard error from `level` (debug, info, warning, error) on, as text or json.  Safe to repeat."""
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(stderr_handler(log_format))
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel("DEBUG" if level == "debug" else "WARNING")


def stderr_handler(log_format: str = TEXT) -> logging.Handler:
    """Writes lines to standard error; the journal stamps its lines itself, so that text gets no time there."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == JSON:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(LineFormatter(timestamps=not _to_journal(os.environ)))
    return handler


def _to_journal(environ: Mapping[str, str]) -> bool:
    """True when standard error is the stream that JOURNAL_STREAM names (systemd.exec(5)).

    The variable alone proves nothing: what a service starts inherits it, wherever its output goes.
    """
    try:
        stream = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or replaced by something that is no file
        return False
    return environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"
