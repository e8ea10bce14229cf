"""Reduce-only for the whole life of an order.  Pure.

In    an account's position and its resting reduce-only orders
Out   how much an order may still close; whether a new one is refused; which resting ones are knocked out
Flow  admission and matching ask; settlement calls ``knocked_out`` after every change of a position
Why   checking only on arrival lets a resting order flip the position later; and the venue refuses a second close
      while resting ones already cover the position (-4118), which is why a stop cancels before it closes
"""

from decimal import Decimal

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.orders import Order, OrderRequest, PositionSide
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, refuse


def closable(account: Account, symbol: str, buys: bool, side: PositionSide = "BOTH") -> Decimal:
    """How much of the position an order in this direction would close."""
    amount = account.amount(symbol, side)
    return max(ZERO, -amount if buys else amount)


def resting(account: Account, symbol: str) -> list[Order]:
    return [each for each in account.open_orders.get(symbol, {}).values() if each.reduce_only]


def refusal_on_arrival(account: Account, request: OrderRequest) -> VenueRefusal | None:
    buys = request.side == "BUY"
    room = closable(account, request.symbol, buys, request.position_side)
    if not room:
        return refuse(Words.REDUCE_ONLY_REJECTED)
    covered = sum((each.remaining for each in resting(account, request.symbol) if each.buys == buys), ZERO)
    if covered >= room and not request.close_position:
        return refuse(Words.REDUCE_ONLY_COVERED)
    return None


def knocked_out(account: Account, symbol: str) -> list[Order]:
    """Resting reduce-only orders that have nothing left to close.

    The position is given to them in priority (best price, then age); one that finds only a part of its size
    stays and is capped when it fills, one that finds nothing goes.
    """
    gone: list[Order] = []
    rooms: dict[tuple[bool, PositionSide], Decimal] = {}
    for order in sorted(resting(account, symbol), key=lambda each: (-each.price if each.buys else each.price, each.place)):
        key = (order.buys, order.position_side)
        room = rooms[key] if key in rooms else closable(account, symbol, *key)
        if room <= 0:
            gone.append(order)
        rooms[key] = room - order.remaining
    return gone
