"""Every refusal of the venue bears Binance's code."""

from decimal import Decimal

import pytest

from quantum_simulator.core import trading
from quantum_simulator.core.floor import Floor
from quantum_simulator.refusals import VenueRefusal

REFUSED = [
    ("an unknown symbol", {"symbol": "DOGEUSDT"}, -1121),
    ("zero quantity", {"quantity": "0"}, -4003),
    ("quantity finer than the precision", {"quantity": "0.0015"}, -1111),
    ("quantity above the market maximum", {"quantity": "121"}, -4005),
    ("price finer than the precision", {"price": "89000.123"}, -1111),
    ("price off the tick", {"price": "89000.05"}, -4014),
    ("price above the maximum", {"price": "9000000.0"}, -4002),
    ("a buy far above mark", {"price": "95000.0"}, -4016),
    ("a sell far below mark", {"side": "SELL", "price": "85000.0"}, -4024),
    ("a notional below the minimum", {"quantity": "0.001"}, -4164),
    ("a client id with a space", {"client_id": "a b"}, -4015),
    ("a client id of 37 characters", {"client_id": "x" * 37}, -4015),
    ("more than the margin carries", {"quantity": "100"}, -2019),
]


@pytest.mark.parametrize(("why", "change", "code"), REFUSED, ids=[each[0] for each in REFUSED])
def test_the_venue_refuses(floor: Floor, place, why: str, change: dict[str, str], code: int) -> None:
    order = {"account": "alpha", "side": "BUY", "quantity": "0.1", "price": None} | change
    with pytest.raises(VenueRefusal) as refused:
        place(**order)
    assert refused.value.code == code
    assert not floor.effects


def test_a_client_id_is_unique_only_among_open_orders(place) -> None:
    """A resend of a filled market order is accepted again: resending is not idempotent."""
    place("alpha", "BUY", "0.1", client_id="once")
    place("alpha", "BUY", "0.1", client_id="once")
    place("alpha", "BUY", "0.1", "89000.0", client_id="rests")
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "BUY", "0.1", "89000.0", client_id="rests")
    assert refused.value.code == -4116


def test_a_market_order_is_refused_when_the_best_price_is_out_of_bounds(floor: Floor, place, move) -> None:
    move("90000", depth=0.0)
    place("alpha", "SELL", "0.1", "94000.0")
    move("88000", depth=0.0)
    with pytest.raises(VenueRefusal) as refused:
        place("beta", "BUY", "0.1")
    assert refused.value.code == -4131


def test_the_number_of_open_orders_is_bounded(place) -> None:
    for _ in range(200):
        place("alpha", "BUY", "0.002", "89000.0")
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "BUY", "0.002", "89000.0")
    assert refused.value.code == -2025


def test_a_leverage_out_of_range_is_refused(floor: Floor) -> None:
    with pytest.raises(VenueRefusal) as refused:
        trading.set_leverage(floor, floor.accounts["alpha"], "BTCUSDT", 126, 1)
    assert refused.value.code == -4028


def test_a_shrinking_order_needs_no_margin(floor: Floor, place) -> None:
    place("poor", "BUY", "0.2")
    floor.accounts["poor"].wallet = Decimal(500)
    assert place("poor", "SELL", "0.2").status == "FILLED"
