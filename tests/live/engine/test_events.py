"""What an engine does is told in its Redis stream: in order, once, and with the facts it was committed with."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
import redis.asyncio as aioredis
from tests.live.engine.account import AccountAtVenue
from tests.live.engine.rig import ENGINE, EngineRig, Pen
from tests.live.engine.test_intents import ask, intent, opened
from tests.redis_server import RedisServer

from quantum_api import names
from quantum_api.bus_envelope import Envelope
from quantum_api.bus_envelope import opened as opened_entry
from quantum_simulator.venue import Venue


@pytest.fixture
def account(venue: Venue, session: aiohttp.ClientSession) -> AccountAtVenue:
    return AccountAtVenue(venue, session)


@pytest.fixture
async def stream(redis_server: RedisServer) -> AsyncIterator[aioredis.Redis]:
    async with aioredis.from_url(redis_server.url) as client:
        yield client


async def told(stream: aioredis.Redis, *kinds: str) -> list[Envelope]:
    entries = [opened_entry(fields[b"e"]) for _, fields in await stream.xrange(names.events_key(ENGINE))]
    assert [e.sequence for e in entries] == sorted({e.sequence for e in entries})
    assert all(b.covers_from == a.sequence + 1 for a, b in pairwise(entries))
    return [entry for entry in entries if entry.kind in kinds]


async def until_told(rig: EngineRig, stream: aioredis.Redis, count: int, *kinds: str) -> list[Envelope]:
    found: list[Envelope] = []

    async def are_there() -> bool:
        found[:] = await told(stream, *kinds)
        return len(found) >= count

    await rig.until(are_there, f"{count} of {kinds} are in the stream")
    return found


def trade_of(fill: Envelope) -> Any:
    return fill.payload["clientOrderId"], fill.payload["quantity"]


async def test_an_order_is_told_from_intent_to_fill_and_its_position_with_it(
    trader: EngineRig, account: AccountAtVenue, pen: Pen, redis_server: RedisServer, stream: aioredis.Redis
) -> None:
    trader.env["QT_ENGINE_REDIS_URL"] = redis_server.url
    await opened(trader, pen)
    _, verdict = await ask(trader, intent("one"))
    orders = await until_told(trader, stream, 2, "order.intent", "order.accepted")
    assert [(e.kind, e.payload["intent"], e.payload["clientOrderId"]) for e in orders] == [
        ("order.intent", "api:one", verdict["clientOrderId"]), ("order.accepted", "api:one", verdict["clientOrderId"]),
    ]  # fmt: skip
    assert [trade_of(fill) for fill in await until_told(trader, stream, 1, "fill.trade")] == [(verdict["clientOrderId"], "0.010")]
    [position] = await until_told(trader, stream, 1, "position.changed")
    assert (position.payload["symbol"], position.payload["quantity"]) == ("BTCUSDT", "0.010")
    refused = (await until_told(trader, stream, 1, "order.gate_refused"))[0]
    assert refused.payload["refusal"]


async def test_events_of_a_time_without_redis_come_when_it_is_back_and_nothing_waits_for_it(
    trader: EngineRig, account: AccountAtVenue, pen: Pen, redis_server: RedisServer, stream: aioredis.Redis
) -> None:
    """DESIGN 7: trading goes on; the engine itself dies and starts again meanwhile."""
    trader.env["QT_ENGINE_REDIS_URL"] = redis_server.url
    await opened(trader, pen)
    redis_server.kill()
    for name in ("one", "two"):
        code, _ = await ask(trader, intent(name))
        assert code == 200
    await trader.until_status(lambda s: s["dependencies"]["bus"].startswith("down "), "the status says that events wait")
    trader.kill()
    await opened(trader, pen)
    code, _ = await ask(trader, intent("three"))
    assert code == 200
    redis_server.start()
    accepted = await until_told(trader, stream, 3, "order.accepted")
    assert [e.payload["intent"] for e in accepted] == ["api:one", "api:two", "api:three"]
    await trader.until_status(lambda s: s["dependencies"]["bus"].startswith("up 0 "), "nothing waits any more")


async def test_a_stop_is_told_though_the_engine_dies_before_it_could_say_so(
    trader: EngineRig, pen: Pen, redis_server: RedisServer, stream: aioredis.Redis
) -> None:
    """Latch and event are one write: whoever reads the stream knows of every latch that an engine ever held."""
    trader.env["QT_ENGINE_REDIS_URL"] = redis_server.url
    await opened(trader, pen)
    redis_server.kill()
    code, latch = await trader.halt("the desk is on fire")
    assert code == 200
    trader.kill()
    redis_server.start()
    await opened_again(trader)
    [stop] = await until_told(trader, stream, 1, "emergency.tripped")
    assert (stop.payload["latch"], stop.payload["reason"]) == (latch["id"], "the desk is on fire")


async def opened_again(rig: EngineRig) -> None:
    await rig.start()
