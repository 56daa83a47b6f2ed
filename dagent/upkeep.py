"""What an agent does now and then: pruning what is finished, holding endless series to the horizon."""

import logging
import threading
import time

from dagent.wiring import Parts
from mailcore.errors import MailError
from mr_accept.upkeep import extend_all
from store.prune import prune

log = logging.getLogger(__name__)

INTERVAL = 3600.0  # seconds


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
            try:
                self.run_once()
            except MailError as error:
                log.warning("upkeep: %s; tried again in an hour", error)
            except Exception:
                log.exception("upkeep: tried again in an hour")
            self._stopping.wait(INTERVAL)

    def run_once(self) -> None:
        """One round."""
        parts = self._parts
        prune(parts.database, self.settings.retention, time.time())
        extend_all(parts.database, parts.directory, self.settings)
