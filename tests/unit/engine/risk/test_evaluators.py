"""Each evaluator trips at its limit and not one step before it; together they name every breach."""

from dataclasses import replace
from decimal import Decimal

import pytest

from quantum_api.trading_policy import Limits, StopAction
from quantum_api.triggers import Trigger
from quantum_engine.risk.evaluators import EVALUATORS, Breach, breaches
from quantum_engine.risk.snapshot import BUILT_IN, ORDERS_FLOOR_PER_MINUTE, RiskSnapshot, Senses, risk_limits

CALM = RiskSnapshot(
    BUILT_IN,
    Decimal(10_000),
    Decimal(10_000),
    0,
    False,
    Decimal(10_000),
    Decimal(10_000),
    Decimal(10_000),
    senses=Senses(holds_position=True),
)


def senses(**seconds: float) -> RiskSnapshot:
    return replace(CALM, senses=replace(CALM.senses, **seconds))


def only(seen: RiskSnapshot) -> Breach:
    (breach,) = breaches(seen)
    return breach


def test_a_calm_account_breaches_nothing() -> None:
    assert breaches(CALM) == ()


LOST_TEN_PERCENT = Decimal(9_000)
AT_THE_LIMIT = [
    (Trigger.DRAWDOWN, replace(CALM, is_drawdown_breached=True, drawdown_bps=1_000), "bps", 1_000, StopAction.FLATTEN),
    (Trigger.DAILY_LOSS, replace(CALM, day_last_usdt=LOST_TEN_PERCENT), "bps", 1_000, StopAction.FLATTEN),
    (Trigger.LOSS_VELOCITY, replace(CALM, equity_usdt=LOST_TEN_PERCENT), "bps in 60 s", 1_000, StopAction.FLATTEN),
    (Trigger.ORDER_RUNAWAY, replace(CALM, orders_last_minute=61), "orders/min", 60, StopAction.CANCEL_ORDERS),
    (Trigger.REJECT_RATE, replace(CALM, rejects_last_minute=31), "rejects/min", 30, StopAction.CANCEL_ORDERS),
    (Trigger.DATA_SILENCE, senses(data_silent_seconds=300.1), "s", 300, StopAction.HALT_ENTRIES),
    (Trigger.STREAM_SILENCE, senses(stream_deaf_seconds=300.1), "s", 300, StopAction.HALT_ENTRIES),
    (Trigger.RECONCILIATION_BREAK, senses(unreconciled_seconds=300.1), "s", 300, StopAction.HALT_ENTRIES),
]


@pytest.mark.parametrize(("trigger", "seen", "unit", "limit", "action"), AT_THE_LIMIT, ids=[case[0] for case in AT_THE_LIMIT])
def test_a_breach_names_trigger_measured_limit_unit_and_action(
    trigger: Trigger, seen: RiskSnapshot, unit: str, limit: int, action: StopAction
) -> None:
    """An outage alone is no loss and flattens nothing; a loss does."""
    breach = only(seen)
    assert (breach.trigger, breach.limit, breach.unit, breach.action) == (trigger, limit, unit, action)
    assert breach.measured >= limit
    assert breach.reason


BELOW = [
    replace(CALM, drawdown_bps=999),
    replace(CALM, day_last_usdt=Decimal("9000.01")),
    replace(CALM, equity_usdt=Decimal("9000.01")),
    replace(CALM, orders_last_minute=60),
    replace(CALM, rejects_last_minute=30),
    senses(data_silent_seconds=300.0),
    senses(stream_deaf_seconds=300.0),
    senses(unreconciled_seconds=300.0),
]


@pytest.mark.parametrize("seen", BELOW, ids=[case[0] for case in AT_THE_LIMIT])
def test_one_step_before_the_limit_nothing_trips(seen: RiskSnapshot) -> None:
    assert breaches(seen) == ()


def test_every_evaluator_is_in_the_table_above() -> None:
    assert len(AT_THE_LIMIT) == len(BELOW) == len(EVALUATORS)


def test_silence_without_a_position_costs_nothing() -> None:
    assert breaches(replace(CALM, senses=Senses(holds_position=False, data_silent_seconds=9_999))) == ()


def test_a_venue_that_is_away_for_45_seconds_trips_nothing() -> None:
    """Issue 8: the stop does not trip without a loss; the gate is at REDUCE_ONLY meanwhile by its own restrictions."""
    assert breaches(senses(data_silent_seconds=45, stream_deaf_seconds=45, unreconciled_seconds=45)) == ()


def test_several_breaches_of_one_moment_are_all_named_in_order() -> None:
    seen = replace(
        CALM,
        equity_usdt=Decimal(8_000),
        day_last_usdt=Decimal(8_000),
        drawdown_bps=2_000,
        is_drawdown_breached=True,
        rejects_last_minute=99,
    )
    assert [each.trigger for each in breaches(seen)] == [
        Trigger.DRAWDOWN, Trigger.DAILY_LOSS, Trigger.LOSS_VELOCITY, Trigger.REJECT_RATE,
    ]  # fmt: skip


def test_a_loss_of_the_day_is_not_forgotten_while_equity_is_unknown() -> None:
    assert only(replace(CALM, equity_usdt=None, day_last_usdt=LOST_TEN_PERCENT)).trigger is Trigger.DAILY_LOSS


def test_before_the_first_reading_there_is_no_loss_to_measure() -> None:
    assert breaches(RiskSnapshot(BUILT_IN)) == ()


def policy(**changes: int | StopAction) -> Limits:
    base = {"instruments": ["BTCUSDT"], "max_order_notional_usdt": 1, "max_position_notional_usdt": 1, "max_gross_exposure_usdt": 1}
    return Limits(**(base | changes))  # type: ignore[arg-type]


def test_every_limit_and_answer_comes_from_the_policy() -> None:
    tight = risk_limits(
        policy(
            max_daily_loss_bps=100, on_daily_loss=StopAction.HALT_ENTRIES, max_loss_velocity_bps=100, loss_velocity_seconds=5,
            on_loss_velocity=StopAction.CANCEL_ORDERS, max_rejects_per_minute=1, on_order_fault=StopAction.FLATTEN,
            on_outage=StopAction.CANCEL_ORDERS,
            data_silence_deadline_seconds=10, stream_silence_deadline_seconds=11, reconciliation_deadline_seconds=12,
        )
    )  # fmt: skip
    lost = Decimal(9_900)
    seen = replace(
        CALM, limits=tight, equity_usdt=lost, day_last_usdt=lost, rejects_last_minute=2, orders_last_minute=61,
        senses=Senses(True, 11.0, 12.0, 13.0),
    )  # fmt: skip
    assert {each.trigger: (each.limit, each.action) for each in breaches(seen)} == {
        Trigger.DAILY_LOSS: (100, StopAction.HALT_ENTRIES),
        Trigger.LOSS_VELOCITY: (100, StopAction.CANCEL_ORDERS),
        Trigger.ORDER_RUNAWAY: (60, StopAction.FLATTEN),
        Trigger.REJECT_RATE: (1, StopAction.FLATTEN),
        Trigger.DATA_SILENCE: (10, StopAction.CANCEL_ORDERS),
        Trigger.STREAM_SILENCE: (11, StopAction.CANCEL_ORDERS),
        Trigger.RECONCILIATION_BREAK: (12, StopAction.CANCEL_ORDERS),
    }


@pytest.mark.parametrize(
    ("intents", "runaway_bps", "orders"), [(1, 10_000, ORDERS_FLOOR_PER_MINUTE), (100, 10_000, 100), (100, 25_000, 250)]
)
def test_a_runaway_is_measured_against_what_the_policy_lets_through(intents: int, runaway_bps: int, orders: int) -> None:
    assert risk_limits(policy(max_intents_per_minute=intents, order_runaway_bps=runaway_bps)).max_orders_per_minute == orders


def test_without_a_policy_the_defaults_hold_and_drawdown_is_ten_percent() -> None:
    assert risk_limits(None) == risk_limits(policy())
    assert BUILT_IN.max_drawdown_bps == 1_000
