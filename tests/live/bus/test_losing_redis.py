"""Redis is killed, frozen, emptied, damaged, flapping while events flow (DESIGN 7): none is lost, none applied twice, order is kept."""

import asyncio

from tests.live.bus.conftest import Engine, Ledger, until
from tests.redis_server import RedisServer


def judge(engine: Engine, ledger: Ledger) -> None:
    assert ledger.rows() == list(range(engine.said))
    assert ledger.rows("gaps") == []


async def test_events_reach_a_consumer_process_once_and_in_order(engine: Engine, ledger: Ledger) -> None:
    await engine.publish(1_000)
    await ledger.until_applied(1_000)
    judge(engine, ledger)


async def test_killed_and_back_in_the_middle_of_the_flow(engine: Engine, ledger: Ledger, redis_server: RedisServer) -> None:
    await engine.publish(500)
    redis_server.kill()
    await engine.publish(1_500)
    redis_server.start()
    await engine.publish(500)
    await ledger.until_applied(2_500)
    judge(engine, ledger)


async def test_frozen_and_thawed_when_the_answers_are_no_longer_awaited(engine: Engine, ledger: Ledger, redis_server: RedisServer) -> None:
    """What waited in its sockets is done late, and must add nothing."""
    await engine.publish(300)
    await engine.until_sent()
    redis_server.freeze()
    await engine.publish(700)
    await until(lambda: "Timeout" in engine.bus.state.problem, "the answer was given up")
    redis_server.thaw()
    await engine.publish(500)
    await ledger.until_applied(1_500)
    judge(engine, ledger)


async def test_restarted_with_its_last_second_torn_off(engine: Engine, ledger: Ledger, redis_server: RedisServer) -> None:
    """An append-only file that ends in half a command: what it had confirmed is missing, and is sent again."""
    ledger.kill()
    await engine.publish(2_000)
    await engine.until_sent()
    redis_server.kill()
    redis_server.tear_off(60_001)
    redis_server.start()
    ledger.start()
    await engine.publish(500)
    await ledger.until_applied(2_500)
    judge(engine, ledger)


async def test_restarted_empty_with_nobody_having_read(engine: Engine, ledger: Ledger, redis_server: RedisServer) -> None:
    """The outbox still holds what no group has acknowledged, and the group is made again."""
    await engine.publish(200)
    await ledger.until_applied(200)
    ledger.kill()
    await engine.publish(2_000)
    await engine.until_sent()
    await until(lambda: bool(engine.bus._books.kept.groups), "the engine knows the group")
    redis_server.kill()
    redis_server.empty()
    redis_server.start()
    await engine.publish(300)
    ledger.start()
    await ledger.until_applied(2_500)
    judge(engine, ledger)


async def test_flapping_while_engine_and_consumer_die_too(engine: Engine, ledger: Ledger, redis_server: RedisServer) -> None:
    for round_ in range(4):
        await engine.publish(300)
        redis_server.kill()
        if round_ == 1:
            ledger.kill()
            ledger.start()
        if round_ == 2:
            await engine.stop()
            await engine.start()
        redis_server.start()
        await asyncio.sleep(0)
    await ledger.until_applied(1_200)
    judge(engine, ledger)


async def test_an_engine_that_was_stopped_with_a_full_outbox_sends_it_after_its_start(
    engine: Engine, ledger: Ledger, redis_server: RedisServer
) -> None:
    redis_server.kill()
    await engine.publish(1_000)
    await engine.stop()
    redis_server.start()
    await engine.start()
    await ledger.until_applied(1_000)
    judge(engine, ledger)
