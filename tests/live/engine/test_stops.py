"""A stop closes the gate at once, gets out through the real venue, stays, and is released only by its id."""

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from tests.live.engine.account import AccountAtVenue
from tests.live.engine.rig import EngineRig, Pen, limits

from quantum_api.policy_document import StopOrder
from quantum_api.trading_policy import StopAction
from quantum_simulator.venue import Venue

STOP = StopOrder(id="0b5e-uid-of-the-object", name="storm", action=StopAction.FLATTEN, reason="storm warning")


@pytest.fixture
def account(venue: Venue, session: aiohttp.ClientSession) -> AccountAtVenue:
    return AccountAtVenue(venue, session)


@pytest.fixture
async def invested(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> EngineRig:
    """The engine holds a position with a resting take-profit and a conditional stop, and is ACTIVE."""
    await trader.start()
    await trader.put(pen.document(10, limits=limits(max_drawdown_bps=500, warn_drawdown_bps=200)))
    await account.buy("BTCUSDT", "0.2")
    mark = await account.mark("BTCUSDT")
    await account.rest_take_profit("BTCUSDT", "0.2", f"{mark * 1.1:.1f}")
    await account.rest_stop_loss("BTCUSDT", f"{mark * 0.5:.1f}")
    await trader.until_status(
        lambda s: s["gate"] == "ACTIVE" and s["openOrders"] == 2 and len(s["positions"]) == 1, "the engine sees what the account holds"
    )
    return trader


def done(status: dict[str, Any]) -> bool:
    return bool(status["latches"]) and all("cooldownUntilMs" in latch for latch in status["latches"])


def only_latch(status: dict[str, Any]) -> dict[str, Any]:
    (latch,) = status["latches"]
    return dict(latch)


async def test_a_drawdown_breach_ends_flat_at_the_venue_and_reopens_only_by_release(
    invested: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    """Promises 1, 3 and 7, the whole way: breach, gate, cancel (also conditional orders), close, proof, release."""
    await account.crash("BTCUSDT", 1_000)
    status = await invested.until_status(done, "the stop's work is proven done")
    latch = only_latch(status)
    assert await account.exposure() == (0, 0)
    assert (latch["trigger"], latch["origin"], latch["action"], latch["limit"]) == ("Drawdown", "Engine", "Flatten", "500 bps")
    assert latch["trippedAtMs"] <= latch["gateClosedAtMs"] <= latch["ordersCancelledAtMs"] <= latch["positionsFlatAtMs"]
    assert (status["gate"], status["emergency"], status["drawdown"]["breached"]) == ("EXIT_ONLY", "COOLDOWN", True)

    await invested.put(pen.document(11, limits=limits(max_drawdown_bps=500, warn_drawdown_bps=200)))
    assert (await invested.status())["emergency"] == "COOLDOWN"

    await invested.put(pen.document(12, limits=limits(max_drawdown_bps=500, warn_drawdown_bps=200), released=[latch["id"]]))
    reopened = await invested.until_status(lambda s: s["emergency"] == "ARMED" and s["gate"] == "ACTIVE", "the release reopens")
    assert reopened["drawdown"]["drawdownBps"] == 0
    assert not reopened["drawdown"]["breached"]


async def test_a_stop_of_a_document_flattens_and_a_later_document_without_it_does_not_clear_it(
    invested: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    """A deleted object never releases anything."""
    await invested.put(pen.document(11, stops=[STOP]))
    await invested.until_status(done, "flat")
    await invested.put(pen.document(12))
    status = await invested.status()
    assert (only_latch(status)["id"], status["gate"]) == (STOP.id, "EXIT_ONLY")
    assert await account.exposure() == (0, 0)


async def test_an_acknowledged_stop_is_already_in_force(invested: EngineRig, pen: Pen) -> None:
    """Promise 4."""
    _, ack = await invested.put(pen.document(11, stops=[STOP]))
    assert ack["gate"] == "EXIT_ONLY"
    assert "gateClosedAtMs" in only_latch(await invested.status())


async def test_halt_entries_leaves_orders_and_positions_alone(invested: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    await invested.put(pen.document(11, stops=[STOP.model_copy(update={"action": StopAction.HALT_ENTRIES})]))
    status = await invested.until_status(done, "nothing to do but close the gate")
    assert status["gate"] == "REDUCE_ONLY"
    assert await account.exposure() == (2, 1)


async def test_cancel_orders_leaves_the_position(invested: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    await invested.put(pen.document(11, stops=[STOP.model_copy(update={"action": StopAction.CANCEL_ORDERS})]))
    await invested.until_status(done, "orders are cancelled")
    assert await account.exposure() == (0, 1)


async def test_a_stop_for_one_symbol_leaves_the_others(invested: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    await account.buy("ETHUSDT", "1")
    await invested.until_status(lambda s: len(s["positions"]) == 2, "both positions are seen")
    await invested.put(pen.document(11, stops=[STOP.model_copy(update={"symbols": ["BTCUSDT"]})]))
    status = await invested.until_status(done, "BTCUSDT is flat")
    assert [held["symbol"] for held in status["positions"]] == ["ETHUSDT"]
    assert status["gate"] == "ACTIVE"
    assert await account.exposure() == (0, 1)


@pytest.mark.parametrize("point", ["after-latch-before-report", "after-latch-before-flatten"])
async def test_a_kill_between_latch_and_flatten_resumes_and_ends_flat(
    trader: EngineRig, account: AccountAtVenue, pen: Pen, point: str
) -> None:
    """Promise 3: the latch is on disk before its work begins, and the work starts from the latch alone."""
    await account.buy("BTCUSDT", "0.2")
    await trader.start(QT_ENGINE_CRASH_AT=point)
    await trader.put(pen.document(10))
    await trader.until_status(lambda s: len(s["positions"]) == 1, "the position is seen")
    with contextlib.suppress(aiohttp.ClientError):
        await trader.halt("about to crash")
    await trader.died()
    assert await account.exposure() == (0, 1)
    await trader.start()
    status = await trader.until_status(done, "the stop goes on where it died")
    assert (only_latch(status)["trigger"], only_latch(status)["reason"]) == ("Manual", "about to crash")
    assert await account.exposure() == (0, 0)


async def test_a_kill_between_breach_and_journal_trips_again_from_the_persisted_peak(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    """The peak does not reset on restart, so a breach cannot be forgotten by dying."""
    await trader.start(QT_ENGINE_CRASH_AT="after-trip-before-journal")
    await trader.put(pen.document(10, limits=limits(max_drawdown_bps=500, warn_drawdown_bps=200)))
    await account.buy("BTCUSDT", "0.2")
    await trader.until_status(lambda s: s["gate"] == "ACTIVE" and len(s["positions"]) == 1, "trading")
    await trader.until(lambda: _peak_is_on_disk(trader), "the peak is on disk")
    await account.crash("BTCUSDT", 1_000)
    await trader.died()
    await trader.start()
    status = await trader.until_status(done, "tripped again, flat")
    assert only_latch(status)["trigger"] == "Drawdown"
    assert await account.exposure() == (0, 0)


async def _peak_is_on_disk(rig: EngineRig) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{rig.folder / 'journal' / 'journal.db'}?mode=ro", uri=True)) as journal:
        return journal.execute("SELECT 1 FROM rows WHERE room = 'peak'").fetchone() is not None


async def test_an_unreachable_venue_keeps_the_gate_shut_and_the_work_goes_on_when_it_returns(
    invested: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    await account.lever("POST", "faults", kind="http_503_service_unavailable", path="/fapi")
    await invested.put(pen.document(11, stops=[STOP]))
    waiting = await invested.until_status(lambda s: "cannot be asked" in only_latch(s).get("message", ""), "it says what it waits for")
    assert (waiting["gate"], waiting["emergency"]) == ("EXIT_ONLY", "TRIPPED")
    await account.lever("DELETE", "faults")
    await invested.until_status(done, "flat after the venue came back")
    assert await account.exposure() == (0, 0)


@pytest.mark.parametrize("code", [-4118, -2022])
async def test_a_refused_closing_order_is_cancelled_for_and_tried_again(
    invested: EngineRig, account: AccountAtVenue, pen: Pen, code: int
) -> None:
    await account.lever(
        "POST",
        "faults",
        kind="reject_code",
        path="/fapi/v1/order",
        method="POST",
        count=2,
        code=code,
        message="refused",
    )
    await invested.put(pen.document(11, stops=[STOP]))
    await invested.until_status(done, "flat in spite of two refusals")
    assert await account.exposure() == (0, 0)


async def test_a_closing_order_of_unknown_outcome_is_not_doubled(invested: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    """Promise 5: the venue did it and the answer was lost; looking again shows flat, and nothing flips."""
    await account.lever("POST", "faults", kind="drop_answer", path="/fapi/v1/order", method="POST", count=1)
    await invested.put(pen.document(11, stops=[STOP]))
    await invested.until_status(done, "flat")
    assert await account.exposure() == (0, 0)


async def test_a_stop_past_its_deadline_is_escalated_and_goes_on(invested: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    await account.lever("POST", "faults", kind="http_503_service_unavailable", path="/fapi")
    await invested.put(pen.document(11, limits=limits(flatten_deadline_seconds=1), stops=[STOP]))
    status = await invested.until_status(lambda s: only_latch(s)["message"].startswith("overdue"), "it is said aloud")
    assert only_latch(status)["overdue"]
    await account.lever("DELETE", "faults")
    assert not only_latch(await invested.until_status(done, "flat"))["overdue"]


async def test_a_release_waits_for_the_cooldown(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    stop = STOP.model_copy(update={"action": StopAction.HALT_ENTRIES})
    slow = limits(stop_cooldown_seconds=2)
    await engine.put(pen.document(11, limits=slow, stops=[stop]))
    tripped = only_latch(await engine.until_status(done, "cooling down"))
    await engine.put(pen.document(12, limits=slow, released=[stop.id]))
    assert only_latch(await engine.status())["id"] == stop.id
    armed = await engine.until_status(lambda s: s["emergency"] == "ARMED", "released once the cooldown is over")
    assert armed["asOfMs"] >= tripped["trippedAtMs"] + 2_000


async def test_a_released_latch_does_not_come_back_after_a_restart(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    stop = STOP.model_copy(update={"action": StopAction.HALT_ENTRIES})
    await engine.put(pen.document(11, stops=[stop]))
    await engine.until_status(done, "engaged")
    await engine.put(pen.document(12, released=[stop.id]))
    await engine.until_status(lambda s: s["emergency"] == "ARMED", "released")
    engine.kill()
    await engine.start()
    assert (await engine.status())["latches"] == []


async def test_a_halt_needs_its_token(engine: EngineRig) -> None:
    await engine.start()
    assert (await engine.halt("x", token="guess"))[0] == 401
    assert (await engine.halt("", action="Flatten"))[0] == 422
    assert (await engine.status())["latches"] == []


async def test_latches_are_not_shared_between_disks(new_engine: Callable[..., EngineRig]) -> None:
    first, second = new_engine(), new_engine()
    await first.start()
    await first.halt("only here")
    await second.start()
    assert (await second.status())["latches"] == []


async def test_a_daily_loss_stops_as_a_drawdown_does_and_says_so(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    """An evaluator of its own, the whole way: limit in a signed document, event, latch, flat at the venue, release."""
    tight = limits(max_drawdown_bps=5_000, warn_drawdown_bps=4_000, max_daily_loss_bps=500, max_loss_velocity_bps=5_000)
    await account.buy("BTCUSDT", "0.2")
    await trader.start()
    await trader.put(pen.document(10, limits=tight))
    await trader.until_status(lambda s: s["gate"] == "ACTIVE" and len(s["positions"]) == 1, "trading")
    await account.crash("BTCUSDT", 1_000)
    status = await trader.until_status(done, "flat")
    latch = only_latch(status)
    assert (latch["trigger"], latch["origin"], latch["action"], latch["limit"]) == ("DailyLoss", "Engine", "Flatten", "500 bps")
    assert not status["drawdown"]["breached"]
    assert await account.exposure() == (0, 0)
    assert any('"risk.circuit_breaker.triggered"' in line for line in trader.lines), "the log line bears the event's name"
    await trader.put(pen.document(11, limits=tight, released=[latch["id"]]))
    await trader.until_status(lambda s: s["emergency"] == "ARMED" and s["gate"] == "ACTIVE", "the release reopens and does not trip again")


async def test_an_exchange_that_stays_away_past_its_deadline_halts_entries_and_flattens_nothing(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    """An outage is no loss.  Until the deadline it tightens by itself and comes back by itself; past it, people look first."""
    short = limits(reconciliation_deadline_seconds=10)
    await account.buy("BTCUSDT", "0.01")
    await trader.start()
    await trader.put(pen.document(10, limits=short))
    await trader.until_status(lambda s: s["gate"] == "ACTIVE" and len(s["positions"]) == 1, "trading")
    await account.lever("POST", "faults", kind="http_503_service_unavailable", path="/fapi")
    await account.lever("POST", "faults", kind="stream_cut", path="/private")
    await trader.until_status(lambda s: s["gate"] == "REDUCE_ONLY" and not s["latches"], "it tightens at once, without a stop")
    status = await trader.until_status(lambda s: bool(s["latches"]), "the deadline has passed", seconds=30)
    latch = only_latch(status)
    assert (latch["trigger"], latch["action"], latch["limit"]) == ("ReconciliationBreak", "HaltEntries", "10 s")
    await account.lever("DELETE", "faults")
    await trader.until_status(lambda s: s["reconciled"], "the exchange is back")
    assert (await trader.status())["gate"] == "REDUCE_ONLY"
    assert (await account.exposure())[1] == 1


async def test_money_taken_out_while_the_engine_was_dead_is_no_loss_and_money_put_in_hides_none(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    """A reconnect replays nothing: without asking, half the account gone would be a drawdown of 50 %, and a flattened book."""
    await account.buy("BTCUSDT", "0.01")
    await trader.start()
    await trader.put(pen.document(10))
    before = await trader.until_status(lambda s: s["gate"] == "ACTIVE" and len(s["positions"]) == 1, "trading")
    await trader.until(lambda: _peak_is_on_disk(trader), "the peak is on disk")
    trader.kill()
    await account.lever("POST", "deposit", account="alpha", amountUsdt="-5000")
    await trader.start()
    after = await trader.until_status(lambda s: s["gate"] == "ACTIVE", "compared, and nothing tripped")
    assert after["latches"] == []
    assert 4_900 < float(before["drawdown"]["peakUsdt"]) - float(after["drawdown"]["peakUsdt"]) <= 5_000.5
    trader.kill()
    await account.lever("POST", "deposit", account="alpha", amountUsdt="5000")
    await trader.start()
    again = await trader.until_status(
        lambda s: s["gate"] == "ACTIVE" and float(s["drawdown"]["peakUsdt"]) > 9_000, "the peak moved with it"
    )
    assert abs(float(again["drawdown"]["drawdownBps"]) - float(before["drawdown"]["drawdownBps"])) < 100
