"""A task that waits in a loop ends when it is told to, or the engine's shutdown hangs until it is killed."""

import asyncio

import pytest

from quantum_engine.waiting import happens


async def test_a_cancellation_that_meets_the_event_is_not_lost() -> None:
    event = asyncio.Event()
    task = asyncio.create_task(happens(event, 60))
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_event_that_is_set_is_seen() -> None:
    event = asyncio.Event()
    event.set()
    assert await happens(event, 0.01)


async def test_time_runs_out_without_an_error() -> None:
    assert not await happens(asyncio.Event(), 0)
