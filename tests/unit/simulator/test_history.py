"""What a query still finds, in the venue's own time."""

from decimal import Decimal

import pytest

from quantum_simulator.core import trading
from quantum_simulator.core.algo_orders import AlgoRequest
from quantum_simulator.core.history import ALL_MS, UNFILLED_MS, WINDOW_MS, is_algo_told, is_told
from quantum_simulator.core.triggers import cancel_algo, place_algo
from quantum_simulator.refusals import VenueRefusal
from quantum_simulator.rest.order_endpoints import window


@pytest.mark.parametrize("filled", [False, True])
def test_an_ended_order_without_fills_is_forgotten_after_three_days_another_after_ninety(floor, place, filled: bool) -> None:
    order = place("alpha", "BUY", "0.3" if filled else "0.1", "90000.1" if filled else "89000.0")
    assert bool(order.filled) == filled
    assert is_told(order, order.created_ms + 2 * ALL_MS), "what is open is always told"
    trading.cancel(floor, order, order.created_ms + 5)
    life_ms = ALL_MS if filled else UNFILLED_MS
    assert is_told(order, order.created_ms + life_ms)
    assert not is_told(order, order.created_ms + life_ms + 1)


def test_a_filled_order_lives_ninety_days(place) -> None:
    order = place("alpha", "BUY", "0.1")
    assert is_told(order, order.created_ms + ALL_MS)
    assert not is_told(order, order.created_ms + ALL_MS + 1)


def test_a_canceled_conditional_order_is_forgotten_after_three_days(floor) -> None:
    alpha = floor.accounts["alpha"]
    algo = place_algo(floor, alpha, AlgoRequest("BTCUSDT", "SELL", "STOP_MARKET", Decimal("0.1"), Decimal(80_000)), 1)
    assert is_algo_told(algo, 2 * ALL_MS)
    cancel_algo(floor, alpha, algo, 2)
    assert is_algo_told(algo, 1 + UNFILLED_MS)
    assert not is_algo_told(algo, 2 + UNFILLED_MS)


def test_a_list_tells_seven_days_unless_it_is_told_which() -> None:
    now_ms = 10 * WINDOW_MS
    assert window({}, now_ms)[0] == now_ms - WINDOW_MS
    assert window({"startTime": "5"}, now_ms) == (5, 5 + WINDOW_MS)
    assert window({"endTime": str(now_ms)}, 0) == (now_ms - WINDOW_MS, now_ms)
    assert window({"startTime": "5", "endTime": str(5 + WINDOW_MS)}, now_ms) == (5, 5 + WINDOW_MS)
    with pytest.raises(VenueRefusal) as refused:
        window({"startTime": "5", "endTime": str(6 + WINDOW_MS)}, now_ms)
    assert refused.value.code == -4165
