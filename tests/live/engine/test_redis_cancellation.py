"""A task that asks Redis ends when it is cancelled, wherever it stands: else the engine would not end on SIGTERM."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from tests.live.engine.rig import ENGINE
from tests.redis_server import RedisServer

from quantum_engine.adapters.redis_mirror import RedisMirror
from quantum_engine.adapters.redis_rate import RedisRate
from quantum_engine.adapters.redis_streams import RedisStreams
from quantum_engine.clock import SystemClock
from quantum_engine.errors import EngineError
from quantum_engine.exchanges.binance_futures.rate.room import Lane

Link = TypeVar("Link", RedisMirror, RedisRate, RedisStreams)
TURNS = 60
"""Connecting and a few commands take some forty turns of the loop; the cancellation comes after each."""


@asynccontextmanager
async def _closing(link: Link) -> AsyncIterator[Link]:
    try:
        yield link
    finally:
        await link.close()


async def _stream(server: RedisServer) -> None:
    async with _closing(RedisStreams(server.url, ENGINE)) as streams:
        await streams.enlist()


async def _mirror(server: RedisServer) -> None:
    async with _closing(RedisMirror(server.url, ENGINE, dict)) as mirror:
        await mirror.remembered()


async def _lease(server: RedisServer) -> None:
    async with _closing(RedisRate(server.url, "tests", SystemClock())) as rate:
        await rate.lease(Lane.ENTRY, 1, 1, 0, 100)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("ask", [_stream, _mirror, _lease])
async def test_one_cancellation_ends_a_task_that_asks_redis_wherever_it_stands(
    redis_server: RedisServer, ask: Callable[[RedisServer], Awaitable[None]]
) -> None:
    """redis-py's own timeouts are `wait_for`, which in Python 3.11 swallows one that comes just as the bytes have gone."""
    lost = [turns for turns in range(1, TURNS) if not await _ends(ask(redis_server), turns)]
    gc.collect()  # redis-py leaves a connection that was being made to the collector: its warning belongs here
    assert lost == [], "a cancellation after so many turns of the loop was swallowed"


async def _ends(question: Awaitable[None], turns: int) -> bool:
    """Whether a task that was cancelled after so many turns did not go on to its next line."""
    went_on = asyncio.Event()

    async def stage() -> None:
        try:
            await question
        except EngineError:
            return
        went_on.set()

    task = asyncio.create_task(stage())
    for _ in range(turns):
        await asyncio.sleep(0)
    is_too_late = task.done() or not task.cancel()
    await asyncio.wait({task}, timeout=5)
    return is_too_late or not went_on.is_set()
