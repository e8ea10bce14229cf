"""What one look at the exchange asks for, and what it proves."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.domain import OrderStatus, OrderView, PositionSide, PositionView, Purpose, Side, SymbolRules
from quantum_engine.emergency.latches import Sight
from quantum_engine.emergency.picture import Part, Picture
from quantum_engine.emergency.plan import MOST_SLICES, Close, Plan, SymbolWork, closing_intent, plan
from quantum_engine.emergency.troubles import How

BTC, ETH = "BTCUSDT", "ETHUSDT"
STEP = Decimal("0.001")
RULES = {BTC: SymbolRules(BTC, True, Decimal("0.1"), STEP, STEP, STEP, Decimal(1_000), Decimal(5), Decimal(100))}
BANDED = {BTC: replace(RULES[BTC], percent_up=Decimal("1.05"), percent_down=Decimal("0.95"))}


def latch(action: StopAction, *symbols: str) -> Latch:
    return Latch(id="a", action=action, symbols=list(symbols), origin=LatchOrigin.OBJECT, trigger="Object", reason="r", tripped_at_ms=0)


FLATTEN, CANCEL = latch(StopAction.FLATTEN), latch(StopAction.CANCEL_ORDERS)


def order(symbol: str = BTC, *, is_algo: bool = False, number: int = 1) -> OrderView:
    return OrderView(symbol, number, "c", Side.SELL, OrderStatus.NEW, Decimal(1), Decimal(0), Decimal(1), True, 0, is_algo)


def held(quantity: str, symbol: str = BTC, mark: str | None = None, side: PositionSide = PositionSide.BOTH) -> PositionView:
    return PositionView(symbol, Decimal(quantity), Decimal(1), None if mark is None else Decimal(mark), 0, side)


def asked(
    stop: Latch, orders: Iterable[OrderView] = (), positions: Iterable[PositionView] = (), rules: dict[str, SymbolRules] | None = None,
    way: How | None = None,
) -> Plan:  # fmt: skip
    """By a look that showed everything."""
    seen = Picture(tuple(orders), tuple(positions))
    return plan([stop], seen, seen, (RULES if rules is None else rules).get, lambda _: way or How())


def closes(*positions: PositionView, rules: dict[str, SymbolRules] | None = None, way: How | None = None) -> tuple[Close, ...]:
    return asked(FLATTEN, (), positions, rules, way).work[0].closes


def test_a_symbol_is_cancelled_before_it_is_closed() -> None:
    assert asked(FLATTEN, [order()], [held("0.5")]).work == (SymbolWork(BTC, (Close(Side.SELL, Decimal("0.5")),)),)


def test_a_short_is_bought_back() -> None:
    assert closes(held("-0.5")) == (Close(Side.BUY, Decimal("0.5")),)


def test_cancel_orders_closes_nothing() -> None:
    found = asked(CANCEL, [order(is_algo=True)], [held("1"), held("1", ETH)])
    assert found.work == (SymbolWork(BTC),)


def test_only_covered_symbols_are_touched_or_counted() -> None:
    found = asked(latch(StopAction.FLATTEN, ETH), [order()], [held("1")])
    assert (found.work, found.sights["a"]) == ((), Sight(0, 0))


def test_a_close_fits_the_lot_and_the_largest_order_and_the_rest_follows_in_slices() -> None:
    assert closes(held("0.0019")) == (Close(Side.SELL, STEP),)
    assert [close.quantity for close in closes(held("12"))] == [5, 5, 2]
    assert len(closes(held("1000"))) == MOST_SLICES


def test_what_is_below_the_minimum_notional_is_closed() -> None:
    """Reduce-only orders are exempt from MIN_NOTIONAL: a position worth less is not dust."""
    assert closes(held("0.001", mark="1")) == (Close(Side.SELL, STEP),)


def test_dust_is_below_the_lot_and_named_and_not_ordered_about() -> None:
    found = asked(FLATTEN, [], [held("0.0009")])
    assert (found.work, found.sights["a"]) == ((), Sight(0, 0, (BTC,)))


def test_what_only_a_limit_is_fine_enough_for_is_closed_by_one() -> None:
    coarse = {BTC: replace(BANDED[BTC], market_step_size=Decimal(1))}
    assert closes(held("0.4", mark="100"), rules=coarse) == (Close(Side.SELL, Decimal("0.4"), Decimal("95.0")),)


def test_without_rules_the_whole_position_is_closed() -> None:
    assert closes(held("0.0009"), rules={}) == (Close(Side.SELL, Decimal("0.0009")),)


def test_the_closing_order_can_only_shrink() -> None:
    intent = closing_intent(BTC, Close(Side.SELL, Decimal(1)), "exit-1", "r")
    assert (intent.reduce_only, intent.purpose, intent.price) == (True, Purpose.EMERGENCY_EXIT, None)


@pytest.mark.parametrize(("quantity", "price"), [("1", "95.1"), ("-1", "105.0")])
def test_a_thin_book_is_met_by_a_limit_on_the_tick_within_the_band(quantity: str, price: str) -> None:
    """Rounded inward: a limit outside the band is refused."""
    (close,) = closes(held(quantity, mark="100.03"), rules=BANDED, way=How(by_limit=True))
    assert (close.price, close.rests) == (Decimal(price), False)
    assert closing_intent(BTC, close, "x", "r").time_in_force == "IOC"


def test_past_the_deadline_such_a_limit_waits_for_takers() -> None:
    (close,) = closes(held("1", mark="100"), rules=BANDED, way=How(by_limit=True, rests=True))
    assert closing_intent(BTC, close, "x", "r").time_in_force == "GTC"
    (market,) = closes(held("1", mark="100"), rules=BANDED, way=How(rests=True))
    assert (market.price, market.rests) == (None, False)


def test_without_a_mark_or_a_band_the_close_stays_a_market_order() -> None:
    assert closes(held("1"), rules=BANDED, way=How(by_limit=True))[0].price is None
    assert closes(held("1", mark="100"), way=How(by_limit=True))[0].price is None


def test_refused_sizes_shrink_but_not_below_the_smallest_order() -> None:
    assert closes(held("1"), way=How(parts=4)) == (Close(Side.SELL, Decimal("0.25")),)
    assert closes(held("0.002"), way=How(parts=64)) == (Close(Side.SELL, STEP),)


def test_orders_are_cancelled_by_their_own_numbers_where_cancelling_all_did_not_help() -> None:
    resting = [order(), order(number=2, is_algo=True), order(ETH)]
    found = plan([CANCEL], Picture(tuple(resting)), Picture(tuple(resting)), RULES.get, lambda symbol: How(one_by_one=symbol == BTC))
    assert [[each.order_id for each in item.one_by_one] for item in found.work] == [[1, 2], []]


def test_long_and_short_of_one_symbol_are_closed_apart() -> None:
    found = closes(held("2", side=PositionSide.LONG), held("-1", side=PositionSide.SHORT))
    assert found == (
        Close(Side.SELL, Decimal(2), position_side=PositionSide.LONG),
        Close(Side.BUY, Decimal(1), position_side=PositionSide.SHORT),
    )
    assert closing_intent(BTC, found[0], "x", "r").position_side is PositionSide.LONG


def test_half_a_picture_proves_nothing_but_what_it_shows() -> None:
    algo_away = Picture((order(),), (), unseen={Part.ALGO: "down"})
    assert plan([FLATTEN], algo_away, algo_away, RULES.get).sights["a"] == Sight(1, 0)
    nothing_seen = replace(algo_away, orders=())
    assert plan([FLATTEN], nothing_seen, nothing_seen, RULES.get).sights["a"] == Sight(None, 0)
    positions_away = Picture(unseen={Part.POSITIONS: "down"})
    assert plan([FLATTEN], positions_away, positions_away, RULES.get).sights["a"] == Sight(0, None)


def test_a_look_at_some_symbols_does_not_prove_that_no_order_rests() -> None:
    some = Picture(scope=frozenset({BTC}))
    assert plan([FLATTEN], some, some, RULES.get).sights["a"] == Sight(None, 0)


def test_orders_that_cannot_be_listed_are_cancelled_blindly_where_they_may_be() -> None:
    """A stop that cancels is not kept from cancelling because one of two services does not answer."""
    algo_away = Picture((order(),), (held("1", ETH),), unseen={Part.ALGO: "down"})
    found = plan([CANCEL], algo_away, algo_away, RULES.get, suspects=[ETH, "SOLUSDT"])
    assert [item.symbol for item in found.work] == [BTC, ETH, "SOLUSDT"]
    whole = replace(algo_away, unseen={})
    assert [item.symbol for item in plan([CANCEL], whole, whole, RULES.get, suspects=[ETH]).work] == [BTC]


def test_what_is_not_seen_is_worked_on_as_the_engines_own_books_have_it_and_not_counted_as_seen() -> None:
    seen = Picture((), (), unseen={Part.ALGO: "down", Part.POSITIONS: "down"})
    known = seen.completed([order(is_algo=True), order(ETH)], [held("1", "SOLUSDT")])
    assert (known.orders, known.positions) == ((order(is_algo=True),), (held("1", "SOLUSDT"),))
    assert plan([FLATTEN], seen, known, RULES.get).sights["a"] == Sight(None, None)


def test_the_problem_names_what_is_unseen() -> None:
    seen = Picture(unseen={Part.REGULAR: "HTTP 503", Part.ALGO: "HTTP 503", Part.POSITIONS: "banned"})
    assert seen.problem == (
        "the exchange cannot be asked for regular orders, conditional orders: HTTP 503; the exchange cannot be asked for positions: banned"
    )
