"""An amended order is judged as if it had just come."""

from decimal import Decimal

import pytest

from quantum_simulator.core import amend as amending
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.orders import Order
from quantum_simulator.core.trading import cancel
from quantum_simulator.refusals import VenueRefusal


@pytest.fixture
def amend(floor: Floor, clock):
    def change(order: Order, quantity: str, price: str) -> Order:
        return amending.amend(floor, floor.accounts[order.account], order, Decimal(quantity), Decimal(price), next(clock))

    return change


def refused(amend, order: Order, quantity: str, price: str) -> int:
    with pytest.raises(VenueRefusal) as refusal:
        amend(order, quantity, price)
    return refusal.value.code


def as_it_stood(floor: Floor, order: Order) -> tuple[object, ...]:
    account, resting = floor.accounts[order.account], floor.books[order.symbol].resting
    return (order.quantity, order.price, order.status, order.place, list(account.open_orders[order.symbol]), list(resting.bids))


def test_an_amended_order_goes_to_the_end_of_its_queue(floor: Floor, place, amend) -> None:
    """The same price and one step less is still a new place, as on Binance."""
    first, second = place("alpha", "BUY", "0.500", "89999.9"), place("beta", "BUY", "0.500", "89999.9")
    amend(first, "0.400", "89999.9")
    place("poor", "SELL", "0.010")
    assert (first.filled, second.filled) == (Decimal(0), Decimal("0.010"))


def test_an_amendment_is_announced_with_the_new_price_and_quantity(floor: Floor, place, amend) -> None:
    order = place("alpha", "BUY", "0.500", "89000")
    floor.drain()
    amend(order, "0.300", "89100")
    (effect,) = floor.drain()
    assert (effect.execution, effect.status, order.quantity, order.price) == ("AMENDMENT", "NEW", Decimal("0.300"), Decimal("89100"))


def test_an_order_amended_into_the_book_takes_what_it_meets(place, amend) -> None:
    order = place("alpha", "BUY", "0.010", "89000")
    amend(order, "0.010", "90010")
    assert (order.status, order.filled_notional / order.filled) == ("FILLED", Decimal("90000.1"))


def test_a_quantity_not_above_what_is_filled_cancels(floor: Floor, place, amend) -> None:
    order = place("alpha", "BUY", "0.500", "89999.9")
    place("beta", "SELL", "0.200")
    assert order.filled == Decimal("0.200")
    amend(order, "0.200", "89999.9")
    assert order.status == "CANCELED"
    assert not floor.accounts["alpha"].all_open()


def test_a_post_only_order_amended_into_the_book_is_canceled_not_filled(place, amend) -> None:
    order = place("alpha", "BUY", "0.500", "89000", time_in_force="GTX")
    amend(order, "0.500", "90010")
    assert (order.status, order.filled) == ("CANCELED", Decimal(0))


@pytest.mark.parametrize(
    ("quantity", "price", "code"),
    [
        ("0.500", "89000.0", -5027),
        ("0.500", "89000.05", -4014),
        ("0.0005", "89000.0", -1111),
        ("0.500", "99000.0", -4016),
        ("0.001", "89000.0", -4164),
        ("30.000", "89000.0", -2019),
    ],
)
def test_a_refused_amendment_leaves_the_order_as_it_was(floor: Floor, place, amend, quantity: str, price: str, code: int) -> None:
    """Also its place in the queue, and the margin it holds."""
    order = place("alpha", "BUY", "0.500", "89000")
    place("alpha", "BUY", "0.500", "88000")
    before = as_it_stood(floor, order)
    assert refused(amend, order, quantity, price) == code
    assert as_it_stood(floor, order) == before


def test_an_order_does_not_pay_its_margin_twice_when_it_is_amended(place, amend) -> None:
    """1 000 USDT at 20x carry 0.2 BTC once, not twice."""
    order = place("poor", "BUY", "0.200", "89000")
    amend(order, "0.201", "89000")
    assert order.quantity == Decimal("0.201")


def test_a_reduce_only_order_is_amended_within_the_position(place, amend) -> None:
    place("alpha", "BUY", "0.100")
    order = place("alpha", "SELL", "0.100", "91000", reduce_only=True)
    amend(order, "0.100", "91500")
    assert (order.status, order.price) == ("NEW", Decimal("91500.0"))


def test_a_closing_order_may_be_amended_below_the_least_notional(place, amend) -> None:
    """The way out is open to the last step, also when it is taken by amendment."""
    place("alpha", "BUY", "0.100")
    order = place("alpha", "SELL", "0.100", "91000", reduce_only=True)
    amend(order, "0.001", "91000")
    assert order.quantity == Decimal("0.001")


def test_a_closing_order_of_hedge_mode_is_amended_as_one(floor: Floor, place, amend) -> None:
    floor.accounts["alpha"].is_hedge_mode = True
    place("alpha", "BUY", "0.100", position_side="LONG")
    order = place("alpha", "SELL", "0.100", "91000", position_side="LONG")
    amend(order, "0.001", "91500")
    assert (order.status, order.quantity, order.position_side) == ("NEW", Decimal("0.001"), "LONG")


def test_what_is_gone_cannot_be_amended(floor: Floor, place, amend) -> None:
    order = place("alpha", "BUY", "0.500", "89000")
    cancel(floor, order, 5_000)
    assert refused(amend, order, "0.400", "89000") == -2013


def test_an_order_is_amended_at_most_ten_thousand_times(place, amend) -> None:
    order = place("alpha", "BUY", "0.500", "89000")
    order.amendments = amending.MOST_AMENDMENTS
    assert refused(amend, order, "0.400", "89000") == -5026
