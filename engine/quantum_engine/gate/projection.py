"""What the account would hold if orders that rest or fly were filled, in the direction that hurts.  Pure.

In    positions, open orders, one intent
Out   the room left to shrink a position; the largest position and gross exposure that could result; what the order would trade at
Flow  snapshot -> HERE -> checks
Why   a position limit that forgets resting orders is passed by two orders, and a "reduce" that forgets them flips the position
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

import msgspec

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
    in the order of their fills: beside each other they need no room.  But what they take is gone for an order that has no such guard, so
    where one rests, a further reduce-only order must leave it its room, unless those that rest already may take everything.
    """
    held_quantity = held(positions, intent.symbol)
    if held_quantity * intent.side.sign >= 0:
        return ZERO
    size, guarded, unguarded = abs(held_quantity), ZERO, ZERO
    for order in orders:
        if order.symbol == intent.symbol and order.side is intent.side:
            if order.reduce_only:
                guarded += order.remaining
            else:
                unguarded += order.remaining
    if intent.reduce_only and (not unguarded or guarded >= size):
        guarded = ZERO
    return max(size - unguarded - guarded, ZERO)


class Projected(msgspec.Struct, frozen=True):
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
    longs, shorts = _sizes(snapshot)
    long, short = longs.pop(intent.symbol), shorts.pop(intent.symbol)
    grown = (short if intent.side is _SELL else long) + intent.quantity
    before = long if long > short else short
    gross: Decimal | None = (grown if grown > before else before) * price
    for symbol, long in longs.items():
        value = _price_of(snapshot, symbol)
        short = shorts[symbol]
        gross = None if value is None or gross is None else gross + (long if long > short else short) * value
    return Projected(grown if grown > ZERO else ZERO, gross, grown > before)


def _sizes(snapshot: Snapshot) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """How long and how short each symbol could become; one of the two is never below flat."""
    own = snapshot.intent.symbol
    longs, shorts = {own: ZERO}, {own: ZERO}
    for symbol, position in snapshot.positions.items():
        longs[symbol], shorts[symbol] = position.quantity, -position.quantity
    for order in snapshot.open_orders:
        if not order.reduce_only:
            symbol = order.symbol
            if symbol not in longs:
                longs[symbol] = shorts[symbol] = ZERO
            side = shorts if order.side is _SELL else longs
            side[symbol] += order.quantity - order.executed if order.executed else order.quantity
    return longs, shorts


def _price_of(snapshot: Snapshot, symbol: str) -> Decimal | None:
    mark = snapshot.marks.get(symbol)
    if mark is not None:
        return mark
    position = snapshot.positions.get(symbol)
    if position is not None:
        return position.mark_price or position.entry_price
    return max((order.price for order in snapshot.open_orders if order.symbol == symbol and order.price > 0), default=None)
