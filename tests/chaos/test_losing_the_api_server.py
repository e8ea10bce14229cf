"""The API server is away for long while engines breach (DESIGN 7): they stop by themselves, and the objects tell it afterwards.

``QT_CHAOS_OUTAGE_SECONDS`` says for how long the killed API server stays away (60 s).
"""

import asyncio
import os
import time
from typing import Final

import pytest
from tests.chaos import laws
from tests.chaos.system import System, eventually

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos, pytest.mark.timeout(240)]
FROZEN_SECONDS: Final = 12.0
"""Longer than the operator waits for one answer (10 s): requests that it has given up are carried out after the thaw."""
AWAY_SECONDS: Final = float(os.environ.get("QT_CHAOS_OUTAGE_SECONDS", "60"))
TOLD_WITHIN_SECONDS: Final = 15.0


async def breach_unseen(system: System) -> int:
    """The market falls faster than a strategy can turn; number of the log entry after which everything is flat."""
    await system.venue.shock(-1_500, 0.3)
    await eventually(system.venue.is_flat, "every engine stops itself and goes flat, says the venue", 20)
    for engine in system.engines:
        (latch,) = (await system.status(engine))["latches"]
        assert (latch["trigger"], latch["action"]) == ("Drawdown", "Flatten")
    return await system.venue.newest(system.began_at)


async def stay_away(began: float, seconds: float) -> None:
    """The length of the outage is what is tested."""
    await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))


async def told_afterwards(system: System, flat_at: int) -> None:
    """An object per engine, conditions true, and a venue that saw nothing open."""
    began = time.monotonic()

    async def one_each() -> bool:
        return set(await system.own_stops()) == set(system.engines)

    await eventually(one_each, "an EmergencyStop object per engine", TOLD_WITHIN_SECONDS)
    stops = await system.own_stops()
    for stop in stops.values():
        for kind in ("GateClosed", "OrdersCancelled", "PositionsFlat", "EnginesAcknowledged"):
            await system.until("emergencystops", stop["metadata"]["name"], kind, within_seconds=TOLD_WITHIN_SECONDS)
    for kind in ("DrawdownBreached", "EmergencyStopActive"):
        await system.until("tradingpolicies", "house", kind, within_seconds=TOLD_WITHIN_SECONDS)
    print(f"told {time.monotonic() - began:.1f} s after the API server was back")
    closed = [c for stop in stops.values() for c in await system.closings(stop["metadata"]["name"])]
    assert {c.engine for c in closed} == set(system.engines)
    assert all(c.until_ms is None for c in closed)
    log = await system.venue.log()
    assert laws.entries(await system.venue.log(flat_at)) == []
    assert laws.no_entry_while_closed(log, closed) == []
    assert laws.positions_only_shrink(log, closed) == []
    assert laws.flat(await system.venue.accounts()) == []


async def test_engines_that_breach_while_the_api_server_is_frozen_stop_themselves_and_the_objects_follow(system: System) -> None:
    """Frozen: connections stay open and nothing is answered, so nobody learns at once that it is away."""
    await system.go_long()
    system.cluster.apiserver.freeze()
    began = time.monotonic()
    flat_at = await breach_unseen(system)
    await stay_away(began, FROZEN_SECONDS)
    system.cluster.apiserver.thaw()
    await told_afterwards(system, flat_at)


async def test_engines_that_breach_while_the_api_server_is_dead_stay_stopped_even_if_one_dies_meanwhile(system: System) -> None:
    """A killed engine comes back from its journal alone, and neither its pod nor its latch has an object to lean on."""
    await system.go_long()
    await system.cluster.apiserver.kill()
    began = time.monotonic()
    flat_at = await breach_unseen(system)
    victim = system.engines[1]
    before = (await system.status(victim))["instance"]
    await system.kill_engine(victim)
    await system.until_engine(victim, lambda s: s["instance"] != before and s["reconciled"], "restarted without an API server")
    assert (await system.status(victim))["latches"]
    await system.venue.drift(300)
    await stay_away(began, AWAY_SECONDS)
    await system.cluster.apiserver.start()
    await system.cluster.apiserver.wait_ready()
    await told_afterwards(system, flat_at)
