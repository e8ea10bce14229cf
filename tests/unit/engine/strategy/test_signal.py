"""Bars, averages, decisions and sizes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.engine.gate.worlds import intent, limits, position, rules, world

from quantum_api.strategy_mode import MODE_DEFAULTS, Mode
from quantum_engine.domain import Bar, Side
from quantum_engine.gate.chain import judge
from quantum_engine.strategy.bars import BarBuilder
from quantum_engine.strategy.decision import Close, Open, decide
from quantum_engine.strategy.sizing import Room, entry_quantity, gross_usdt
from quantum_engine.strategy.trend import Trend, step
from quantum_engine.verdicts import Allowed

STRATEGY = MODE_DEFAULTS[Mode.AGGRESSIVE].model_copy(update={"fast_bars": 2, "slow_bars": 4, "atr_bars": 3})


def bar(number: int, close: float) -> Bar:
    return Bar(number * 1_000, close, close + 1, close - 1, close)


def trend(*closes: float) -> Trend:
    found = Trend()
    for number, close in enumerate(closes):
        found = step(found, bar(number, close), STRATEGY)
    return found


def test_a_bar_closes_with_the_first_price_of_a_later_one() -> None:
    builder = BarBuilder(10)
    assert [builder.see(price, at) for price, at in ((5.0, 10_000), (9.0, 12_000), (1.0, 19_999))] == [None, None, None]
    assert builder.see(2.0, 45_000) == Bar(10_000, 5.0, 9.0, 1.0, 1.0)
    assert builder.see(2.0, 50_000) == Bar(40_000, 2.0, 2.0, 2.0, 2.0)


def test_rising_prices_point_up_and_falling_ones_down() -> None:
    assert trend(1, 2, 3, 4).direction == 1
    assert trend(4, 3, 2, 1).direction == -1
    assert trend(5, 5, 5, 5).direction == 0


def test_averages_follow_their_recurrence() -> None:
    found = trend(10, 13)
    assert found.fast == pytest.approx(10 + 2 / 3 * 3)
    assert found.slow == pytest.approx(10 + 2 / 5 * 3)
    assert found.atr == pytest.approx(2 + (14 - 10 - 2) / 2), "true range reaches back to the last close"


def test_the_signal_waits_until_the_slow_average_is_full() -> None:
    assert not trend(1, 2, 3).is_ready(STRATEGY)
    assert trend(1, 2, 3, 4).is_ready(STRATEGY)


def test_a_bar_seen_twice_counts_once() -> None:
    found = trend(1, 2, 3)
    assert step(found, bar(2, 99), STRATEGY) == found


@pytest.mark.parametrize(
    ("direction", "held", "has_orders", "is_cooling_down", "action"),
    [
        (1, "0", False, False, Open(Side.BUY)),
        (-1, "0", False, False, Open(Side.SELL)),
        (1, "-2", False, False, Close(Side.BUY, Decimal(2))),
        (-1, "2", False, True, Close(Side.SELL, Decimal(2))),
        (1, "2", False, False, None),
        (1, "0", False, True, None),
        (1, "0", True, False, None),
        (1, "-2", True, False, None),
        (0, "2", False, False, None),
    ],
)
def test_the_opposite_is_closed_before_anything_opens(direction, held, has_orders, is_cooling_down, action) -> None:
    assert decide(direction, Decimal(held), has_orders=has_orders, is_cooling_down=is_cooling_down) == action


def room(**changes: object) -> Room:
    base = Room(STRATEGY, limits(), rules(), Decimal(100_000), Decimal(0))
    return replace(base, **changes)  # type: ignore[arg-type]


PRICE = Decimal(50_000)


def test_one_atr_against_us_costs_the_risk_of_the_mode() -> None:
    quantity = entry_quantity(room(), PRICE, 10_000.0)
    assert quantity == Decimal("0.100"), "100 000 × 1 % / 10 000"


def test_a_size_is_rounded_down_to_the_lot() -> None:
    assert entry_quantity(room(equity_usdt=Decimal(100_999)), PRICE, 10_000.0) == Decimal("0.100")


def test_nothing_fits_when_risk_or_room_are_too_small() -> None:
    assert entry_quantity(room(), PRICE, 0.0) == 0
    assert entry_quantity(room(gross_usdt=Decimal(30_000)), PRICE, 100.0) == 0
    assert entry_quantity(room(equity_usdt=Decimal(-5)), PRICE, 100.0) == 0
    assert entry_quantity(room(equity_usdt=Decimal(100)), PRICE, 10_000.0) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"max_order_notional_usdt": 500},
        {"max_position_notional_usdt": 10_000},
        {"max_leverage_bps": 700},
        {"max_gross_exposure_usdt": 20_000},
    ],
)
def test_the_strategy_sizes_down_to_what_the_gate_allows(changes: dict[str, int]) -> None:
    """Sized to fit, not refused: a tiny ATR asks for far more than any limit allows."""
    policy = limits(**changes)
    quantity = entry_quantity(room(limits=policy), PRICE, 1.0)
    assert quantity > 0
    assert judge(world(intent=intent(quantity=str(quantity)), limits=policy)) == Allowed()


def test_gross_exposure_counts_what_is_held_at_its_mark() -> None:
    assert gross_usdt(position("-0.5"), []) == Decimal(25_000)
