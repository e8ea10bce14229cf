"""What the account would hold if orders that rest or fly were filled, in the direction that hurts.  Pure.

In    positions, open orders, one intent
Out   the room left to shrink a position; the largest position and gross exposure that could result
Flow  snapshot -> HERE -> checks
Why   a position limit that forgets resting orders is passed by two orders, and a "reduce" that forgets them flips the position
"""

from collections.abc import Collection, Mapping
from decimal import Decimal

from quantum_engine.domain import OrderIntent, OrderView, PositionView, Quote, Side
from quantum_engine.gate.snapshot import Snapshot

ZERO = Decimal(0)


def held(positions: Mapping[str, PositionView], symbol: str) -> Decimal:
    position = positions.get(symbol)
    return ZERO if position is None else position.quantity


def room_to_shrink(intent: OrderIntent, positions: Mapping[str, PositionView], orders: Collection[OrderView]) -> Decimal:
    """How much ``intent`` may at most be filled without opening, growing or flipping, whatever else is filled first.

    Orders of the other side may never fill, so they give no room.  The exchange itself keeps reduce-only orders from flipping a position,
    in the order of their fills: they take room only from an order that has no such guard.
    """
    quantity = held(positions, intent.symbol)
    if quantity * intent.side.sign >= 0:
        return ZERO
    taken = sum(
        (
            order.remaining
            for order in orders
            if order.symbol == intent.symbol and order.side is intent.side and not (order.reduce_only and intent.reduce_only)
        ),
        ZERO,
    )
    return max(abs(quantity) - taken, ZERO)


def worst_position(snapshot: Snapshot) -> Decimal:
    """Largest size on the intent's side of flat, if it and every opening order of that side were filled; 0 if that only shrinks."""
    intent, sign = snapshot.intent, snapshot.intent.side.sign
    size = held(snapshot.positions, intent.symbol) * sign + intent.quantity
    for order in snapshot.open_orders:
        if order.symbol == intent.symbol and order.side is intent.side and not order.reduce_only:
            size += order.remaining
    return max(size, ZERO)


def gross_exposure(snapshot: Snapshot, price: Decimal, extra: Decimal) -> Decimal | None:
    """Sum over symbols of the worst value, with ``extra`` more on the intent's side; None when something held has no price."""
    intent = snapshot.intent
    longs: dict[str, Decimal] = {symbol: position.quantity for symbol, position in snapshot.positions.items()}
    shorts: dict[str, Decimal] = {symbol: -quantity for symbol, quantity in longs.items()}
    longs.setdefault(intent.symbol, ZERO)
    shorts.setdefault(intent.symbol, ZERO)
    for order in snapshot.open_orders:
        if not order.reduce_only:
            sides = longs if order.side is Side.BUY else shorts
            sides[order.symbol] = sides.get(order.symbol, ZERO) + order.remaining
    (longs if intent.side is Side.BUY else shorts)[intent.symbol] += extra
    total = ZERO
    for symbol in longs.keys() | shorts.keys():
        size = max(longs.get(symbol, ZERO), shorts.get(symbol, ZERO))
        value = price if symbol == intent.symbol else _price_of(snapshot, symbol)
        if value is None:
            return None
        total += size * value
    return total


def _price_of(snapshot: Snapshot, symbol: str) -> Decimal | None:
    mark = snapshot.marks.get(symbol)
    if mark is not None:
        return mark
    position = snapshot.positions.get(symbol)
    if position is not None:
        return position.mark_price or position.entry_price
    return max((order.price for order in snapshot.open_orders if order.symbol == symbol and order.price > 0), default=None)


def reference_price(intent: OrderIntent, quote: Quote | None) -> Decimal | None:
    """What the order would trade at: its limit, or for a market order (and a limit that crosses) the book's other side, else the mark."""
    if quote is None:
        return None
    buys = intent.side is Side.BUY
    book = quote.ask if buys else quote.bid
    touch = book if book is not None else quote.mark
    if intent.price is None or touch is None:
        return touch
    return intent.price if buys else max(intent.price, touch)
