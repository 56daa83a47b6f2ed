"""Results on their way from a thread to the event loop."""

import asyncio
import threading
from concurrent.futures import Future
from unittest.mock import patch

import pytest

from dagent.handover import Handover

DEADLINE = 10.0


def test_a_batch_arrives_with_one_wake_up() -> None:
    async def scenario() -> tuple[list[int], int]:
        loop = asyncio.get_running_loop()
        handover = Handover[int](loop)
        results: list[Future[int]] = [Future() for _ in range(5)]
        here = [handover.expect(result) for result in results]
        with patch.object(loop, "call_soon_threadsafe", wraps=loop.call_soon_threadsafe) as woken:

            def work() -> None:
                for number, result in enumerate(results):
                    result.set_result(number)
                handover.bring()

            thread = threading.Thread(target=work)
            thread.start()
            numbers = await asyncio.wait_for(asyncio.gather(*here), DEADLINE)
            thread.join()
            return numbers, woken.call_count

    assert asyncio.run(scenario()) == ([0, 1, 2, 3, 4], 1)


def test_a_result_that_was_there_already_arrives_too() -> None:
    async def scenario() -> int:
        result: Future[int] = Future()
        result.set_result(7)
        here = Handover[int](asyncio.get_running_loop()).expect(result)
        return await asyncio.wait_for(here, DEADLINE)

    assert asyncio.run(scenario()) == 7


def test_an_error_is_raised_where_the_result_was_awaited() -> None:
    async def scenario() -> None:
        handover = Handover[int](asyncio.get_running_loop())
        result: Future[int] = Future()
        here = handover.expect(result)
        result.set_exception(ValueError("bad mail"))
        handover.bring()
        await asyncio.wait_for(here, DEADLINE)

    with pytest.raises(ValueError, match="bad mail"):
        asyncio.run(scenario())


def test_who_went_away_holds_up_nobody() -> None:
    async def scenario() -> int:
        handover = Handover[int](asyncio.get_running_loop())
        results: list[Future[int]] = [Future(), Future()]
        gone, here = (handover.expect(result) for result in results)
        gone.cancel()
        for result in results:
            result.set_result(1)
        handover.bring()
        return await asyncio.wait_for(here, DEADLINE)

    assert asyncio.run(scenario()) == 1


def test_nothing_is_brought_to_a_loop_that_has_ended() -> None:
    async def scenario() -> tuple[Handover[int], Future[int]]:
        handover = Handover[int](asyncio.get_running_loop())
        result: Future[int] = Future()
        handover.expect(result)
        return handover, result

    handover, result = asyncio.run(scenario())
    result.set_result(1)
    handover.bring()
