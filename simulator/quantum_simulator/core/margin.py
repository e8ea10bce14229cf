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


def available(floor: Floor, account: Account) -> Decimal:
    return _free(floor, account, initial_margins(floor, account))


def affords(floor: Floor, account: Account, order: Order) -> bool:
    """May this order's exposure be added?  Shrinking is always affordable."""
    margins = initial_margins(floor, account)
    before = margins.get((order.symbol, order.position_side))
    after = symbol_margin(floor, account, order.symbol, order, order.position_side)
    extra = after.total - (before.total if before else ZERO)
    if extra <= 0:
        return True
    price = order.price or floor.books[order.symbol].mark
    fee = order.quantity * price * account.taker_bps / BPS
    return extra + fee <= _free(floor, account, margins)
