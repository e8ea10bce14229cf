"""Closing orders that the venue itself sends: liquidation and auto-deleveraging.  Pure.

In    a position, how much of it, at what price
Out   an order that nobody sent, announced; fills that no book made
Flow  liquidation, control API (adl) -> HERE -> settlement
Why   an engine must take orders with a name it never gave (``autoclose-…``, ``adl_autoclose``) as fills of its account
"""

from decimal import Decimal

from quantum_simulator.core.accounts import Account, Position
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.orders import Order
from quantum_simulator.core.settlement import announce, book_fill, settle
from quantum_simulator.decimals import ZERO, is_multiple

ADL_CLIENT_ID = "adl_autoclose"
"""The same for every one: a client that keys orders by client id alone mixes two of them up."""


def closing_order(floor: Floor, position: Position, account: Account, client_id: str, quantity: Decimal, now_ms: int) -> Order:
    """Enter the order; its client id ends in the order id when it ends in ``-``."""
    floor.last_order_id += 1
    order = Order(
        id=floor.last_order_id,
        client_id=f"{client_id}{now_ms}{floor.last_order_id}" if client_id.endswith("-") else client_id,
        account=account.name,
        symbol=position.symbol,
        side="SELL" if position.amount > 0 else "BUY",
        type="LIMIT",
        time_in_force="IOC",
        quantity=quantity,
        price=floor.books[position.symbol].mark,
        reduce_only=False,
        created_ms=now_ms,
        is_forced=True,
        position_side=position.side,
    )
    account.remember(order)
    announce(floor, order, "NEW", now_ms)
    return order


def fill_off_book(floor: Floor, order: Order, price: Decimal, now_ms: int) -> None:
    """What is left trades with the insurance fund or with a bankrupt stranger: no public trade is printed."""
    book_fill(floor, order, price, order.remaining, maker=False, at_ms=now_ms)
    settle(floor, [order], now_ms)


def deleverage(floor: Floor, account: Account, position: Position, quantity: Decimal | None, price: Decimal | None, now_ms: int) -> Order:
    """Close (a part of) a profitable position because a bankrupt one has nobody else to close against."""
    whole = abs(position.amount)
    if not whole:
        raise ValueError(f"{account.name} holds no {position.side} position in {position.symbol}; nothing to deleverage")
    wanted = min(quantity or whole, whole)
    if not is_multiple(wanted, step := floor.books[position.symbol].instrument.step):
        raise ValueError(f"quantity {wanted} is no multiple of the step {step}")
    order = closing_order(floor, position, account, ADL_CLIENT_ID, wanted.quantize(step), now_ms)
    fill_off_book(floor, order, price or floor.books[position.symbol].mark, now_ms)
    return order


def adl_quantile(floor: Floor, account: Account, position: Position) -> int:
    """0 flat, 1 losing, then 2, 3, 4 by the return on margin (up to 50 %, up to 100 %, above): how soon it would be deleveraged."""
    if not position.amount:
        return 0
    gained = position.unrealised(floor.books[position.symbol].mark)
    margin = abs(position.cost) / account.leverage(position.symbol)
    if gained <= ZERO:
        return 1
    return 2 if gained * 2 <= margin else 3 if gained <= margin else 4
