"""A breach closes the gate in the same call, is told with its latch, is stopped once, and is accepted only by people."""

import asyncio
from decimal import Decimal

import pytest
from tests.unit.engine.risk.desk import Desk, policy

from quantum_api.bus_envelope import EventClass
from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.events import StopEvent
from quantum_api.gate import Gate
from quantum_api.trading_policy import StopAction
from quantum_api.triggers import Trigger
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.journal import Publish, Put, Table
from quantum_engine.risk.snapshot import Senses
from quantum_engine.verdicts import Accepted, Declined

DAY_SECONDS = 86_400
DAY_MS = DAY_SECONDS * 1_000


def rejected(desk: Desk, times: int) -> None:
    for number in range(times):
        desk.risk.on_outcome(OrderIntent(str(number), "BTCUSDT", Side.BUY, Decimal(1)), Declined("c", -2019, "margin"))


async def test_promise_1_each_reading_is_judged_and_the_gate_is_shut_when_the_call_returns() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000, 9_501)
    assert desk.permission.gate is Gate.ACTIVE
    desk.read(9_500)
    assert (desk.permission.gate, desk.triggers) == (Gate.EXIT_ONLY, ["DailyLoss"])


async def test_the_latch_and_the_event_that_tells_it_are_one_transaction_with_all_numbers() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000, 9_400)
    await desk.live()
    (latch,) = desk.book.latches
    commit = next(writes for writes in desk.journal.commits if any(isinstance(w, Put) and w.table is Table.LATCH for w in writes))
    event, tripped = (write for write in commit if isinstance(write, Publish))
    assert (event.kind, event.event_class, tripped.kind) == (StopEvent.BREAKER_TRIGGERED, EventClass.RISK, StopEvent.TRIPPED)
    assert event.payload == {
        "latch": latch.id, "trigger": "DailyLoss", "action": "Flatten", "trippedAtMs": latch.tripped_at_ms, "measured": "600 bps",
        "limit": "500 bps", "reason": latch.reason, "equityUsdt": "9400", "dayStartUsdt": "10000",
    }  # fmt: skip
    assert (tripped.payload["latch"], tripped.payload["origin"], tripped.payload["measured"]) == (latch.id, "Engine", "600 bps")


async def test_a_disk_that_refuses_leaves_latch_and_event_owed_together() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.journal.is_full = True
    keeping = asyncio.create_task(desk.keeper.run())
    desk.read(10_000, 9_400)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (desk.told, desk.journal.rows[Table.LATCH], desk.permission.gate) == ([], {}, Gate.EXIT_ONLY)
    desk.journal.is_full = False
    async with asyncio.timeout(5):
        while not desk.told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert len(desk.told) == 2
    assert len(desk.journal.rows[Table.LATCH]) == 1
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_one_fall_is_stopped_once_whichever_limits_it_breaks() -> None:
    """Three approvals for one loss teach people to approve without looking."""
    desk = Desk()
    desk.read(10_000, 8_000, 7_900)
    assert desk.triggers == ["Drawdown"]


async def test_a_drawdown_has_a_stop_of_its_own_whatever_else_is_latched() -> None:
    desk = Desk(max_daily_loss_bps=300)
    desk.read(10_000, 9_600, 8_900)
    assert desk.triggers == ["DailyLoss", "Drawdown"]


async def test_a_weaker_stop_does_not_stand_for_a_stronger_one() -> None:
    desk = Desk(max_loss_velocity_bps=300, on_loss_velocity=StopAction.HALT_ENTRIES, max_daily_loss_bps=500)
    desk.read(10_000, 9_600)
    assert (desk.triggers, desk.permission.gate) == (["LossVelocity"], Gate.REDUCE_ONLY)
    desk.read(9_400)
    assert (desk.triggers, desk.permission.gate) == (["LossVelocity", "DailyLoss"], Gate.EXIT_ONLY)


async def test_a_release_accepts_every_loss_that_had_no_stop_of_its_own_and_no_other() -> None:
    desk = Desk(max_daily_loss_bps=1_500)
    desk.read(10_000, 8_400)
    desk.release(*desk.book.latches)
    assert (desk.triggers, desk.permission.gate) == ([], Gate.ACTIVE)
    assert desk.risk.measures.day.start_usdt == 8_400, "it had fallen 16 % since midnight, and that was seen and accepted"
    desk = Desk(max_daily_loss_bps=2_000)
    desk.read(10_000, 8_400)
    desk.release(*desk.book.latches)
    assert desk.risk.measures.day.start_usdt == 10_000, "the loss of the day had not reached its limit: it counts on"
    desk.read(8_000)
    assert desk.triggers == ["DailyLoss"]


async def test_a_released_daily_loss_does_not_move_the_peak() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000, 9_400)
    desk.release(*desk.book.latches)
    assert (desk.triggers, desk.risk.state.peak_usdt) == ([], 10_000)
    desk.read(9_000)
    assert desk.triggers == ["Drawdown"], "10 % below the peak"


async def test_the_speed_of_a_loss_is_measured_in_its_window_only() -> None:
    desk = Desk(max_loss_velocity_bps=500, loss_velocity_seconds=10, max_drawdown_bps=5_000, max_daily_loss_bps=5_000)
    for equity in (10_000, 9_800, 9_600, 9_400):
        desk.read(equity)
        desk.clock.advance(6)
    assert desk.triggers == []
    desk.read(8_931)
    assert desk.triggers == []
    desk.read(8_930)
    assert desk.triggers == ["LossVelocity"], "5 % below 9 400, which was the highest of the last 10 s"


async def test_rejects_of_the_exchange_cancel_what_rests_and_open_nothing_more() -> None:
    desk = Desk(max_rejects_per_minute=3)
    desk.read(10_000)
    rejected(desk, 3)
    assert desk.triggers == []
    rejected(desk, 1)
    (latch,) = desk.book.latches
    assert (latch.trigger, latch.action, latch.measured, latch.limit) == ("RejectRate", "CancelOrders", "4 rejects/min", "3 rejects/min")
    desk.release(latch)
    assert desk.triggers == [], "what people have seen does not trip again"
    rejected(desk, 4)
    assert desk.triggers == ["RejectRate"]


async def test_an_engine_that_sends_more_than_its_policy_lets_through_is_out_of_control() -> None:
    desk = Desk(max_intents_per_minute=50, order_runaway_bps=20_000)
    desk.read(10_000)
    for number in range(101):
        assert desk.triggers == [], number
        desk.risk.on_outcome(OrderIntent(str(number), "BTCUSDT", Side.BUY, Decimal(1)), Accepted("c", None))
    (latch,) = desk.book.latches
    assert (latch.trigger, latch.action, latch.measured, latch.limit) == (
        "OrderRunaway", "CancelOrders", "101 orders/min", "100 orders/min",
    )  # fmt: skip


async def test_a_release_after_a_recovery_measures_from_there_too() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000, 9_400, 9_800)
    desk.release(*desk.book.latches)
    assert desk.risk.measures.day.start_usdt == 9_800


OUTAGES = {
    Trigger.DATA_SILENCE: Senses(holds_position=True, data_silent_seconds=301),
    Trigger.STREAM_SILENCE: Senses(stream_deaf_seconds=301),
    Trigger.RECONCILIATION_BREAK: Senses(unreconciled_seconds=301),
}


@pytest.mark.parametrize("trigger", OUTAGES)
async def test_an_outage_past_its_deadline_halts_entries_without_any_event_and_flattens_nothing(trigger: Trigger) -> None:
    desk = Desk()
    desk.read(10_000)
    desk.senses = OUTAGES[trigger]
    await desk.live()
    (latch,) = desk.book.latches
    assert (latch.trigger, latch.action, latch.measured, latch.limit) == (trigger, "HaltEntries", "301 s", "300 s")
    assert desk.permission.gate is Gate.REDUCE_ONLY


@pytest.mark.parametrize("trigger", OUTAGES)
async def test_a_release_while_the_outage_lasts_gives_it_its_whole_deadline_once_more(trigger: Trigger) -> None:
    desk = Desk()
    desk.read(10_000)
    desk.senses = OUTAGES[trigger]
    desk.risk.judge()
    desk.release(*desk.book.latches)
    desk.clock.advance(300)
    desk.risk.judge()
    assert desk.triggers == []
    desk.clock.advance(1)
    desk.risk.judge()
    assert desk.triggers == [trigger]


async def test_a_policy_that_grows_tighter_trips_on_what_is_already_known() -> None:
    desk = Desk()
    desk.read(10_000, 9_600)
    desk.limits = policy(max_daily_loss_bps=400)
    desk.risk.limits_may_have_changed()
    assert desk.triggers == ["DailyLoss"]
    desk.limits = policy(max_daily_loss_bps=5_000)
    desk.risk.limits_may_have_changed()
    assert desk.triggers == ["DailyLoss"], "a wider one releases nothing"


async def test_without_a_policy_the_built_in_limits_hold() -> None:
    desk = Desk()
    desk.limits = None
    desk.read(10_000, 9_001)
    assert desk.triggers == []
    desk.read(9_000)
    assert desk.triggers == ["Drawdown"]
    desk = Desk()
    desk.limits = None
    rejected(desk, 31)
    assert desk.triggers == ["RejectRate"]


async def test_the_day_begins_with_the_equity_before_midnight_and_a_restart_does_not_begin_it_anew() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000)
    await desk.live()
    desk.read(9_700)
    desk.clock.advance(6)
    await desk.live()
    await desk.restart()
    desk.read(9_600)
    assert desk.risk.measures.day.start_usdt == 10_000
    desk.read(9_500)
    assert desk.triggers == ["DailyLoss"]


async def test_a_day_that_began_while_the_engine_was_away_begins_with_what_it_last_knew() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000, 9_700)
    await desk.live()
    desk.clock.advance(DAY_SECONDS)
    await desk.restart()
    desk.read(9_215)
    assert desk.risk.measures.day.start_usdt == 9_700
    assert desk.triggers == ["DailyLoss"], "5 % below the last equity before midnight"


async def test_a_transfer_trips_nothing() -> None:
    desk = Desk(max_daily_loss_bps=100, max_loss_velocity_bps=100)
    desk.read(10_000)
    desk.transfer(-5_000)
    desk.read(5_000)
    desk.transfer(20_000)
    desk.read(25_000)
    assert desk.triggers == []


async def test_a_latch_that_a_restart_finds_is_not_pulled_again() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000, 9_400)
    await desk.live()
    before = [latch.id for latch in desk.book.latches]
    await desk.restart()
    desk.read(9_300)
    assert [latch.id for latch in desk.book.latches] == before


async def test_a_stop_is_told_tripped_flat_and_released_each_once_over_a_restart() -> None:
    desk = Desk(max_daily_loss_bps=500)
    desk.read(10_000, 9_400)
    await desk.live()
    await desk.restart()
    desk.read(9_400)
    desk.release(*desk.book.latches)
    await desk.live()
    assert [event.kind for event in desk.told] == [
        StopEvent.BREAKER_TRIGGERED, StopEvent.TRIPPED, StopEvent.FLAT, StopEvent.RELEASED,
    ]  # fmt: skip


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_start_of_a_new_day_is_written_at_once_and_the_newest_equity_every_five_seconds() -> None:
    """Not with the next second: a crash in between would measure the day from another number.  Not with every tick: a write is an fsync."""
    desk = Desk()
    desk.clock.wall_unix_ms = 20_834 * DAY_MS - 1_000
    desk.read(10_000)
    running = asyncio.create_task(desk.risk.run())
    await turns()
    desk.clock.advance(1)
    desk.read(9_900)
    await turns()
    assert desk.kept == {"number": 20_834, "startUsdt": "10000", "lastUsdt": "9900"}
    for seconds, last in ((4.9, "9900"), (0.1, "9700")):
        desk.clock.advance(seconds)
        desk.read(9_700)
        desk.risk._keeper.soon()
        await turns()
        assert desk.kept["lastUsdt"] == last
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_transfer_is_written_at_once() -> None:
    desk = Desk()
    desk.read(10_000)
    running = asyncio.create_task(desk.risk.run())
    await turns()
    desk.transfer(100)
    await turns()
    assert desk.kept["startUsdt"] == "10100"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_stop_of_one_symbol_does_not_stand_for_one_of_the_whole_engine() -> None:
    desk = Desk(max_daily_loss_bps=500)
    scope = {"symbols": ["BTCUSDT"], "origin": LatchOrigin.ENGINE, "trigger": "LossVelocity"}
    desk.book.trip(Latch(id="x", action=StopAction.FLATTEN, reason="r", tripped_at_ms=1, **scope))
    desk.read(10_000, 9_400)
    assert "DailyLoss" in desk.triggers


async def test_a_stop_shuts_the_gate_before_its_latch_is_put_together_and_says_its_own_reason_after() -> None:
    """Building a latch takes longer than everything before it; and if it fails, the gate is shut all the same."""
    desk = Desk(max_daily_loss_bps=500)
    gates: list[Gate] = []

    def ids() -> str:
        gates.append(desk.permission.gate)
        return "abcd"

    desk.puller._ids = ids
    desk.read(10_000, 9_400)
    assert gates == [Gate.EXIT_ONLY]
    assert [restriction.source for restriction in desk.permission.restrictions] == ["stop"]
