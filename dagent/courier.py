"""Sends wake-ups on a thread of its own, so that whoever causes one never waits for Redis.

The group-commit writer sends a wake-up after each batch: if it waited two seconds for a Redis that does not
answer, so would every LMTP session.  What waits here is a set: a second wake-up for the same resource says nothing
new, so that an outage of any length needs no more memory than there are resources.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from dagent.outage import Outage

Hint = TypeVar("Hint", bound=Hashable)

RETRY_SECONDS = 1.0


class Courier(Generic[Hint]):
    """Passes hints to `carry`, each at least once; tries again when that raises one of `trouble`."""

    def __init__(
        self,
        carry: Callable[[Hint], None],
        *,
        trouble: tuple[type[Exception], ...],
        outage: Outage,
    ) -> None:
        self._carry = carry
        self._trouble = trouble
        self._outage = outage
        self._waiting: dict[Hint, None] = {}  # a set that keeps its order
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def take(self, hint: Hint) -> None:
        """Have a hint carried soon; returns at once."""
        with self._changed:
            self._waiting[hint] = None
            self._changed.notify()

    def stop(self, grace: float) -> None:
        """Try once to carry what waits, then end; waits at most `grace` seconds for that."""
        with self._changed:
            self._stopping.set()
            self._changed.notify()
        self._thread.join(grace)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping.is_set():
                    self._changed.wait()
                hints, self._waiting = self._waiting, {}
            self._carry_all(hints)
            if self._stopping.is_set():
                return

    def _carry_all(self, hints: dict[Hint, None]) -> None:
        for hint in list(hints):
            try:
                self._carry(hint)
            except self._trouble as error:
                self._outage.note("send", error)
                self._put_back(hints)
                self._stopping.wait(RETRY_SECONDS)
                return
            self._outage.end("send")
            del hints[hint]

    def _put_back(self, hints: dict[Hint, None]) -> None:
        with self._changed:
            self._waiting = hints | self._waiting
