"""Decides what to cancel and close next, from what the exchange shows.  Pure.

In    latches, the picture of one look (completed from the engine's own books), lot and price rules, how each symbol is to be tried
Out   per symbol what to do, and per latch what the exchange showed in its scope
Flow  a look at the exchange -> HERE -> cancels, closing orders -> the next look
Why   resting reduce-only orders make the venue refuse the closing order (-4118), so each symbol is cancelled before it is closed

A close may be sized from books that are stale: the exchange caps it by the position itself (reduce-only; in hedge mode by the position
side), so it can neither flip nor open one.  Dust is what is below the lot, which no order can close; what is only below the minimum
notional is closed, for reduce-only orders are exempt.  PositionsFlat counts dust as flat and names it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from quantum_api.engine_status import Latch
from quantum_api.trading_policy import StopAction
from quantum_engine.domain import OrderIntent, OrderView, PositionSide, PositionView, Purpose, Side, SymbolRules
from quantum_engine.emergency.latches import Sight
from quantum_engine.emergency.picture import Picture
from quantum_engine.emergency.troubles import PLAINLY, How

MOST_SLICES: Final = 5
"""Closing orders of one position in one round; what is above them follows in the next."""
ZERO: Final = Decimal(0)
Rules = Callable[[str], SymbolRules | None]
Ways = Callable[[str], How]


@dataclass(frozen=True, slots=True)
class Close:
    """An order that shrinks one position.  ``price`` None = market; else it expires at once unless it ``rests``."""

    side: Side
    quantity: Decimal
    price: Decimal | None = None
    rests: bool = False
    position_side: PositionSide = PositionSide.BOTH


@dataclass(frozen=True, slots=True)
class SymbolWork:
    """Cancel everything of the symbol, then close."""

    symbol: str
    closes: tuple[Close, ...] = ()
    one_by_one: tuple[OrderView, ...] = ()
    """Orders to cancel by their own numbers as well."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one look asks for."""

    work: tuple[SymbolWork, ...]
    sights: Mapping[str, Sight]


def plainly(symbol: str) -> How:  # noqa: ARG001  the same for every symbol
    return PLAINLY


def plan(
    latches: Iterable[Latch],
    seen: Picture,
    known: Picture,
    rules: Rules,
    ways: Ways = plainly,
    suspects: Iterable[str] = (),
) -> Plan:
    """``seen`` proves; ``known`` is worked on.  ``suspects`` may have orders that could not be listed: they are cancelled blindly."""
    latches = tuple(latches)
    resting = {order.symbol for order in known.orders} | (frozenset(suspects) if seen.hides_orders else frozenset())
    work = []
    for symbol in sorted(resting | {position.symbol for position in known.positions}):
        strength = max((latch.action.strength for latch in latches if covers(latch, symbol)), default=0)
        item = _work(symbol, known, rules(symbol), ways(symbol), closes=strength >= StopAction.FLATTEN.strength)
        if item.closes or (strength >= StopAction.CANCEL_ORDERS.strength and symbol in resting):
            work.append(item)
    return Plan(tuple(work), {latch.id: sight(latch, seen, rules) for latch in latches})


def covers(latch: Latch, symbol: str) -> bool:
    return not latch.symbols or symbol in latch.symbols


def closing_intent(symbol: str, close: Close, intent_id: str, reason: str) -> OrderIntent:
    return OrderIntent(
        id=intent_id,
        symbol=symbol,
        side=close.side,
        quantity=close.quantity,
        price=close.price,
        reduce_only=True,
        purpose=Purpose.EMERGENCY_EXIT,
        time_in_force="GTC" if close.rests else "IOC",
        reason=reason,
        position_side=close.position_side,
    )


def sight(latch: Latch, seen: Picture, rules: Rules) -> Sight:
    """A number that may be too small is None when it is 0: what was seen is there, what was not may be."""
    orders = sum(covers(latch, order.symbol) for order in seen.orders)
    mine = [position for position in seen.positions if covers(latch, position.symbol)]
    dust = tuple(position.symbol for position in mine if is_dust(position, rules(position.symbol)))
    positions = len(mine) - len(dust)
    return Sight(
        open_orders=orders if orders or seen.shows_all_orders else None,
        open_positions=positions if positions or seen.shows_all_positions else None,
        dust=dust,
    )


def is_dust(position: PositionView, rules: SymbolRules | None) -> bool:
    """Whether no order, market or limit, is small enough for it."""
    quantity = abs(position.quantity)
    return rules is not None and not _fits(quantity, rules, is_market=True) and not _fits(quantity, rules, is_market=False)


def _work(symbol: str, known: Picture, rules: SymbolRules | None, way: How, *, closes: bool) -> SymbolWork:
    held = [position for position in known.positions if position.symbol == symbol] if closes else []
    orders = tuple(order for order in known.orders if order.symbol == symbol) if way.one_by_one else ()
    return SymbolWork(symbol, tuple(close for position in held for close in _closes(position, rules, way)), orders)


def _closes(position: PositionView, rules: SymbolRules | None, way: How) -> list[Close]:
    side = Side.SELL if position.quantity > 0 else Side.BUY
    whole = abs(position.quantity)
    if rules is None:
        return [Close(side, whole, position_side=position.position_side)]
    needs_limit = way.by_limit or not _fits(whole, rules, is_market=True)
    price = _edge(position, side, rules) if needs_limit else None
    sizes = _slices(whole, way.parts, rules, is_market=price is None)
    return [Close(side, size, price, way.rests and price is not None, position.position_side) for size in sizes]


def _slices(whole: Decimal, parts: int, rules: SymbolRules, *, is_market: bool) -> list[Decimal]:
    """What fits the lot, in orders no larger than the largest; at least the smallest order, if the position holds that much."""
    largest = rules.market_max_quantity if is_market else rules.max_quantity
    left = _fits(whole / parts, rules, is_market=is_market) or min(rules.min_quantity, _fits(whole, rules, is_market=is_market))
    if largest <= 0:
        return [left] if left else []
    sizes: list[Decimal] = []
    while left > 0 and len(sizes) < MOST_SLICES:
        size = _fits(min(left, largest), rules, is_market=is_market)
        if not size:
            break
        sizes.append(size)
        left -= size
    return sizes


def _fits(quantity: Decimal, rules: SymbolRules, *, is_market: bool) -> Decimal:
    """Rounded down to the lot; 0 when that is below the smallest order."""
    step = (rules.market_step_size if is_market else rules.step_size) or rules.step_size
    if step > 0:
        quantity = (quantity / step).to_integral_value(ROUND_FLOOR) * step
    return quantity if quantity >= rules.min_quantity else ZERO


def _edge(position: PositionView, side: Side, rules: SymbolRules) -> Decimal | None:
    """The worst price that the exchange lets a limit bear, on the tick within its band; None when band or mark are not known."""
    times = rules.percent_up if side is Side.BUY else rules.percent_down
    if position.mark_price is None or times <= 0 or rules.tick_size <= 0:
        return None
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return (position.mark_price * times / rules.tick_size).to_integral_value(rounding) * rules.tick_size
