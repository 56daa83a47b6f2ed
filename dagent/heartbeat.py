"""Telling systemd that the agent lives (WATCHDOG=1, sd_watchdog_enabled(3)) and what it does (STATUS=).

The message comes from the event loop, so it stops by itself when the loop is stuck.  It is also withheld when the
group-commit writer is: its thread has ended, or has been at one batch for longer than STUCK_SECONDS.  A slow disk is
no reason to be restarted: everything a batch may wait for (a lock 20 s, a statement 30 s, an fsync as long as a disk
takes) is far below that, and a restart would only add work for the disk.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from dagent.notify import notify

log = logging.getLogger(__name__)

STUCK_SECONDS = 300.0
STATUS_SECONDS = 10.0


class Watched(Protocol):
    """What has to live besides the event loop."""

    @property
    def alive(self) -> bool:
        """Whether its thread still runs."""

    @property
    def busy_seconds(self) -> float:
        """For how many seconds it has been at the same piece of work; 0 when it waits for some."""


def watchdog_interval(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two signs of life, half of what systemd allows; None without a watchdog.

    >>> watchdog_interval({"WATCHDOG_USEC": "30000000"}, 7)
    15.0
    """
    text = environ.get("WATCHDOG_USEC", "")
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        return None
    return int(text) / 2_000_000


def trouble_of(writer: Watched) -> str:
    """Why the writer needs a restart of the process; empty when it does not."""
    if not writer.alive:
        return "the group-commit writer has ended"
    if writer.busy_seconds > STUCK_SECONDS:
        return f"the group-commit writer has been at one batch for {writer.busy_seconds:.0f} s"
    return ""


class Heartbeat:
    """Beats while the event loop runs; `status` is asked for the line that `systemctl status` shows.

    Parameters: `interval` is the time between two beats in seconds, None without a watchdog.
    """

    def __init__(self, writer: Watched, status: Callable[[], str], interval: float | None) -> None:
        self._writer = writer
        self._status = status
        self._interval = interval
        self._said = ""
        self._trouble = ""

    async def run(self) -> None:
        """Beat until cancelled; the first beat comes at once."""
        pause = STATUS_SECONDS if self._interval is None else min(self._interval, STATUS_SECONDS)
        while True:
            self.beat()
            await asyncio.sleep(pause)

    def beat(self) -> None:
        """Give one sign of life, unless there is trouble, and tell a status that has changed."""
        trouble = trouble_of(self._writer)
        if trouble and trouble != self._trouble and not self._trouble:
            log.critical("%s; a restart is needed", trouble)
        self._trouble = trouble
        status = trouble or self._status()
        lines = [] if status == self._said else [f"STATUS={status}"]
        if self._interval is not None and not trouble:
            lines.append("WATCHDOG=1")
        if lines:
            notify("\n".join(lines))
        self._said = status
