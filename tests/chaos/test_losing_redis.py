"""Redis dies while engines trade and while they are stopped (DESIGN 7): nothing opens, nothing is forgotten."""

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import redis.asyncio as aioredis
from tests.chaos import laws
from tests.chaos.system import System, eventually

from quantum_api import names

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]
POD = "quantum-trader-redis-0"


@pytest_asyncio.fixture(loop_scope="session")
async def mirror(system: System) -> AsyncIterator[aioredis.Redis]:
    (pod,) = await system.pods("redis")
    client = aioredis.Redis(host=pod["status"]["podIP"], port=6379, socket_timeout=1, socket_connect_timeout=1, retry=None)
    yield client
    await client.aclose()


async def latched(mirror: aioredis.Redis, system: System, latch: str) -> bool | None:
    """Whether the mirror has the latch of every engine."""
    try:
        return all([await mirror.hexists(names.latches_key(names.engine_id("default", engine)), latch) for engine in system.engines])
    except (aioredis.RedisError, OSError):
        return None


async def redis_is(system: System, word: str) -> None:
    await system.until_engines(lambda s: s["dependencies"]["redis"].startswith(word), f"sees Redis {word}")


async def test_engines_trade_on_and_stop_on_command_while_redis_hangs_and_nothing_is_forgotten_when_it_dies(
    system: System, mirror: aioredis.Redis
) -> None:
    """It hangs first: a connection that answers nothing is worse than none, and must stand in nobody's way."""
    async with system.busy_market():
        system.cluster.pods.freeze(POD)
        await redis_is(system, "down")
        await system.until_trading(await system.venue.newest(system.began_at))
        await system.stop("blind")
        await system.until("emergencystops", "blind", "PositionsFlat", within_seconds=10)
        system.cluster.pods.signal(signal.SIGKILL, POD)
        stop = (await system.stops())["blind"]
        await eventually(lambda: latched(mirror, system, stop["metadata"]["uid"]), "the latches are mirrored by the Redis that came back")
        await redis_is(system, "up")
        closed = await system.closings("blind")
    log = await system.venue.log()
    assert laws.no_entry_while_closed(log, closed) == []
    assert laws.positions_only_shrink(log, closed) == []
    assert laws.flat(await system.venue.accounts()) == []


async def test_a_redis_that_lost_everything_while_a_stop_stands_is_written_again(system: System, mirror: aioredis.Redis) -> None:
    """Promise 3: it is a mirror, and nobody reads a release out of what is missing in it."""
    await system.go_long()
    await system.stop("wiped")
    stop = await system.until("emergencystops", "wiped", "PositionsFlat")
    await mirror.flushall()
    system.cluster.pods.kill(POD)
    await eventually(lambda: latched(mirror, system, stop["metadata"]["uid"]), "the latches are mirrored again", 30)
    await redis_is(system, "up")
    assert (await system.until("emergencystops", "wiped", "GateClosed"))["status"]["engines"]["acknowledged"] == len(system.engines)
    closed = await system.closings("wiped")
    assert [c.until_ms for c in closed] == [None] * len(system.engines)
    log = await system.venue.log()
    assert laws.no_entry_while_closed(log, closed) == []
    assert laws.flat(await system.venue.accounts()) == []
