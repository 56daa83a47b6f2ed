"""Signals of a daemon with an event loop: handled in their order, and never by dying of one.

asyncio's own handlers give way to the default ones when the loop closes, and a second TERM in that moment would turn
a good end into a death by signal.  So plain handlers hand the signals to the loop, and at the end they are ignored.
"""

import asyncio
import signal
from types import FrameType

STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})
HANDLED = (*STOPPING, signal.SIGHUP)


class SignalQueue:
    """The signals that arrived and have not been acted upon; made in the main thread, within a running loop."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[signal.Signals] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        for number in HANDLED:
            signal.signal(number, self._hand_over)

    async def get(self) -> signal.Signals:
        """The next signal; a stop goes before a reload that waits."""
        received = [await self._queue.get()]
        while not self._queue.empty():
            received.append(self._queue.get_nowait())
        return next((number for number in received if number in STOPPING), received[0])

    def close(self) -> None:
        """From here on signals change nothing: the end has begun and is finite."""
        for number in HANDLED:
            signal.signal(number, signal.SIG_IGN)

    def _hand_over(self, number: int, _frame: FrameType | None) -> None:
        # Runs in the main thread between two bytecodes; only this call is safe to make from there.
        self._loop.call_soon_threadsafe(self._queue.put_nowait, signal.Signals(number))


def ignore_hangups() -> None:
    """Before the settings are in use a HUP has nothing to say, and must not end the process."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
