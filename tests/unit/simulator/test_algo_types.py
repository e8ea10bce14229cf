"""Limit and trailing conditional orders, on mark or on last price."""

from decimal import Decimal

import pytest

from quantum_simulator.core import trading
from quantum_simulator.core.algo_orders import AlgoOrder, AlgoRequest
from quantum_simulator.core.effects import AlgoEffect, TradeEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.session import Quote, move_market
from quantum_simulator.core.triggers import MOST_WAITING, place_algo
from quantum_simulator.refusals import VenueRefusal

BTC = "BTCUSDT"


@pytest.fixture
def algo(floor: Floor):
    def order(side: str, kind: str, trigger: str = "0", **more: object) -> AlgoOrder:
        values = {name: Decimal(value) if name in {"price", "callback_rate", "activate_price"} else value for name, value in more.items()}
        request = AlgoRequest(BTC, side, kind, Decimal("0.1"), Decimal(trigger), **({"working_type": "MARK_PRICE"} | values))
        return place_algo(floor, floor.accounts["alpha"], request, 1)

    return order


def statuses(floor: Floor) -> list[str]:
    return [each.status for each in floor.drain() if isinstance(each, AlgoEffect)]


def test_a_limit_stop_rests_after_its_trigger_and_finishes_with_its_order(floor: Floor, place, move, algo) -> None:
    """FINISHED means that the order it became has ended, not that it was triggered."""
    place("alpha", "BUY", "0.1")
    stop = algo("SELL", "STOP", "89000", price="89500", reduce_only=True)
    move("88900")
    order = floor.accounts["alpha"].orders[stop.order_id]
    assert (stop.status, order.type, order.status, order.price) == ("TRIGGERED", "LIMIT", "NEW", Decimal("89500"))
    floor.drain()
    move("89600")
    assert (order.status, stop.status) == ("FILLED", "FINISHED")
    (finished,) = [each for each in floor.drain() if isinstance(each, AlgoEffect)]
    assert (finished.filled, finished.average_price) == (Decimal("0.1"), Decimal("89500"))


def test_a_canceled_order_finishes_the_conditional_one_too(floor: Floor, move, algo) -> None:
    profit = algo("SELL", "TAKE_PROFIT", "91000", price="93000")
    move("91000")
    trading.cancel(floor, floor.accounts["alpha"].orders[profit.order_id], 9)
    assert statuses(floor) == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]


@pytest.mark.parametrize(("side", "kind", "trigger", "hit"), [("SELL", "STOP", "89000", "89000"), ("BUY", "STOP", "91000", "91000"),
                                                               ("BUY", "TAKE_PROFIT", "89000", "89000")])  # fmt: skip
def test_each_limit_kind_waits_on_its_own_side(move, algo, side: str, kind: str, trigger: str, hit: str) -> None:
    order = algo(side, kind, trigger, price="90000", time_in_force="IOC")
    move("90000")
    assert order.status == "NEW"
    move(hit)
    assert order.status == "FINISHED"


def test_a_trailing_stop_follows_the_best_price_and_is_hit_by_the_way_back(floor: Floor, move, algo) -> None:
    stop = algo("SELL", "TRAILING_STOP_MARKET", callback_rate="1")
    for price in ("91000", "90200", "92000", "91081"):
        move(price)
        assert stop.status == "NEW", price
    move("91080")
    assert (stop.status, stop.extreme) == ("FINISHED", Decimal(92000))


def test_a_buying_trailing_stop_is_the_mirror(move, algo) -> None:
    stop = algo("BUY", "TRAILING_STOP_MARKET", callback_rate="1")
    for price in ("89000", "88000", "88879"):
        move(price)
        assert stop.status == "NEW", price
    move("88880")
    assert stop.status == "FINISHED"


def test_a_trailing_stop_sleeps_until_its_activation_price(floor: Floor, move, algo) -> None:
    stop = algo("SELL", "TRAILING_STOP_MARKET", callback_rate="1", activate_price="92000")
    for price in ("91999", "85000", "92100", "91180"):
        move(price)
        assert stop.status == "NEW", price
    move("91179")
    assert stop.status == "FINISHED"


@pytest.mark.parametrize(("side", "price"), [("SELL", "90000"), ("SELL", "89000"), ("BUY", "90000"), ("BUY", "91000")])
def test_a_trailing_stop_that_would_begin_at_once_is_refused(algo, side: str, price: str) -> None:
    with pytest.raises(VenueRefusal) as refused:
        algo(side, "TRAILING_STOP_MARKET", callback_rate="1", activate_price=price)
    assert refused.value.code == -2021


@pytest.mark.parametrize(("side", "trigger"), [("SELL", 89_950), ("BUY", 90_050)])
def test_the_last_price_triggers_though_mark_stays(floor: Floor, place, algo, side: str, trigger: int) -> None:
    """A sweep through a thin book sets off stops on the contract price; those on mark sleep on."""
    floor.accounts["beta"].wallet = Decimal(10_000_000)
    on_last = algo(side, "STOP_MARKET", str(trigger), working_type="CONTRACT_PRICE")
    on_mark = algo(side, "STOP_MARKET", str(trigger))
    place("beta", side, "12")
    book = floor.books[BTC]
    assert (book.last < trigger < book.mark) if side == "SELL" else (book.last > trigger > book.mark)
    move_market(floor, {BTC: Quote(Decimal(90_000))}, 100, 5)
    assert abs(book.last - 90_000) < 50, "the book is back before the algo service looks: how far it went since then counts"
    assert (on_last.status, on_mark.status) == ("FINISHED", "NEW")


def test_an_order_placed_after_a_spike_is_not_hit_by_it(floor: Floor, place, move, algo) -> None:
    floor.accounts["beta"].wallet = Decimal(10_000_000)
    place("beta", "SELL", "12")
    place("beta", "BUY", "0.01")
    late = algo("SELL", "STOP_MARKET", "89950", working_type="CONTRACT_PRICE")
    move("90000")
    assert late.status == "NEW"


def test_in_an_empty_book_mark_moves_and_the_last_price_stays(floor: Floor, move, algo) -> None:
    on_last = algo("SELL", "STOP_MARKET", "85000", working_type="CONTRACT_PRICE")
    on_mark = algo("SELL", "STOP_MARKET", "85000")
    move("80000", depth=0.0)
    assert floor.books[BTC].last == 90_000
    assert (on_last.status, on_mark.status) == ("NEW", "FINISHED")


def test_a_market_that_leaves_the_last_price_behind_trades_on_its_way(floor: Floor, move) -> None:
    move("89000")
    (printed,) = [each for each in floor.drain() if isinstance(each, TradeEffect)]
    assert (printed.price, printed.quantity, printed.buyer_is_maker) == (Decimal("89000.1"), Decimal("0.001"), True)
    move("89500")
    (printed,) = [each for each in floor.drain() if isinstance(each, TradeEffect)]
    assert (printed.price, printed.buyer_is_maker) == (Decimal("89499.9"), False)


def test_the_limit_counts_all_symbols_together_and_only_what_waits(floor: Floor, move, algo) -> None:
    alpha = floor.accounts["alpha"]
    for number in range(MOST_WAITING - 1):
        algo("SELL", "STOP_MARKET", str(80_000 + number))
    place_algo(floor, alpha, AlgoRequest("ETHUSDT", "SELL", "STOP_MARKET", Decimal(1), Decimal(2_000)), 2)
    with pytest.raises(VenueRefusal) as refused:
        algo("SELL", "STOP_MARKET", "70000")
    assert refused.value.code == -4045
    move("80000.5")
    assert algo("SELL", "STOP_MARKET", "70000").status == "NEW"


@pytest.mark.parametrize("kind", ["STOP", "TAKE_PROFIT", "TRAILING_STOP_MARKET"])
def test_only_market_stops_may_close_whatever_is_held(algo, kind: str) -> None:
    with pytest.raises(VenueRefusal) as refused:
        algo("SELL", kind, "89000", close_position=True)
    assert refused.value.code == -4136


def test_what_no_longer_waits_is_no_longer_looked_at(floor: Floor, move, algo) -> None:
    """A venue that lives for days must not walk through every stop there ever was on every tick."""
    algo("SELL", "STOP_MARKET", "89000", reduce_only=True)
    algo("SELL", "STOP_MARKET", "88000")
    move("85000")
    assert not floor.accounts["alpha"].waiting_algos
    assert len(floor.accounts["alpha"].algos) == 2
