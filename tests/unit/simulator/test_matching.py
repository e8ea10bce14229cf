"""Who trades with whom, at what price, how much."""

from decimal import Decimal

import pytest

from quantum_simulator.core import trading
from quantum_simulator.core.effects import OrderEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.refusals import VenueRefusal


def test_a_market_order_walks_the_book_and_pays_more_for_size(floor: Floor, place) -> None:
    small = place("alpha", "BUY", "0.010")
    large = place("beta", "BUY", "5")
    assert small.average_price == Decimal("90000.1")
    assert large.status == "FILLED"
    assert large.average_price > small.average_price
    prices = [each.price for each in floor.accounts["beta"].fills]
    assert prices == sorted(prices)
    assert len(set(prices)) > 3


def test_what_was_taken_is_gone_until_time_refills_it(floor: Floor, place, move) -> None:
    first = place("alpha", "BUY", "0.222")
    second = place("beta", "BUY", "0.222")
    assert second.average_price > first.average_price
    move("90000")
    assert place("beta", "BUY", "0.222").average_price == first.average_price


def test_a_tick_refills_only_its_share(place, move) -> None:
    """A book that is whole again after every tick would have no depth at all."""
    place("alpha", "BUY", "0.222")
    move("90000", elapsed_ms=100)
    order = place("beta", "BUY", "0.222", "90000.1", time_in_force="IOC")
    assert 0 < order.filled < Decimal("0.05")


def test_a_market_order_beyond_the_book_fills_what_there_is_and_expires(floor: Floor, place) -> None:
    floor.accounts["alpha"].wallet = Decimal(100_000_000)
    trading.set_leverage(floor, floor.accounts["alpha"], "BTCUSDT", 5, 1)
    order = place("alpha", "SELL", "119")
    assert order.status == "EXPIRED"
    assert 0 < order.filled < order.quantity
    assert floor.accounts["alpha"].amount("BTCUSDT") == -order.filled


def test_a_thin_book_fills_less_at_worse_prices(floor: Floor, place, move) -> None:
    calm = place("alpha", "SELL", "2").average_price
    move("90000", depth=0.1)
    assert place("beta", "SELL", "2").average_price < calm


def test_an_empty_book_fills_nothing(place, move) -> None:
    move("90000", depth=0.0)
    order = place("alpha", "BUY", "1")
    assert (order.status, order.filled) == ("EXPIRED", 0)


def test_the_remainder_of_an_ioc_order_expires(place) -> None:
    order = place("alpha", "BUY", "1", "90000.1", time_in_force="IOC")
    assert order.status == "EXPIRED"
    assert order.filled == Decimal("0.222")


def test_a_limit_order_never_pays_more_than_its_limit(floor: Floor, place) -> None:
    order = place("alpha", "BUY", "20", "90005.0")
    assert order.status == "PARTIALLY_FILLED"
    assert all(each.price <= order.price for each in floor.accounts["alpha"].fills)


def test_a_resting_order_trades_at_its_own_price_when_the_market_comes(floor: Floor, place, move) -> None:
    order = place("alpha", "BUY", "0.1", "89900.0")
    assert order.status == "NEW"
    move("89950")
    assert order.status == "NEW"
    move("89800")
    assert order.status == "FILLED"
    assert order.average_price == Decimal("89900.0")
    assert floor.accounts["alpha"].fills[0].maker


def test_price_decides_before_time_among_accounts(place) -> None:
    early = place("alpha", "BUY", "0.1", "90000.0", time_in_force="GTX")
    late = place("beta", "BUY", "0.1", "90000.0", time_in_force="GTX")
    place("poor", "SELL", "0.1")
    assert (early.status, late.status) == ("FILLED", "NEW")


def test_the_better_price_wins_over_the_earlier_order(floor: Floor, place, move) -> None:
    move("90000", depth=0.0)
    early = place("alpha", "BUY", "0.1", "89990.0")
    better = place("beta", "BUY", "0.1", "89995.0")
    place("poor", "SELL", "0.1")
    assert (early.status, better.status) == ("NEW", "FILLED")


def test_an_account_never_trades_with_itself(floor: Floor, place, move) -> None:
    move("90000", depth=0.0)
    resting = place("alpha", "BUY", "0.1", "89990.0")
    place("alpha", "SELL", "0.1", "89990.0")
    assert resting.status == "EXPIRED_IN_MATCH"
    assert not floor.accounts["alpha"].fills


def test_own_orders_that_are_not_reached_stay(place) -> None:
    """A market sale must not take the account's far bids with it."""
    far, near = place("alpha", "BUY", "0.1", "89000.0"), place("alpha", "BUY", "0.1", "90000.0")
    place("alpha", "SELL", "0.1", "89999.9")
    assert (far.status, near.status) == ("NEW", "EXPIRED_IN_MATCH")
    place("alpha", "SELL", "0.1")
    assert far.status == "NEW"


@pytest.mark.parametrize(("time_in_force", "quantity", "price", "code"), [("FOK", "1", "90000.1", -5021), ("GTX", "1", "90000.1", -5022)])
def test_a_refused_order_leaves_no_trace(floor: Floor, place, time_in_force: str, quantity: str, price: str, code: int) -> None:
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "BUY", quantity, price, time_in_force=time_in_force)
    assert refused.value.code == code
    assert not floor.effects
    assert not floor.accounts["alpha"].orders


def test_a_fillable_fok_order_fills_whole(place) -> None:
    assert place("alpha", "BUY", "0.5", "90010.0", time_in_force="FOK").status == "FILLED"


def test_a_canceled_order_no_longer_trades_and_cannot_be_canceled_again(floor: Floor, place, move) -> None:
    order = place("alpha", "BUY", "0.1", "89900.0")
    trading.cancel(floor, order, 5)
    move("89000")
    assert (order.status, order.filled) == ("CANCELED", 0)
    with pytest.raises(VenueRefusal) as refused:
        trading.cancel(floor, order, 6)
    assert refused.value.code == -2011


def test_effects_tell_the_order_of_events(floor: Floor, place) -> None:
    place("alpha", "BUY", "0.3")
    told = [(each.execution, each.status) for each in floor.drain() if isinstance(each, OrderEffect)]
    assert told == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "FILLED")]


def test_the_countdown_cancels_what_rests_unless_it_is_renewed(floor: Floor, place, move) -> None:
    order = place("alpha", "BUY", "0.1", "89000.0")
    trading.arm_countdown(floor, floor.accounts["alpha"], "BTCUSDT", 10_000, 1_000)
    trading.run_countdowns(floor, 10_999)
    assert order.status == "NEW"
    trading.run_countdowns(floor, 11_000)
    assert order.status == "CANCELED"
