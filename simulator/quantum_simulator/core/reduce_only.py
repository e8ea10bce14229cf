"""Reduce-only for the whole life of an order.  Pure.

In    an account's position and its resting reduce-only orders
Out   how much an order may still close; whether a new one is refused; which resting ones are knocked out
Flow  admission and matching ask; settlement calls ``knocked_out`` after every change of a position
Why   checking only on arrival lets a resting order flip the position later; and the venue refuses a second close
      while resting ones already cover the position (-4118), which is why a stop cancels before it closes
"""

from decimal import Decimal

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.orders import Order, OrderRequest
from quantum_simulator.decimals import ZERO
from quantum_simulator.refusals import VenueRefusal, Words, refuse


def closable(account: Account, symbol: str, buys: bool) -> Decimal:
    """How much of the position an order on this side would close."""
    amount = account.amount(symbol)
    return max(ZERO, -amount if buys else amount)


def resting_on(account: Account, symbol: str, buys: bool) -> list[Order]:
    return [each for each in account.open_in(symbol) if each.reduce_only and each.buys == buys]


def refusal_on_arrival(account: Account, request: OrderRequest) -> VenueRefusal | None:
    buys = request.side == "BUY"
    room = closable(account, request.symbol, buys)
    if not room:
        return refuse(Words.REDUCE_ONLY_REJECTED)
    covered = sum((each.remaining for each in resting_on(account, request.symbol, buys)), ZERO)
    if covered >= room and not request.close_position:
        return refuse(Words.REDUCE_ONLY_COVERED)
    return None


def knocked_out(account: Account, symbol: str) -> list[Order]:
    """Resting reduce-only orders that have nothing left to close.

    The position is given to them in priority (best price, then age); one that finds only a part of its size
    stays and is capped when it fills, one that finds nothing goes.
    """
    gone: list[Order] = []
    for buys in (True, False):
        room = closable(account, symbol, buys)
        ranked = sorted(resting_on(account, symbol, buys), key=lambda each: (-each.price if each.buys else each.price, each.id))
        for order in ranked:
            if room <= 0:
                gone.append(order)
            room -= order.remaining
    return gone
