"""Laws of what the evaluators measure: no history of readings loosens, no restart and no transfer changes a loss, nothing raises."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from quantum_api.trading_policy import StopAction
from quantum_engine.domain import Transferred
from quantum_engine.risk.day import DAY_MS, DayState, accepted, read, remembered, transferred
from quantum_engine.risk.drawdown import drawdown_bps
from quantum_engine.risk.evaluators import breaches
from quantum_engine.risk.record import Record, decode, encode
from quantum_engine.risk.snapshot import RiskLimits, RiskSnapshot, Senses
from quantum_engine.risk.transfers import PAIR_MS, TransferLog, taken
from quantum_engine.risk.velocity import EquityWindow

MONEY = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=2)
ANY_MONEY = st.one_of(MONEY, st.sampled_from([Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")]))
TIMES_MS = st.integers(0, 5 * DAY_MS)
READINGS = st.lists(st.tuples(TIMES_MS, ANY_MONEY))
"""In any order of time: a clock may jump."""


def lived(readings: list[tuple[int, Decimal]]) -> DayState:
    state = DayState()
    for at_ms, equity_usdt in readings:
        state = read(state, equity_usdt, at_ms)
    return state


@given(READINGS, st.tuples(TIMES_MS, ANY_MONEY))
def test_no_reading_of_a_day_moves_its_start(readings: list[tuple[int, Decimal]], one_more: tuple[int, Decimal]) -> None:
    before = lived(readings)
    after = read(before, one_more[1], one_more[0])
    if before.number is not None:
        assert after.number is not None
        assert after.number >= before.number
    if after.number == before.number:
        assert after.start_usdt == before.start_usdt
    elif before.last_usdt is not None:
        assert after.start_usdt == before.last_usdt, "a day begins where the one before ended"


@given(READINGS, READINGS)
def test_a_restart_at_any_point_changes_nothing(before: list[tuple[int, Decimal]], after: list[tuple[int, Decimal]]) -> None:
    state = lived(before)
    restarted = decode(encode(Record(Decimal(1), state), 0)).day
    assert restarted == state
    for at_ms, equity_usdt in after:
        state, restarted = read(state, equity_usdt, at_ms), read(restarted, equity_usdt, at_ms)
    assert restarted == state


@given(READINGS, ANY_MONEY)
def test_a_transfer_changes_no_loss(readings: list[tuple[int, Decimal]], amount: Decimal) -> None:
    state = lived(readings)
    moved = transferred(state, amount)
    if state.start_usdt is not None:
        assert moved.start_usdt is not None
        assert moved.last_usdt is not None
        assert state.last_usdt is not None
        assert moved.start_usdt - moved.last_usdt == state.start_usdt - state.last_usdt


@given(READINGS, READINGS)
def test_what_another_store_knew_only_raises_the_start(ours: list[tuple[int, Decimal]], theirs: list[tuple[int, Decimal]]) -> None:
    state = lived(ours)
    after = remembered(state, lived(theirs))
    if state.start_usdt is not None:
        assert after.start_usdt is not None
        assert after.start_usdt >= state.start_usdt


@given(READINGS)
def test_after_a_release_there_is_no_loss_of_the_day(readings: list[tuple[int, Decimal]]) -> None:
    state = accepted(lived(readings))
    if state.start_usdt is not None and state.last_usdt is not None:
        assert drawdown_bps(state.start_usdt, state.last_usdt) == 0


@given(st.lists(st.tuples(st.integers(0, 50), MONEY), min_size=1), st.integers(1, 100), MONEY)
def test_the_window_knows_the_highest_reading_that_is_young_enough(steps: list[tuple[int, Decimal]], seconds: int, amount: Decimal) -> None:
    """Beside the plain list of everything that was read."""
    window, readings, now = EquityWindow(), [], 0.0
    for step, equity_usdt in steps:
        now += step
        window.read(equity_usdt, now)
        readings.append((now, equity_usdt))
        expected = max([usdt for at, usdt in readings if at >= now - seconds])
        assert window.highest(now, seconds) == expected
    window.transferred(amount)
    assert window.highest(now, seconds) == expected + amount


ACTIONS = st.sampled_from(StopAction)
COUNTS = st.integers(0, 10_000)
LIMITS = st.builds(
    RiskLimits,
    *[COUNTS] * 2,
    ACTIONS,
    COUNTS,
    ACTIONS,
    COUNTS,
    COUNTS,
    ACTIONS,
    COUNTS,
    COUNTS,
    ACTIONS,
    COUNTS,
    COUNTS,
    COUNTS,
    ACTIONS,
    COUNTS,
)
SECONDS = st.floats(0, 1e9)
SNAPSHOTS = st.builds(
    RiskSnapshot, LIMITS, st.none() | MONEY, st.none() | MONEY, st.none() | COUNTS, st.booleans(), st.none() | MONEY, st.none() | MONEY,
    st.none() | MONEY, COUNTS, COUNTS, st.builds(Senses, st.booleans(), SECONDS, SECONDS, SECONDS),
)  # fmt: skip


@given(SNAPSHOTS)
def test_no_world_makes_an_evaluator_raise_and_each_breach_is_beyond_its_limit(seen: RiskSnapshot) -> None:
    """An evaluator that can raise is one that can be off."""
    found = breaches(seen)
    assert len({breach.trigger for breach in found}) == len(found)
    for breach in found:
        assert breach.measured >= breach.limit or breach.trigger == "Drawdown", "a drawdown that breached stays so under a wider limit"


@given(st.lists(st.tuples(MONEY, st.integers(-PAIR_MS, PAIR_MS)), max_size=10), st.data())
def test_each_transfer_counts_once_whichever_channels_tell_it_in_whatever_order_and_however_often(
    moved: list[tuple[Decimal, int]], data: st.DataObject
) -> None:
    """``moved``: the amount, and by how much the times of its two channels differ."""
    tellings = []
    for number, (amount, apart_ms) in enumerate(moved):
        at_ms = number * 4 * PAIR_MS
        channels = data.draw(st.lists(st.booleans(), min_size=1, max_size=4))
        tellings += [Transferred(amount, at_ms + apart_ms * is_asked, is_asked=is_asked) for is_asked in channels]
    log, counted = TransferLog(0), Decimal(0)
    for transfer in data.draw(st.permutations(tellings)):
        log, is_news = taken(log, transfer)
        counted += transfer.amount_usdt if is_news else 0
    assert counted == sum(amount for amount, _ in moved)
    restarted = decode(encode(Record(Decimal(1), DayState(), log), 0)).transfers
    assert restarted == log
