"""Killing, freezing or doubling the operator changes nothing on the engines and loses nothing (DESIGN 2, 5, 7)."""

import signal

import pytest
from tests.live.operator.desk import Desk, eventually

from quantum_api.gate import Gate

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def acknowledged(desk: Desk, engines: int = 1, **settings: str) -> None:
    await desk.operator(**settings)
    for n in range(engines):
        await desk.engine(f"engine-{n}")
    await desk.share_jwks()
    await desk.policy()
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")


async def test_an_operator_killed_between_push_and_status_write_tells_the_truth_after_its_restart(desk: Desk) -> None:
    await acknowledged(desk)
    engine, first = desk.engines["engine-0"], desk.operators[0]
    take, refused = engine.take, len(engine.refused)

    def take_and_kill(token: bytes):
        answer = take(token)
        first.signal(signal.SIGKILL)
        return answer

    engine.take = take_and_kill  # type: ignore[method-assign]
    await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 321})
    assert first.process is not None
    await first.process.wait()
    engine.take = take  # type: ignore[method-assign]
    assert engine.held is not None
    assert engine.held.document.limits is not None
    assert engine.held.document.limits.max_order_notional_usdt == 321
    assert (await desk.condition("TradingPolicy", "base", "EnginesAcknowledged"))["status"] is None
    await desk.operator()
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    assert len(engine.refused) == refused


async def test_a_restarted_operator_shows_no_gap_in_what_stands_on_the_objects(desk: Desk) -> None:
    await acknowledged(desk, engines=2)
    before = (await desk.get("TradingPolicy", "base"))["status"]
    await desk.operators[0].kill()
    held = len(desk.engines["engine-0"].history)
    await desk.operator()
    await eventually(lambda: len(desk.engines["engine-0"].history) > held, "the new operator pushes")
    await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 500})
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    after = (await desk.get("TradingPolicy", "base"))["status"]
    assert [c["lastTransitionTime"] for c in after["conditions"]] == [c["lastTransitionTime"] for c in before["conditions"]]


async def test_a_stop_applied_while_the_operator_is_down_is_engaged_when_it_is_back(desk: Desk) -> None:
    await acknowledged(desk)
    await desk.operators[0].kill()
    await desk.stop()
    await desk.operator()
    await desk.until("EmergencyStop", "stop", "GateClosed")


async def test_a_policy_deleted_while_the_operator_is_down_is_not_remembered(desk: Desk) -> None:
    await acknowledged(desk)
    await desk.operators[0].kill()
    await desk.api.delete(desk.path("TradingPolicy", "base"))
    await desk.operator()
    await eventually(lambda: desk.engines["engine-0"].gate is Gate.HALTED, "no policy, no trading")


async def test_an_operator_that_lags_cannot_loosen_what_another_has_tightened(desk: Desk) -> None:
    """Frozen with the old world in its memory, it thaws and tries to speak; the fence of every engine holds."""
    await acknowledged(desk)
    engine, lagging = desk.engines["engine-0"], desk.operators[0]
    lagging.signal(signal.SIGSTOP)
    await desk.operator()
    await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 10})
    await desk.stop(action="HaltEntries")
    await desk.until("EmergencyStop", "stop", "GateClosed")
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    strict = len(engine.history)
    lagging.signal(signal.SIGCONT)
    await desk.patch("TradingPolicy", "base", {"maxOrdersPerSecond": 3})
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    later = [verified.document for verified in engine.history[strict:]]
    assert later
    assert all(document.limits is not None and document.limits.max_order_notional_usdt == 10 for document in later)
    assert all(document.gate is Gate.REDUCE_ONLY and document.stops for document in later)


async def test_two_operators_with_one_view_do_not_push_against_each_other(desk: Desk) -> None:
    await acknowledged(desk)
    await desk.operator()
    await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 77})
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    engine = desk.engines["engine-0"]
    await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 78})
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    assert len(engine.history) <= 12


async def test_a_terminated_operator_ends_cleanly_and_at_once(desk: Desk) -> None:
    await acknowledged(desk)
    assert await desk.operators[0].end() == 0
