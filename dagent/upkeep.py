"""What an agent does now and then.

It prunes what is finished, purges what was deleted long ago (manual, 7.5), looks for content that nothing refers to,
and holds endless series to the horizon.
"""

import logging
import threading
import time
from collections.abc import Callable

from dagent.wiring import Parts
from mailcore.errors import MailError
from mr_accept.upkeep import extend_all
from store.collect import sweep
from store.prune import prune
from store.purge import purge

log = logging.getLogger(__name__)

INTERVAL = 3600.0  # seconds
_DAY = 86_400.0


class Upkeep:
    """A thread that looks after the store once an hour; safe in every agent at the same time.

    `settings` may be replaced while it runs.
    """

    def __init__(self, parts: Parts) -> None:
        self.settings = parts.settings
        self._parts = parts
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin, with a first round now."""
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """End after the round at hand, or without it when that takes longer than `timeout` seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.run_once()
            self._stopping.wait(INTERVAL)

    def run_once(self) -> None:
        """One round; a task that fails is logged and tried again in the next, and the others are done all the same."""
        for task in (self._prune, self._purge, self._sweep, self._extend):
            if self._stopping.is_set():
                return
            _protected(task)

    def _prune(self) -> None:
        prune(self._parts.database, self.settings.retention, time.time())

    def _purge(self) -> None:
        days = self.settings.retention.softdelete_lifetime
        if not days:
            return
        parts = self._parts
        gone = purge(parts.database, parts.committer.blobs, days * _DAY, time.time())
        if gone.stores or gone.folders or gone.entries:
            log.info(
                "upkeep: purged %d stores, %d folders and %d mails that were deleted %d days ago;"
                " %d octets are free",
                gone.stores,
                gone.folders,
                gone.entries,
                days,
                gone.octets,
            )

    def _sweep(self) -> None:
        sweep(self._parts.database, self._parts.committer.blobs, time.time())

    def _extend(self) -> None:
        extend_all(self._parts.database, self._parts.directory, self.settings)


def _protected(task: Callable[[], None]) -> None:
    try:
        task()
    except MailError as error:
        log.warning("upkeep: %s; tried again in an hour", error)
    except Exception:
        log.exception("upkeep: tried again in an hour")
