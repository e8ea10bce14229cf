"""Consumers are killed, take over from each other and choke: each event is still applied once, or buried with its reason."""

from pathlib import Path

import redis.asyncio as aioredis
from tests.live.bus.conftest import SOURCE, Engine, Ledger, until
from tests.redis_server import RedisServer

from quantum_api import names
from quantum_api.bus_envelope import EventClass
from quantum_engine.journal import Publish


async def test_a_consumer_killed_again_and_again_applies_each_event_once(engine: Engine, ledger: Ledger) -> None:
    for _ in range(3):
        await engine.publish(1_000)
        ledger.kill()
        ledger.start()
    await ledger.until_applied(3_000)
    assert ledger.rows() == list(range(3_000))


async def test_another_member_takes_what_a_dead_one_left(engine: Engine, ledger: Ledger, redis_server: RedisServer) -> None:
    """Same group, same file, another name: the entries of the dead one are claimed, and order is kept."""
    await engine.publish(500)
    await ledger.until_applied(1)
    ledger.kill()
    other = Ledger(ledger.file, redis_server.url, "ledger-1")
    other.start()
    try:
        await engine.publish(500)
        await other.until_applied(1_000)
        assert other.rows() == list(range(1_000))
    finally:
        other.kill()


async def test_an_event_that_cannot_be_applied_is_buried_with_its_reason_and_the_rest_goes_on(
    engine: Engine, ledger: Ledger, redis_server: RedisServer
) -> None:
    await engine.publish(3)
    await engine.bus.journal.commit(Publish(EventClass.ORDER, "test.poison", {"n": -1}))
    await engine.publish(3)
    await ledger.until_applied(6)
    assert ledger.rows() == list(range(6))
    async with aioredis.from_url(redis_server.url) as client:
        [(_, letter)] = await client.xrange(names.dead_letters_key(SOURCE, "ledger"))
    assert letter[b"reason"] == b"failed 5 times, last with ValueError('it makes no sense')"
    assert b"test.poison" in letter[b"e"]


async def test_what_no_engine_wrote_is_buried(engine: Engine, ledger: Ledger, redis_server: RedisServer) -> None:
    async with aioredis.from_url(redis_server.url) as client:
        await client.xadd(names.events_key(SOURCE), {"greeting": "hello"})
        await engine.publish(2)
        await ledger.until_applied(2)
        [(_, letter)] = await client.xrange(names.dead_letters_key(SOURCE, "ledger"))
    assert letter[b"reason"].startswith(b"not an envelope")


async def test_the_stream_shrinks_behind_its_consumers_and_not_before_them(
    engine: Engine, ledger: Ledger, redis_server: RedisServer, tmp_path: Path
) -> None:
    async with aioredis.from_url(redis_server.url) as client:
        await client.xgroup_create(names.events_key(SOURCE), "slow", id="0", mkstream=True)
        await engine.publish(1_000)
        await ledger.until_applied(1_000)
        await until(lambda: set(engine.bus._books.kept.groups) == {"ledger", "slow"}, "the engine has seen both groups")
        assert await client.xlen(names.events_key(SOURCE)) == 1_000
        await client.xgroup_destroy(names.events_key(SOURCE), "slow")
        await until(lambda: engine.bus._books.acknowledged_through == 1_000, "the engine has heard that all is acknowledged")
        assert await client.xlen(names.events_key(SOURCE)) == 0
