"""Equity, margin and what is still available, cross margin in one-way mode.  Pure.

In    an account, the floor's mark prices
Out   equity, initial and maintenance margin, available balance
Flow  endpoints and admission ask; liquidation compares
Why   equity = wallet + unrealised on mark; orders cost margin only where they would enlarge the exposure of their symbol
"""

from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.orders import Order
from quantum_simulator.decimals import BPS, ZERO

MARKET_MARGIN_FACTOR = Decimal("1.0005")


def unrealised(floor: Floor, account: Account) -> Decimal:
    return sum((each.unrealised(floor.books[each.symbol].mark) for each in account.positions.values() if each.amount), ZERO)


def equity(floor: Floor, account: Account) -> Decimal:
    return account.wallet + unrealised(floor, account)


def maintenance(floor: Floor, account: Account, symbol: str | None = None) -> Decimal:
    total = ZERO
    for position in account.positions.values():
        if position.amount and symbol in {None, position.symbol}:
            book = floor.books[position.symbol]
            total += abs(position.amount) * book.mark * book.instrument.maintenance_bps / BPS
    return total


class SymbolMargin(NamedTuple):
    position: Decimal
    orders: Decimal
    bid_notional: Decimal
    ask_notional: Decimal

    @property
    def total(self) -> Decimal:
        return self.position + self.orders


def symbol_margin(floor: Floor, account: Account, symbol: str, candidate: Order | None = None) -> SymbolMargin:
    """Initial margin of one symbol, with a not yet accepted order counted in."""
    mark = floor.books[symbol].mark
    held = account.amount(symbol) * mark
    bids = asks = ZERO
    for order in (*account.open_in(symbol), *([candidate] if candidate else [])):
        if order.reduce_only:
            continue
        notional = order.remaining * (order.price or mark * MARKET_MARGIN_FACTOR)
        bids, asks = (bids + notional, asks) if order.buys else (bids, asks + notional)
    leverage = account.leverage(symbol)
    position = abs(held) / leverage
    worst = max(abs(held + bids), abs(held - asks), abs(held)) / leverage
    return SymbolMargin(position, worst - position, bids, asks)


def initial_margins(floor: Floor, account: Account) -> dict[str, SymbolMargin]:
    symbols = {symbol for symbol, each in account.positions.items() if each.amount}
    symbols |= {symbol for symbol, orders in account.open_orders.items() if orders}
    return {symbol: symbol_margin(floor, account, symbol) for symbol in sorted(symbols)}


def available(floor: Floor, account: Account) -> Decimal:
    used = sum((each.total for each in initial_margins(floor, account).values()), ZERO)
    return max(ZERO, equity(floor, account) - used)


def affords(floor: Floor, account: Account, order: Order) -> bool:
    """May this order's exposure be added?  Shrinking is always affordable."""
    before = symbol_margin(floor, account, order.symbol)
    after = symbol_margin(floor, account, order.symbol, order)
    extra = after.total - before.total
    if extra <= 0:
        return True
    price = order.price or floor.books[order.symbol].mark
    fee = order.quantity * price * account.taker_bps / BPS
    return extra + fee <= available(floor, account)
