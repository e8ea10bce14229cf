"""Equity, margin and what is still available, cross margin.  Pure.

In    an account, the floor's mark prices
Out   equity, initial and maintenance margin, available balance
Flow  endpoints and admission ask; liquidation compares
Why   equity = wallet + unrealised on mark; orders cost margin only where they would enlarge the exposure of their position;
      in hedge mode a long and a short one of the same symbol cost margin each, and their profits still net
"""

from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core.accounts import Account, Position, PositionKey
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.orders import Order, PositionSide
from quantum_simulator.decimals import BPS, ZERO
from quantum_simulator.refusals import Words

MARKET_MARGIN_FACTOR = Decimal("1.0005")


def unrealised(floor: Floor, account: Account) -> Decimal:
    return sum((each.unrealised(floor.books[each.symbol].mark) for each in account.positions.values() if each.amount), ZERO)


def equity(floor: Floor, account: Account) -> Decimal:
    return account.wallet + unrealised(floor, account)


def position_maintenance(floor: Floor, position: Position) -> Decimal:
    book = floor.books[position.symbol]
    return abs(position.amount) * book.mark * book.instrument.maintenance_bps / BPS


def maintenance(floor: Floor, account: Account) -> Decimal:
    return sum((position_maintenance(floor, each) for each in account.positions.values() if each.amount), ZERO)


class SymbolMargin(NamedTuple):
    position: Decimal
    orders: Decimal
    bid_notional: Decimal
    ask_notional: Decimal

    @property
    def total(self) -> Decimal:
        return self.position + self.orders


def symbol_margin(floor: Floor, account: Account, symbol: str, candidate: Order | None = None, side: PositionSide = "BOTH") -> SymbolMargin:
    """Initial margin of one position and its orders, with a not yet accepted order counted in."""
    mark = floor.books[symbol].mark
    held = account.amount(symbol, side) * mark
    bids = asks = ZERO
    for order in (*account.open_in(symbol), *([candidate] if candidate else [])):
        if order.reduce_only or order.position_side != side:
            continue
        notional = order.remaining * (order.price or mark * MARKET_MARGIN_FACTOR)
        bids, asks = (bids + notional, asks) if order.buys else (bids, asks + notional)
    leverage = account.leverage(symbol)
    position = abs(held) / leverage
    worst = max(abs(held + bids), abs(held - asks), abs(held)) / leverage
    return SymbolMargin(position, worst - position, bids, asks)


def initial_margins(floor: Floor, account: Account) -> dict[PositionKey, SymbolMargin]:
    """Of every position that is held or ordered."""
    keys = {key for key, each in account.positions.items() if each.amount}
    for symbol, orders in account.open_orders.items():
        keys |= {(symbol, each.position_side) for each in orders.values()}
    return {(symbol, side): symbol_margin(floor, account, symbol, side=side) for symbol, side in sorted(keys)}


def _free(floor: Floor, account: Account, margins: dict[PositionKey, SymbolMargin]) -> Decimal:
    return max(ZERO, equity(floor, account) - sum((each.total for each in margins.values()), ZERO))


def free(floor: Floor, account: Account) -> Decimal:
    """Equity beyond what positions and orders use; negative when a position has lost more than its margin."""
    return equity(floor, account) - sum((each.total for each in initial_margins(floor, account).values()), ZERO)


def available(floor: Floor, account: Account) -> Decimal:
    return max(ZERO, free(floor, account))


def max_notional(leverage: int) -> Decimal:
    """A stand-in for the leverage brackets: the higher the leverage, the smaller the largest position."""
    return Decimal(100_000_000) / leverage


def refusal_of(floor: Floor, account: Account, order: Order) -> tuple[int, str] | None:
    """Why this order's exposure may not be added.  Shrinking is always allowed."""
    side, leverage = order.position_side, account.leverage(order.symbol)
    before = symbol_margin(floor, account, order.symbol, None, side)
    after = symbol_margin(floor, account, order.symbol, order, side)
    extra = after.total - before.total
    if extra <= 0:
        return None
    price = order.price or floor.books[order.symbol].mark
    fee = order.quantity * price * account.taker_bps / BPS
    if extra + fee > available(floor, account):
        return Words.MARGIN_INSUFFICIENT
    return Words.POSITION_ABOVE_MAX if after.total * leverage > max_notional(leverage) else None
