"""Engine processes, pods and disks are lost while they trade and while they stop (DESIGN 7)."""

import asyncio
import random
from decimal import Decimal
from typing import Any, Final

import pytest
import redis.asyncio as aioredis
from tests.chaos import laws
from tests.chaos.system import CORE, System, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]
SEED: Final = 20260731
ROUNDS: Final = 5
BARS_SECONDS: Final = 1.5
"""Bars are one second long: a strategy that could act has acted by then."""
VENUE_MINUTE_SECONDS: Final = 75.0
"""Five starts within seconds may use up the minute that all engines behind one address share: a replacement then waits for the next."""


async def test_a_pod_deleted_while_its_flatten_is_under_way_leaves_the_work_to_its_replacement(system: System) -> None:
    """The closing order is on its way to a slow venue when its pod goes; nothing is left over and nothing is turned round."""
    await system.go_long()
    victim = system.engines[0]
    uid = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in await system.pods("engine")}[victim]
    await system.venue.fault("delay_ms", account=victim, path="/fapi/v1/order", method="POST", delayMs=1_500)
    await system.stop("leave")
    await system.api.delete(f"{CORE}/pods/{victim}")
    assert not (await system.venue.account(victim))["isFlat"], "the pod was to go before its work was done"

    async def replaced() -> bool:
        pods = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in await system.pods("engine")}
        return pods.get(victim) not in (None, uid)

    await eventually(replaced, "the pod is replaced")
    await system.learn_addresses()
    for kind in ("GateClosed", "OrdersCancelled", "PositionsFlat"):
        await system.until("emergencystops", "leave", kind, within_seconds=30)
    assert laws.flat(await system.venue.accounts()) == []
    closed = await system.closings("leave")
    log = await system.venue.log()
    assert laws.no_entry_while_closed(log, closed) == []
    assert laws.positions_only_shrink(log, closed) == []


@pytest.mark.timeout(300)
async def test_engines_killed_at_random_while_they_trade_know_what_they_hold_before_they_order(system: System) -> None:
    """Five kills at seeded moments; in each round the venue first refuses to say what is held, and nothing may be ordered until it says."""
    chance = random.Random(SEED)
    async with system.busy_market():
        for number in range(ROUNDS):
            victim = system.engines[number % len(system.engines)]
            await asyncio.sleep(chance.uniform(0.2, 2.0))
            await killed_and_kept_in_the_dark(system, victim)
        await system.until_trading(await system.venue.newest(system.began_at))
    for engine in system.engines:
        await eventually(lambda engine=engine: agrees(system, engine), f"{engine} reports what the venue's books say")


async def killed_and_kept_in_the_dark(system: System, victim: str) -> None:
    """SIGKILL; the replacement may not compare itself with the venue for some bars, and must not order meanwhile."""
    before = (await system.status(victim))["instance"]
    fault = await system.venue.fault("http_503_service_unavailable", account=victim, path="/fapi/v3/positionRisk")
    await system.kill_engine(victim)
    dead = await system.venue.newest(system.began_at)
    await system.until_engine(victim, lambda s: s["instance"] != before, "a new process")
    await eventually(lambda: has_struck(system, fault), "the replacement asks what it holds", VENUE_MINUTE_SECONDS)
    await asyncio.sleep(BARS_SECONDS)
    assert (await system.status(victim))["gate"] == "HALTED"
    assert laws.no_order_at_all(await system.venue.log(dead), victim) == []
    await system.venue.end_faults()
    await system.until_engine(victim, lambda s: s["reconciled"] and s["gate"] == "ACTIVE", "reconciled, ACTIVE again", VENUE_MINUTE_SECONDS)


async def has_struck(system: System, fault: int) -> bool:
    return await system.venue.struck(fault) > 0


async def agrees(system: System, engine: str) -> bool:
    """Compared at a moment when nothing was filled between the two readings."""
    before = await system.venue.account(engine)
    said = {p["symbol"]: Decimal(p["quantity"]) for p in (await system.status(engine))["positions"]}
    after = await system.venue.account(engine)
    held = {p["symbol"]: Decimal(p["amount"]) for p in after["positions"]}
    return before["fillCount"] == after["fillCount"] and said == held


async def test_a_stopped_engine_that_lost_pod_disk_and_redis_is_stopped_again_by_its_document(system: System) -> None:
    """One stop by object, one by hand in the pod: both come back from the objects alone."""
    await system.go_long()
    victim = system.engines[2]
    ran = await system.kubectl.must("exec", victim, "--", "quantum-engine", "halt", "--reason", "drill by hand")
    assert "halted" in ran.out
    await system.stop("burnt", "CancelOrders")
    await system.until("emergencystops", "burnt", "GateClosed")
    by_hand = await eventually(lambda: own_stop(system, victim), "the object of the latch")
    await system.until("emergencystops", by_hand["metadata"]["name"], "PositionsFlat")
    stopped = await system.venue.newest(system.began_at)
    await burn(system, victim)
    rebuilt = await system.until_engine(victim, lambda s: len(s["latches"]) == 2 and s["reconciled"], "latched again", 30)
    stops = await system.stops()
    assert {latch["id"] for latch in rebuilt["latches"]} == {
        stops["burnt"]["metadata"]["uid"],
        by_hand["spec"]["origin"]["latchId"],
    }
    assert rebuilt["gate"] == "EXIT_ONLY"
    await system.venue.drift(300)
    await asyncio.sleep(BARS_SECONDS)
    assert laws.no_order_at_all(await system.venue.log(stopped), victim) == []
    for name in ("burnt", by_hand["metadata"]["name"]):
        await system.until("emergencystops", name, "GateClosed")
        assert laws.no_entry_while_closed(await system.venue.log(), await system.closings(name)) == []


async def own_stop(system: System, engine: str) -> dict[str, Any] | None:
    return (await system.own_stops()).get(engine)


async def burn(system: System, victim: str) -> None:
    """Pod, claim and everything in Redis; done when the replacement answers from a new claim."""
    (redis_pod,) = await system.pods("redis")
    claim = f"{CORE}/persistentvolumeclaims/journal-{victim}"
    old = (await system.api.get(claim))["metadata"]["uid"]
    await system.api.delete(claim)
    mirror = aioredis.Redis(host=redis_pod["status"]["podIP"], port=6379)
    await system.api.delete(f"{CORE}/pods/{victim}", {"gracePeriodSeconds": 0})
    await mirror.flushall()
    await mirror.aclose()

    async def anew() -> bool:
        found = await system.api.get(claim)
        return found["metadata"]["uid"] != old and found.get("status", {}).get("phase") == "Bound"

    await eventually(anew, "a new claim", 30)
    await system.learn_addresses()
