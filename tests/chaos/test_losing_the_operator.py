"""The operator dies in the middle of everything it does, and stays away past the leases (DESIGN 5, 7)."""

import asyncio
import random
import time
from typing import Final

import pytest
from tests.chaos import laws
from tests.chaos.laws import Closed
from tests.chaos.system import System

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]
SEED: Final = 3
LEASE_SECONDS: Final = 5
AWAY_SECONDS: Final = 3.0


async def test_an_operator_killed_while_a_stop_engages_finishes_it(system: System) -> None:
    await system.go_long()
    await system.venue.fault("delay_ms", path="/fapi/v1/order", method="POST", delayMs=500)
    await system.stop("halfway")
    await system.kill_operator()
    for kind in ("GateClosed", "OrdersCancelled", "PositionsFlat", "EnginesAcknowledged"):
        await system.until("emergencystops", "halfway", kind, within_seconds=30)
    closed = await system.closings("halfway")
    log = await system.venue.log()
    assert laws.no_entry_while_closed(log, closed) == []
    assert laws.positions_only_shrink(log, closed) == []
    assert laws.flat(await system.venue.accounts()) == []


async def test_an_operator_killed_while_a_policy_is_applied_brings_every_engine_to_the_newest(system: System) -> None:
    """Three kills at seeded moments after the apply; each limit that was acknowledged is the venue's too."""
    await system.fresh_operator()
    chance = random.Random(SEED)
    async with system.busy_market():
        for limit_usdt in (3_000, 2_000, 1_000):
            await system.policy(maxOrderNotionalUsdt=limit_usdt)
            await asyncio.sleep(chance.uniform(0.0, 0.08))
            await system.kill_operator()
            told = await system.until("tradingpolicies", "house", "EnginesAcknowledged", within_seconds=30)
            assert told["status"]["engines"]["acknowledged"] == len(system.engines)
            acknowledged_ms = round(time.time() * 1000)
            since = await system.venue.newest(system.began_at)
            await system.until_trading(since)
            assert laws.entries_within(await system.venue.log(since), limit_usdt, acknowledged_ms) == []


async def test_a_release_needs_two_people_though_the_operator_dies_after_each(system: System) -> None:
    """Promise 1: the first approval stays one through a restart, by whomever it is repeated; the second is not lost with the operator."""
    await system.fresh_operator()
    async with system.busy_market():
        await system.stop("review")
        await system.until("emergencystops", "review", "PositionsFlat")
        assert (await system.approve("review", "alice")).code == 0
        await system.kill_operator()
        told = await system.until("emergencystops", "review", "Released", "False", within_seconds=30)
        assert told["status"]["approvals"] == "1/2"
        again = await system.approve("review", "alice", "once more")
        assert "Duplicate" in again.err or (await system.stops())["review"]["status"]["approvals"] == "1/2"
        await system.until_engines(lambda s: s["emergency"] == "COOLDOWN" and s["gate"] == "EXIT_ONLY", "still stopped")
        shut = await system.closings("review")
        assert laws.no_entry_while_closed(await system.venue.log(), shut) == []
        bob_ms = round(time.time() * 1000)
        assert (await system.approve("review", "bob")).code == 0
        await system.kill_operator()
        told = await system.until("emergencystops", "review", "Released", within_seconds=30)
        assert told["status"]["releasedBy"] == ["alice", "bob"]
        await system.until_trading(await system.venue.newest(system.began_at))
    log = await system.venue.log()
    assert laws.no_entry_while_closed(log, [Closed(c.engine, c.from_ms, bob_ms) for c in shut]) == []


async def test_engines_whose_lease_runs_out_shrink_only_until_the_operator_is_back(system: System) -> None:
    """Promise 1, the other way: silence tightens.  The strategy wants to trade all the time, and the venue sees that it may not."""
    await system.policy(leaseSeconds=LEASE_SECONDS)
    await system.until("tradingpolicies", "house", "EnginesAcknowledged")
    async with system.busy_market():
        await system.scale_operator(0)
        await system.until_engines(lambda s: s["gate"] == "REDUCE_ONLY" and not s["policy"]["leaseValid"], "its lease is over")
        over_ms = round(time.time() * 1000)
        over = await system.venue.newest(system.began_at)
        await asyncio.sleep(AWAY_SECONDS)
        assert laws.entries(await system.venue.log(over)) == []
        returned_ms = round(time.time() * 1000)
        await system.scale_operator(1)
        await system.until_engines(lambda s: s["gate"] == "ACTIVE" and s["policy"]["leaseValid"], "ACTIVE again")
        await system.until_trading(over)
    closed = [Closed(engine, over_ms, returned_ms) for engine in system.engines]
    assert laws.no_entry_while_closed(await system.venue.log(), closed) == []
    told = await system.until("tradingpolicies", "house", "EnginesAcknowledged")
    assert told["status"]["engines"]["acknowledged"] == len(system.engines)
