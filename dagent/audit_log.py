"""Where audit lines go (manual, chapter 7.3.2): syslog, standard error, a file, or nowhere.

They never go to the ordinary log as well.  A line that cannot be written is an error there, and stops nobody.
"""

import logging
import os
import signal
import sys
from logging.handlers import SysLogHandler, WatchedFileHandler
from pathlib import Path

from dagent.log import LineFormatter, stderr_handler
from mailcore.audit import AUDIT, audit_line
from mailcore.errors import UsageError
from mailcore.settings import Settings

SYSLOG = Path("/dev/log")

log = logging.getLogger(__name__)
audit = logging.getLogger(AUDIT)


class _LossReported:
    """Says in the ordinary log which line was lost, and why."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """See logging.Handler."""
        log.error("audit line not written: %s: %s", sys.exc_info()[1], record.getMessage())


class _Syslog(_LossReported, SysLogHandler):
    append_nul = False


class _File(_LossReported, WatchedFileHandler):
    """A file that is opened again when it has been renamed or removed."""


def setup_audit(settings: Settings, program: str, syslog: Path = SYSLOG) -> None:
    """Send audit lines where the settings say; `program` is the daemon's name.  Safe to repeat: a file is reopened.

    Raises UsageError, and leaves everything as it was, where a file cannot be opened.  A syslog that is away is not
    looked for before there is a line.
    """
    before = audit.handlers[:]
    audit.addHandler(_open(settings, program, syslog))
    for old in before:
        audit.removeHandler(old)
        old.close()
    audit.setLevel(logging.INFO)
    audit.propagate = False


def audit_startup(program: str) -> None:
    """The daemon has been started."""
    audit.info(audit_line(f"{program} startup by user", {"uid": os.getuid()}))


def audit_signal(program: str, number: signal.Signals | int) -> signal.Signals | int:
    """The daemon has received a signal; it is handed on."""
    audit.info(audit_line(f"{program} signalled", {"sig": int(number)}))
    return number


def _open(settings: Settings, program: str, syslog: Path) -> logging.Handler:
    asked = settings.audit
    if not asked.audit_log_enabled:
        return logging.NullHandler()
    if asked.audit_log_method == "stderr":
        return stderr_handler(settings.log.log_format)
    line = f"{program}[{os.getpid()}]: %(message)s"
    if asked.audit_log_method == "syslog":
        handler: logging.Handler = _Syslog(str(syslog), SysLogHandler.LOG_AUTHPRIV)
        handler.setFormatter(logging.Formatter(line))
        return handler
    path = asked.audit_log_file
    try:
        handler = _File(path, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"[audit] audit_log_file {path}: cannot be opened: {error.strerror};"
            " make it writable for us, or choose another audit_log_method"
        ) from error
    handler.setFormatter(LineFormatter(timestamps=True, line=line))
    return handler
