"""One warning when something goes away, one line when it is back, however often it is tried between."""

import logging
import threading

log = logging.getLogger(__name__)


class Outage:
    """Whether `what` is away at the moment; safe from any thread.  `meanwhile` tells what that means.

    It may be used in several ways at once, and fail in some of them only: a full Redis takes nothing but still
    gives.  It is back when the last way that failed works again.
    """

    def __init__(self, what: str, meanwhile: str) -> None:
        self._what = what
        self._meanwhile = meanwhile
        self._failing: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def note(self, way: str, error: Exception) -> None:
        """It could not be used in this way."""
        with self._lock:
            begins = not self._failing
            self._failing |= {way}
        if begins:
            log.warning("%s cannot be used: %s; %s", self._what, error, self._meanwhile)

    def end(self, way: str) -> None:
        """It was used in this way."""
        if way not in self._failing:  # the usual case needs no lock
            return
        with self._lock:
            self._failing -= {way}
            ends = not self._failing
        if ends:
            log.info("%s can be used again", self._what)
