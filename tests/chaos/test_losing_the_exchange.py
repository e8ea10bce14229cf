"""The exchange's REST interface goes down while a stop is at work (DESIGN 7)."""

import pytest
from tests.chaos import laws
from tests.chaos.system import System, eventually, unix_ms

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]


async def test_a_stop_shuts_every_gate_though_the_exchange_is_away_and_goes_flat_when_it_returns(system: System) -> None:
    """Shutting the gate needs nobody; getting out needs the exchange, and never gives up on it."""
    await system.go_long()
    faults = [await system.venue.fault("http_503_service_unavailable", path="/fapi", account=engine) for engine in system.engines]
    await system.stop("storm")
    await system.until("emergencystops", "storm", "GateClosed")
    shut = await system.venue.newest(system.began_at)

    async def asked_in_vain() -> bool:
        return all([await system.venue.struck(fault) >= 6 for fault in faults])

    await eventually(asked_in_vain, "every engine has tried more than once to get out")
    stop = await system.until("emergencystops", "storm", "PositionsFlat", "False")
    assert not any(account["isFlat"] for account in await system.venue.accounts())
    assert not any(row.get("positionsFlatAt") for row in stop["status"]["progress"])
    await system.venue.end_faults()
    await system.until("emergencystops", "storm", "PositionsFlat")
    assert laws.flat(await system.venue.accounts()) == []
    assert laws.entries(await system.venue.log(shut)) == []
    closed = await system.closings("storm")
    log = await system.venue.log()
    assert laws.no_entry_while_closed(log, closed) == []
    assert laws.positions_only_shrink(log, closed) == []


async def test_a_stop_waits_as_long_as_a_throttling_exchange_asks_and_then_gets_out(system: System) -> None:
    """Asking on would turn a full minute into a ban of the address, which every engine behind it shares."""
    await system.go_long()
    fault = await system.venue.fault("rate_limit_429", path="/fapi/v3/positionRisk", forMs=3_000, retryAfterSeconds=3)
    await system.stop("patience")
    await system.until("emergencystops", "patience", "GateClosed")
    stop = await system.until("emergencystops", "patience", "PositionsFlat")
    assert len(system.engines) <= await system.venue.struck(fault) <= 3 * len(system.engines)
    assert all(unix_ms(row["positionsFlatAt"]) - unix_ms(row["gateClosedAt"]) < 5_000 for row in stop["status"]["progress"])
    assert laws.flat(await system.venue.accounts()) == []
    assert laws.no_entry_while_closed(await system.venue.log(), await system.closings("patience")) == []
