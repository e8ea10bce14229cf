"""Decides what to cancel and close next, from what the exchange shows.  Pure.

In    latches, open orders and positions as the exchange shows them now, lot rules
Out   per symbol what to do, and per latch what the exchange showed in its scope
Flow  a look at the exchange -> HERE -> cancels, closing orders -> the next look
Why   resting reduce-only orders make the venue refuse the closing order (-4118), so each symbol is cancelled before it is closed
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from quantum_api.engine_status import Latch
from quantum_api.trading_policy import StopAction
from quantum_engine.domain import OrderIntent, OrderView, PositionView, Purpose, Side, SymbolRules
from quantum_engine.emergency.latches import Sight


@dataclass(frozen=True, slots=True)
class Close:
    """A market order that shrinks one position; what is above the venue's largest order follows in the next round."""

    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SymbolWork:
    """Cancel everything of the symbol, then close."""

    symbol: str
    close: Close | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one look asks for."""

    work: tuple[SymbolWork, ...]
    sights: Mapping[str, Sight]


def plan(latches: Iterable[Latch], orders: Iterable[OrderView], held: Iterable[PositionView], rules: Mapping[str, SymbolRules]) -> Plan:
    """Nothing to do for a symbol that no latch covers, or that shows nothing."""
    latches, orders, held = tuple(latches), tuple(orders), tuple(held)
    closes = {position.symbol: _close(position, rules.get(position.symbol)) for position in held}
    resting = {order.symbol for order in orders}
    work = []
    for symbol in sorted(resting | closes.keys()):
        strength = max((latch.action.strength for latch in latches if covers(latch, symbol)), default=0)
        close = closes.get(symbol) if strength >= StopAction.FLATTEN.strength else None
        if close is not None or (strength >= StopAction.CANCEL_ORDERS.strength and symbol in resting):
            work.append(SymbolWork(symbol, close))
    return Plan(tuple(work), {latch.id: _sight(latch, orders, closes) for latch in latches})


def covers(latch: Latch, symbol: str) -> bool:
    return not latch.symbols or symbol in latch.symbols


def closing_intent(symbol: str, close: Close, intent_id: str, reason: str) -> OrderIntent:
    return OrderIntent(
        id=intent_id,
        symbol=symbol,
        side=close.side,
        quantity=close.quantity,
        reduce_only=True,
        purpose=Purpose.EMERGENCY_EXIT,
        reason=reason,
    )


def _close(position: PositionView, rules: SymbolRules | None) -> Close | None:
    """None when what is held is too small for the venue to take an order for it: dust."""
    side = Side.SELL if position.quantity > 0 else Side.BUY
    quantity = abs(position.quantity)
    if rules is None:
        return Close(side, quantity)
    step = rules.market_step_size or rules.step_size
    if step > 0:
        quantity = (quantity / step).to_integral_value(ROUND_FLOOR) * step
    if quantity <= 0 or quantity < rules.min_quantity:
        return None
    largest = rules.market_max_quantity
    return Close(side, min(quantity, largest) if largest > 0 else quantity)


def _sight(latch: Latch, orders: Iterable[OrderView], closes: Mapping[str, Close | None]) -> Sight:
    mine = {symbol: close for symbol, close in closes.items() if covers(latch, symbol)}
    return Sight(
        open_orders=sum(covers(latch, order.symbol) for order in orders),
        open_positions=sum(close is not None for close in mine.values()),
        dust=tuple(symbol for symbol, close in mine.items() if close is None),
    )
