"""What the venue closes itself is booked like any fill, under a name that nobody gave."""

from decimal import Decimal

import pytest

from quantum_simulator.core import position_mode
from quantum_simulator.core.effects import OrderEffect, TradeEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.forced import adl_quantile, deleverage

BTC = "BTCUSDT"


def test_a_deleveraging_realises_the_profit_and_knocks_out_the_closes(floor: Floor, place, move) -> None:
    alpha = floor.accounts["alpha"]
    place("alpha", "SELL", "0.2")
    close = place("alpha", "BUY", "0.2", "80000.0", reduce_only=True)
    move("85000")
    wallet, entry = alpha.wallet, alpha.position(BTC).entry_price
    floor.drain()
    order = deleverage(floor, alpha, alpha.position(BTC), None, Decimal(86_000), 9)
    assert (order.side, order.status, alpha.amount(BTC), close.status) == ("BUY", "FILLED", 0, "EXPIRED")
    assert alpha.wallet == wallet + Decimal("0.2") * (entry - 86_000) - Decimal("0.2") * 86_000 * 5 / 10_000
    effects = floor.drain()
    assert [each.execution for each in effects if isinstance(each, OrderEffect) and each.order is order] == ["NEW", "CALCULATED"]
    assert not [each for each in effects if isinstance(each, TradeEffect)]


def test_two_deleveragings_bear_the_same_client_id_and_different_order_ids(floor: Floor, place) -> None:
    """A client that keys by client id alone loses one of them."""
    alpha = floor.accounts["alpha"]
    place("alpha", "BUY", "0.3")
    first, second = (deleverage(floor, alpha, alpha.position(BTC), Decimal("0.1"), None, now_ms) for now_ms in (8, 9))
    assert first.client_id == second.client_id == "adl_autoclose"
    assert first.id != second.id
    assert alpha.amount(BTC) == Decimal("0.1")


def test_a_deleveraging_never_takes_more_than_is_held(floor: Floor, place) -> None:
    alpha = floor.accounts["alpha"]
    position_mode.switch(alpha, True)
    place("alpha", "BUY", "0.3", position_side="LONG")
    place("alpha", "SELL", "0.1", position_side="SHORT")
    deleverage(floor, alpha, alpha.position(BTC, "LONG"), Decimal(5), None, 9)
    assert (alpha.amount(BTC, "LONG"), alpha.amount(BTC, "SHORT")) == (0, Decimal("-0.1"))
    with pytest.raises(ValueError, match="no multiple of the step"):
        deleverage(floor, alpha, alpha.position(BTC, "SHORT"), Decimal("0.0001"), None, 10)
    with pytest.raises(ValueError, match="nothing to deleverage"):
        deleverage(floor, alpha, alpha.position(BTC, "LONG"), None, None, 10)


@pytest.mark.parametrize(("price", "quantile"), [("89000", 1), ("90100", 2), ("93000", 3), ("99000", 4)])
def test_the_quantile_rises_with_the_return_on_margin(floor: Floor, place, move, price: str, quantile: int) -> None:
    alpha = floor.accounts["alpha"]
    assert adl_quantile(floor, alpha, alpha.position(BTC)) == 0
    place("alpha", "BUY", "0.1")
    move(price)
    assert adl_quantile(floor, alpha, alpha.position(BTC)) == quantile


def test_what_the_insurance_fund_takes_over_is_no_public_trade(floor: Floor, place, move) -> None:
    place("poor", "BUY", "0.2")
    floor.drain()
    move("80000", depth=0.0)
    assert not floor.accounts["poor"].held()
    assert not [each for each in floor.drain() if isinstance(each, TradeEffect)]
    assert floor.books[BTC].last != floor.books[BTC].mark
