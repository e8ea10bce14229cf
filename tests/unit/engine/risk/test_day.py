"""The loss of a day is measured from one number that no reading moves within the day."""

from decimal import Decimal
from functools import reduce

from quantum_engine.risk.day import DAY_MS, DayState, accepted, read, remembered, transferred

NOON = 20_000 * DAY_MS + DAY_MS // 2
MIDNIGHT = 20_001 * DAY_MS


def after(*readings: tuple[int, int], state: DayState | None = None) -> DayState:
    return reduce(lambda day, reading: read(day, Decimal(reading[1]), reading[0]), readings, state or DayState())


def test_the_first_reading_is_the_start() -> None:
    assert after((NOON, 10_000)) == DayState(20_000, Decimal(10_000), Decimal(10_000))


def test_neither_gain_nor_loss_moves_the_start() -> None:
    assert after((NOON, 10_000), (NOON + 1, 12_000), (NOON + 2, 9_000)).start_usdt == 10_000


def test_a_day_begins_with_the_last_equity_before_midnight() -> None:
    assert after((NOON, 10_000), (MIDNIGHT - 1, 9_500), (MIDNIGHT, 9_400)) == DayState(20_001, Decimal(9_500), Decimal(9_400))


def test_a_day_that_begins_while_the_engine_is_away_begins_with_the_last_equity_known() -> None:
    """What was lost in the night belongs to the new day: nobody has looked at it."""
    away_for_days = MIDNIGHT + 3 * DAY_MS + 5
    assert after((NOON, 10_000), (away_for_days, 8_000)) == DayState(20_004, Decimal(10_000), Decimal(8_000))


def test_a_clock_that_goes_back_opens_no_day() -> None:
    assert after((MIDNIGHT, 10_000), (NOON, 8_000)) == DayState(20_001, Decimal(10_000), Decimal(8_000))


def test_a_transfer_is_no_loss() -> None:
    assert transferred(after((NOON, 10_000), (NOON, 9_900)), Decimal(-5_000)) == DayState(20_000, Decimal(5_000), Decimal(4_900))


def test_what_is_no_number_is_neither_read_nor_moved() -> None:
    state = after((NOON, 10_000))
    for amount in ("NaN", "sNaN", "Infinity", "-Infinity"):
        assert read(state, Decimal(amount), NOON) == transferred(state, Decimal(amount)) == state


def test_a_release_measures_from_the_equity_of_that_moment() -> None:
    assert accepted(after((NOON, 10_000), (NOON, 9_000))).start_usdt == 9_000


def test_a_mirror_makes_the_start_higher_and_never_lower() -> None:
    ours = after((NOON, 9_000))
    assert remembered(ours, after((NOON, 10_000))).start_usdt == 10_000
    assert remembered(ours, after((NOON, 8_000))).start_usdt == 9_000
    assert remembered(ours, after((NOON - DAY_MS, 20_000), (NOON - DAY_MS, 9_700))).start_usdt == 9_700, "yesterday ended with it"
    assert remembered(DayState(), ours) == remembered(ours, DayState()) == ours
