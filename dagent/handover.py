"""Results of the group-commit writer on their way to the event loop: a whole batch with one wake-up.

Waking the loop for each message is a system call for each, and the writer stands still while the loop answers it.
"""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Handover(Generic[T]):
    """Turns futures of a thread into futures of `loop`; the thread calls `bring` after a batch of results."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[tuple[Future[T], asyncio.Future[T]]] = deque()

    def expect(self, result: Future[T]) -> "asyncio.Future[T]":
        """Return a future of the loop for `result`; call it in the loop's thread."""
        here: asyncio.Future[T] = self._loop.create_future()
        result.add_done_callback(lambda done: self._arrived.append((done, here)))
        if result.done():  # so quickly that `bring` may have come before the callback
            self.bring()
        return here

    def bring(self) -> None:
        """Tell the loop that results have arrived; from any thread, and too often does no harm."""
        if self._arrived and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        while self._arrived:
            done, here = self._arrived.popleft()
            if here.cancelled():
                continue
            error = done.exception()
            if error is not None:
                here.set_exception(error)
            else:
                here.set_result(done.result())
