"""A request that takes too long ends, and nothing else does."""

import asyncio

import pytest

from quantum_engine.exchanges.binance_futures.deadlines import Deadlines


async def request(deadlines: Deadlines, seconds: float) -> str:
    watch = deadlines.begin()
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not watch.was_it():
            raise
        return "overdue"
    finally:
        deadlines.end(watch)
    return "answered"


@pytest.mark.looptime
async def test_what_is_overdue_ends_and_what_is_not_goes_on() -> None:
    deadlines = Deadlines(2.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await asyncio.gather(*(request(deadlines, seconds) for seconds in (0.5, 1.9, 3.0, 60.0))) == [
        "answered", "answered", "overdue", "overdue",
    ]  # fmt: skip
    assert 2.0 <= loop.time() - began <= 2.1
    assert await request(deadlines, 1.0) == "answered", "the task itself can go on"
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


@pytest.mark.looptime
async def test_a_cancellation_from_elsewhere_is_not_taken_for_a_deadline() -> None:
    """A stage that is being ended must end."""
    deadlines = Deadlines(2.0)
    task = asyncio.create_task(request(deadlines, 60.0))
    await asyncio.sleep(1.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.looptime
async def test_a_cancellation_that_comes_together_with_the_deadline_still_ends_the_task() -> None:
    deadlines = Deadlines(2.0)
    task = asyncio.create_task(request(deadlines, 60.0))
    await asyncio.sleep(0)
    for watch in deadlines._watches:
        watch.end_task()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.looptime
async def test_no_timer_is_left_when_nothing_is_under_way() -> None:
    deadlines = Deadlines(2.0)
    await request(deadlines, 0.5)
    await asyncio.sleep(0.1)
    assert deadlines._timer is None
    await request(deadlines, 0.01)
    deadlines.close()
    assert deadlines._timer is None
