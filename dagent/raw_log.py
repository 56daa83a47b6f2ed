"""The raw message log: messages as they came, kept for whoever has to find out what went wrong.

A file per message, `<time>-<id>.eml`, with the bytes exactly as they came, and beside it `<time>-<id>.txt` with the
envelope and what every recipient was told.  Mode 0600: it is people's mail.  The oldest go when the directory has
reached its size.  Trouble with the directory is a warning, once a minute at most, and never a mail's.
"""

import logging
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from delivery.deliver import Planned
from mailcore.charset import one_line
from mailcore.reply import LmtpReply
from mailcore.settings import Settings

log = logging.getLogger(__name__)

NO, ALL, ERROR = "no", "all", "error"
_MEGABYTE = 1_048_576
_BETWEEN_WARNINGS = 60.0


class RawLog:
    """Keeps what the settings ask for; safe to share between threads."""

    def __init__(self) -> None:
        self._warned_at = 0.0

    def wanted(self, settings: Settings) -> bool:
        """Whether anything can have to be kept."""
        return settings.log.log_raw_message != NO

    def keep(self, planned: Planned, content: bytes, replies: Sequence[LmtpReply]) -> None:
        """Keep a message if the settings ask for it; never raises."""
        settings = planned.site.settings
        if not _asked_for(settings.log.log_raw_message, planned, replies):
            return
        directory = raw_directory(settings)
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(6)}"
            _write(directory / f"{name}.txt", _about(planned, replies))
            _write(directory / f"{name}.eml", content)
            _make_room(directory, settings.log.log_raw_message_limit * _MEGABYTE)
        except OSError as error:
            now = time.monotonic()
            if now - self._warned_at >= _BETWEEN_WARNINGS or not self._warned_at:
                self._warned_at = now
                log.warning("raw message log: %s: %s", directory, error.strerror or error)


def raw_directory(settings: Settings) -> Path:
    """Where the messages are kept."""
    asked = settings.log.log_raw_message_path
    return Path(asked) if asked else settings.data_directory / "raw"


def _asked_for(what: str, planned: Planned, replies: Sequence[LmtpReply]) -> bool:
    if what in (NO, ALL):
        return what == ALL
    if what == ERROR:
        plans = [plan for own in planned.plans for plan in own]
        return not all(reply.positive for reply in replies) or any(
            plan is None or plan.route == "plain" for plan in plans
        )
    users = set(what.split())
    return any(one.user.name in users for some in planned.addresses for one in some)


def _about(planned: Planned, replies: Sequence[LmtpReply]) -> bytes:
    envelope = planned.envelope
    lines = [f"peer: {envelope.peer}", f"from: <{envelope.mail_from}>"]
    for rcpt_to, recipients, reply in zip(
        envelope.rcpt_tos, planned.addresses, replies, strict=True
    ):
        users = ", ".join(recipient.user.name for recipient in recipients)
        lines.append(f"to: <{rcpt_to}> ({users}): {reply}")
    return "".join(f"{one_line(line)}\n" for line in lines).encode("utf-8", "backslashreplace")


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as handle:  # noqa: PTH123 - of a descriptor, for its mode
        handle.write(content)


def _make_room(directory: Path, limit: int) -> None:
    """Remove the oldest files, by their names, until the others fit."""
    files = sorted(
        (entry.name, entry.stat().st_size)
        for entry in os.scandir(directory)
        if entry.name.endswith((".eml", ".txt"))
    )
    size = sum(octets for _, octets in files)
    for name, octets in files:
        if size <= limit:
            return
        (directory / name).unlink(missing_ok=True)
        size -= octets
