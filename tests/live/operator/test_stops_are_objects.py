"""Every stop is one object, and only people release it (DESIGN 3, promises 1 and 3)."""

import pytest
from tests.live.operator.desk import Desk, eventually

from quantum_api.gate import Gate
from quantum_api.trading_policy import StopAction
from quantum_api.triggers import Trigger
from quantum_operator.stops import stop_name

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def two_engines(desk: Desk) -> None:
    await desk.operator()
    for n in range(2):
        await desk.engine(f"engine-{n}")
    await desk.share_jwks()
    await desk.policy()
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")


async def approve(desk: Desk, name: str, *people: str) -> None:
    await desk.patch("EmergencyStop", name, {"approvals": [{"by": person} for person in people]})


async def test_a_stop_is_engaged_phase_by_phase_and_released_only_by_the_second_approval(desk: Desk) -> None:
    await two_engines(desk)
    await desk.stop()
    await desk.until("EmergencyStop", "stop", "GateClosed")
    await desk.until("TradingPolicy", "base", "EmergencyStopActive")
    assert {e.gate for e in desk.engines.values()} == {Gate.EXIT_ONLY}
    assert (await desk.condition("EmergencyStop", "stop", "PositionsFlat"))["reason"] == "Engaging"
    for engine in desk.engines.values():
        engine.finish_latches()
    await desk.until("EmergencyStop", "stop", "PositionsFlat")
    await approve(desk, "stop", "ann")
    await desk.until("EmergencyStop", "stop", "EnginesAcknowledged")
    assert (await desk.get("EmergencyStop", "stop"))["status"]["approvals"] == "1/2"
    assert all(e.latches for e in desk.engines.values())
    await approve(desk, "stop", "ann", "bob")
    await desk.until("EmergencyStop", "stop", "Released")
    assert not any(e.latches for e in desk.engines.values())
    status = (await desk.get("EmergencyStop", "stop"))["status"]
    assert status["releasedBy"] == ["ann", "bob"]
    assert all(row["gateClosedAt"] and row["releasedAt"] for row in status["progress"])
    await desk.until("TradingPolicy", "base", "EmergencyStopActive", "False")


async def test_an_engines_own_stop_becomes_an_object_that_shows_the_breach(desk: Desk) -> None:
    await two_engines(desk)
    desk.engines["engine-0"].trip("trip-1")
    name = stop_name("engine-0", "trip-1")
    await desk.until("TradingPolicy", "base", "DrawdownBreached")
    await eventually(lambda: _exists(desk, name), "the object of the latch")
    made = await desk.get("EmergencyStop", name)
    assert made["spec"]["origin"]["measured"] == "1200 bps"
    await desk.until("EmergencyStop", name, "GateClosed")
    assert not desk.engines["engine-1"].latches
    await approve(desk, name, "ann", "bob")
    await desk.until("EmergencyStop", name, "Released")
    await desk.until("TradingPolicy", "base", "DrawdownBreached", "False")
    assert len(await desk.all("EmergencyStop")) == 1


async def test_a_trip_that_is_no_drawdown_is_an_object_and_no_breach_of_drawdown(desk: Desk) -> None:
    await two_engines(desk)
    desk.engines["engine-0"].trip("trip-2", Trigger.RECONCILIATION_BREAK, StopAction.HALT_ENTRIES)
    name = stop_name("engine-0", "trip-2")
    await eventually(lambda: _exists(desk, name), "the object of the latch")
    await desk.until("EmergencyStop", name, "GateClosed")
    made = (await desk.get("EmergencyStop", name))["spec"]
    assert (made["action"], made["origin"]["trigger"], made["origin"]["limit"]) == ("HaltEntries", "ReconciliationBreak", "1000 bps")
    await desk.until("TradingPolicy", "base", "EmergencyStopActive")
    assert (await desk.condition("TradingPolicy", "base", "DrawdownBreached"))["status"] == "False"


async def test_a_stop_that_is_deleted_by_force_comes_back_and_the_engines_stay_stopped(desk: Desk) -> None:
    await two_engines(desk)
    stop = await desk.stop()
    await desk.until("EmergencyStop", "stop", "GateClosed")
    await desk.api.delete(desk.path("EmergencyStop", "stop"))
    names = {stop_name(engine, stop["metadata"]["uid"]) for engine in desk.engines}
    await eventually(lambda: _all_exist(desk, names), "one object per engine and latch")
    for name in names:
        await desk.until("EmergencyStop", name, "GateClosed")
    assert all([latch.id for latch in e.latches] == [stop["metadata"]["uid"]] for e in desk.engines.values())
    assert not any(verified.document.released for e in desk.engines.values() for verified in e.history)


async def _exists(desk: Desk, name: str) -> bool:
    return name in {o["metadata"]["name"] for o in await desk.all("EmergencyStop")}


async def _all_exist(desk: Desk, names: set[str]) -> bool:
    return names <= {o["metadata"]["name"] for o in await desk.all("EmergencyStop")}
