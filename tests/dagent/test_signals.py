import asyncio
import signal
from collections.abc import Iterator

import pytest

from dagent.signals import HANDLED, SignalQueue, ignore_hangups


@pytest.fixture(autouse=True)
def handlers_of_the_test_run() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in HANDLED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        ([signal.SIGHUP], [signal.SIGHUP]),
        ([signal.SIGTERM], [signal.SIGTERM]),
        ([signal.SIGINT], [signal.SIGINT]),
        ([signal.SIGHUP, signal.SIGHUP], [signal.SIGHUP]),  # one look at the newest file is enough
        ([signal.SIGHUP, signal.SIGTERM], [signal.SIGTERM]),
        ([signal.SIGTERM, signal.SIGHUP, signal.SIGTERM], [signal.SIGTERM]),
    ],
)
def test_what_arrives_together_is_one(
    raised: list[signal.Signals], expected: list[signal.Signals]
) -> None:
    async def live() -> list[signal.Signals]:
        signals = SignalQueue()
        for number in raised:
            signal.raise_signal(number)
        await asyncio.sleep(0)
        return [await asyncio.wait_for(signals.get(), 5.0) for _ in expected]

    assert asyncio.run(live()) == expected


def test_nothing_happens_after_the_end() -> None:
    async def live() -> None:
        SignalQueue().close()

    asyncio.run(live())
    for number in HANDLED:
        signal.raise_signal(number)


def test_hup_during_the_start_is_nothing() -> None:
    ignore_hangups()
    signal.raise_signal(signal.SIGHUP)
