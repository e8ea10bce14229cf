"""What the account would hold if orders that rest or fly were filled, in the direction that hurts.  Pure.

In    positions, open orders, one intent
Out   the room left to shrink a position; the largest position and gross exposure that could result; what the order would trade at
Flow  snapshot -> HERE -> checks
Why   a position limit that forgets resting orders is passed by two orders, and a "reduce" that forgets them flips the position
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quantum_engine.domain import OrderIntent, OrderView, PositionView, Side
from quantum_engine.gate.snapshot import Snapshot

ZERO: Final = Decimal(0)
_SELL: Final = Side.SELL
"""An enum's member is slow to look up, and this is asked once per resting order."""


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


@dataclass(frozen=True, slots=True)
class Projected:
    """The worst that this order and everything that rests could lead to."""

    position: Decimal
    """Size on the intent's side of flat, if it and every opening order of that side were filled; 0 if that only shrinks."""
    gross_usdt: Decimal | None
    """Sum over symbols of the larger side's value; None when something held has no price."""
    grows: bool
    """Whether this order adds to the gross."""


def project(snapshot: Snapshot, price: Decimal) -> Projected:
    """One pass over positions and orders; ``price`` values the intent's own symbol."""
    intent = snapshot.intent
    sizes: dict[str, list[Decimal]] = {intent.symbol: [ZERO, ZERO]}
    for symbol, position in snapshot.positions.items():
        sizes[symbol] = [position.quantity, -position.quantity]
    for order in snapshot.open_orders:
        if not order.reduce_only:
            sides = sizes.get(order.symbol) or sizes.setdefault(order.symbol, [ZERO, ZERO])
            sides[order.side is _SELL] += order.quantity - order.executed
    own = sizes.pop(intent.symbol)
    before = max(own)
    own[intent.side is _SELL] += intent.quantity
    after = max(own)
    gross: Decimal | None = after * price
    for symbol, sides in sizes.items():
        value = _price_of(snapshot, symbol)
        gross = None if value is None or gross is None else gross + max(sides) * value
    return Projected(max(own[intent.side is _SELL], ZERO), gross, after > before)


def _price_of(snapshot: Snapshot, symbol: str) -> Decimal | None:
    mark = snapshot.marks.get(symbol)
    if mark is not None:
        return mark
    position = snapshot.positions.get(symbol)
    if position is not None:
        return position.mark_price or position.entry_price
    return max((order.price for order in snapshot.open_orders if order.symbol == symbol and order.price > 0), default=None)
