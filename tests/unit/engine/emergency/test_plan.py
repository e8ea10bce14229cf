"""What one look at the exchange asks for."""

from decimal import Decimal

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.domain import OrderStatus, OrderView, PositionView, Purpose, Side, SymbolRules
from quantum_engine.emergency.latches import Sight
from quantum_engine.emergency.plan import Close, SymbolWork, closing_intent, plan

RULES = {
    "BTCUSDT": SymbolRules(
        "BTCUSDT", True, Decimal("0.1"), Decimal("0.001"), Decimal("0.001"), Decimal("0.001"), Decimal(1_000), Decimal(5), Decimal(100)
    )
}


def latch(action: StopAction, *symbols: str) -> Latch:
    return Latch(id="a", action=action, symbols=list(symbols), origin=LatchOrigin.OBJECT, trigger="Object", reason="r", tripped_at_ms=0)


def order(symbol: str, *, is_algo: bool = False) -> OrderView:
    return OrderView(symbol, 1, "c", Side.SELL, OrderStatus.NEW, Decimal(1), Decimal(0), Decimal(1), True, 0, is_algo)


def held(quantity: str, symbol: str = "BTCUSDT") -> PositionView:
    return PositionView(symbol, Decimal(quantity), Decimal(1))


def test_a_symbol_is_cancelled_before_it_is_closed() -> None:
    found = plan([latch(StopAction.FLATTEN)], [order("BTCUSDT")], [held("0.5")], RULES)
    assert found.work == (SymbolWork("BTCUSDT", Close(Side.SELL, Decimal("0.5"))),)


def test_a_short_is_bought_back() -> None:
    assert plan([latch(StopAction.FLATTEN)], [], [held("-0.5")], RULES).work[0].close == Close(Side.BUY, Decimal("0.5"))


def test_cancel_orders_closes_nothing() -> None:
    found = plan([latch(StopAction.CANCEL_ORDERS)], [order("BTCUSDT", is_algo=True)], [held("1"), held("1", "ETHUSDT")], RULES)
    assert found.work == (SymbolWork("BTCUSDT", None),)


def test_only_covered_symbols_are_touched_or_counted() -> None:
    found = plan([latch(StopAction.FLATTEN, "ETHUSDT")], [order("BTCUSDT")], [held("1")], RULES)
    assert (found.work, found.sights["a"]) == ((), Sight(0, 0))


def test_a_close_fits_the_lot_and_the_largest_order() -> None:
    assert plan([latch(StopAction.FLATTEN)], [], [held("0.0019")], RULES).work[0].close == Close(Side.SELL, Decimal("0.001"))
    assert plan([latch(StopAction.FLATTEN)], [], [held("12")], RULES).work[0].close == Close(Side.SELL, Decimal(5))


def test_dust_is_named_and_not_ordered_about() -> None:
    found = plan([latch(StopAction.FLATTEN)], [], [held("0.0009")], RULES)
    assert (found.work, found.sights["a"]) == ((), Sight(0, 0, ("BTCUSDT",)))


def test_without_rules_the_whole_position_is_closed() -> None:
    assert plan([latch(StopAction.FLATTEN)], [], [held("0.0009")], {}).work[0].close == Close(Side.SELL, Decimal("0.0009"))


def test_the_closing_order_can_only_shrink() -> None:
    intent = closing_intent("BTCUSDT", Close(Side.SELL, Decimal(1)), "exit-1", "r")
    assert (intent.reduce_only, intent.purpose, intent.price) == (True, Purpose.EMERGENCY_EXIT, None)
