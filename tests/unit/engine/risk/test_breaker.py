"""Readings trip, only a release reopens; unknown is not "no loss"."""

import json
from decimal import Decimal

import pytest

from quantum_api.gate import Gate
from quantum_engine.domain import EquityLost, EquityRead, Transferred
from quantum_engine.errors import CorruptStateError
from quantum_engine.risk.breaker import (
    BreachRemembered,
    BreakerLimits,
    BreakerState,
    Event,
    KeepPeak,
    LimitsChanged,
    PeakRemembered,
    Released,
    Step,
    Warn,
    step,
)
from quantum_engine.risk.record import decode
from quantum_engine.risk.snapshot import BUILT_IN

LIMITS = BreakerLimits(warn_bps=200, max_bps=500)


def read(equity: int | str) -> EquityRead:
    return EquityRead(Decimal(equity), 1, 1.0)


def after(*events: Event, limits: BreakerLimits = LIMITS) -> Step:
    outcome = Step(BreakerState())
    for event in events:
        outcome = step(outcome.state, event, limits)
    return outcome


def test_before_the_first_reading_only_reducing_is_permitted() -> None:
    assert BreakerState().gate is Gate.REDUCE_ONLY


def test_the_first_reading_is_the_peak_and_is_written_at_once() -> None:
    outcome = after(read(10_000))
    assert (outcome.state.peak_usdt, outcome.state.gate, outcome.effects) == (10_000, Gate.ACTIVE, (KeepPeak(),))


def test_a_warning_is_given_once() -> None:
    assert after(read(10_000), read(9_800)).effects == (Warn(200, 200),)
    assert after(read(10_000), read(9_800), read(9_790)).effects == ()


def test_reaching_the_limit_trips_once() -> None:
    assert after(read(10_000), read("9500.01")).state.breached is False
    tripped = after(read(10_000), read(9_500))
    assert (tripped.state.breached, tripped.effects, tripped.state.gate) == (True, (KeepPeak(),), Gate.REDUCE_ONLY)
    assert after(read(10_000), read(9_500), read(9_000)).effects == ()


def test_a_recovery_does_not_reopen() -> None:
    assert after(read(10_000), read(9_500), read(12_000)).state.breached


def test_lost_equity_tightens_and_the_next_reading_lifts_only_that() -> None:
    lost = EquityLost("stale", 2.0)
    assert after(read(10_000), lost).state.gate is Gate.REDUCE_ONLY
    assert after(read(10_000), lost, read(10_000)).state.gate is Gate.ACTIVE
    assert after(read(10_000), read(9_500), lost, read(10_000)).state.gate is Gate.REDUCE_ONLY


def test_a_reading_that_is_no_number_is_unknown() -> None:
    assert after(read(10_000), read("NaN")).state.equity_usdt is None


def test_a_loss_during_the_blackout_trips_with_the_next_reading() -> None:
    assert after(read(10_000), EquityLost("stale", 2.0), read(9_000)).state.breached


def test_a_withdrawal_is_no_loss_and_a_deposit_hides_none() -> None:
    assert after(read(10_000), Transferred(Decimal(-5_000), 1), read(5_000)).state.drawdown_bps == 0
    assert after(read(10_000), Transferred(Decimal(10_000), 1), read(19_000)).state.breached


def test_a_release_measures_from_the_equity_of_that_moment() -> None:
    reopened = after(read(10_000), read(9_500), Released())
    assert (reopened.state.peak_usdt, reopened.state.breached, reopened.effects) == (9_500, False, (KeepPeak(),))
    assert step(reopened.state, read(9_025), LIMITS).state.breached


def test_a_release_while_equity_is_unknown_measures_from_the_next_reading() -> None:
    reopened = after(read(10_000), read(9_500), EquityLost("stale", 1.0), Released(), read(9_100))
    assert (reopened.state.peak_usdt, reopened.state.breached) == (9_100, False)


def test_a_tighter_limit_trips_on_the_reading_that_is_known() -> None:
    state = after(read(10_000), read(9_600)).state
    assert step(state, LimitsChanged(), BreakerLimits(100, 300)).state.breached


def test_a_wider_limit_does_not_reopen() -> None:
    state = after(read(10_000), read(9_500)).state
    assert step(state, LimitsChanged(), BreakerLimits(4_000, 5_000)).state.breached


def test_a_remembered_higher_peak_counts_and_a_lower_one_does_not() -> None:
    assert after(read(9_000), PeakRemembered(Decimal(10_000))).state.breached
    assert after(read(9_000), PeakRemembered(Decimal(8_000))).state.peak_usdt == 9_000


def test_a_latched_stop_of_another_process_is_a_breach() -> None:
    assert after(BreachRemembered(), read(10_000)).state.breached


def test_without_a_policy_ten_percent_holds() -> None:
    built_in = BreakerLimits(BUILT_IN.warn_drawdown_bps, BUILT_IN.max_drawdown_bps)
    assert not after(read(10_000), read("9000.01"), limits=built_in).state.breached
    assert after(read(10_000), read(9_000), limits=built_in).state.breached


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_peak_that_is_no_number_is_not_remembered_and_the_breaker_stays_on(amount: str) -> None:
    assert after(PeakRemembered(Decimal(amount)), read(10_000), read(9_500)).state.breached
    with pytest.raises(CorruptStateError):
        decode(json.dumps({"peakUsdt": amount}).encode())


def test_a_peak_row_that_nests_without_end_is_unreadable_and_no_more() -> None:
    with pytest.raises(CorruptStateError):
        decode(b"[" * 200_000)


def test_a_loss_beyond_all_measure_is_a_breach_that_can_be_written_down() -> None:
    lost = after(read(10_000), read("-1e5000")).state
    assert lost.breached
    assert len(str(lost.drawdown_bps)) < 20
