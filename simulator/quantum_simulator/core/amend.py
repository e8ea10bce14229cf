"""Changes price and quantity of a resting LIMIT order.  Pure.

In    floor, account, an open order, its new quantity and price, the time
Out   the order at the end of its queue, possibly filled at once; or canceled; or ``VenueRefusal`` and nothing changed
Flow  endpoints -> HERE -> admission, matching, settlement
Why   an amended order is judged as if it had just come: a shortcut past the filters, the margin or the queue would be a gift
"""

from dataclasses import replace
from decimal import Decimal

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.admission import admit, check_money
from quantum_simulator.core.floor import Book, Floor
from quantum_simulator.core.matching import is_within, take
from quantum_simulator.core.orders import Order, OrderRequest
from quantum_simulator.core.settlement import announce, end
from quantum_simulator.core.trading import finish
from quantum_simulator.refusals import Words, refuse

MOST_AMENDMENTS = 10_000


def amend(floor: Floor, account: Account, order: Order | None, quantity: Decimal, price: Decimal, now_ms: int) -> Order:
    if order is None or not order.is_open:
        raise refuse(Words.NO_SUCH_ORDER)
    if order.amendments >= MOST_AMENDMENTS:
        raise refuse(Words.TOO_MANY_AMENDMENTS)
    if (quantity, price) == (order.quantity, order.price):
        raise refuse(Words.NO_AMENDMENT)
    book = floor.books[order.symbol]
    _check(floor, account, order, quantity, price)
    if quantity <= order.filled or _would_take(book, order, price):
        end(floor, order, "CANCELED", now_ms)
        return order
    _move(floor, book, order, quantity, price, now_ms)
    take(floor, order, order.price, now_ms)
    if order.is_open:
        finish(floor, book, order, now_ms)
    return order


def _check(floor: Floor, account: Account, order: Order, quantity: Decimal, price: Decimal) -> None:
    """As a new order would be checked while the old one is not there."""
    request = OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=quantity,
        price=price,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        position_side=order.position_side,
    )
    open_here = account.open_orders[order.symbol]
    held = dict(open_here)
    del open_here[order.id]
    try:
        admit(floor, account, request)
        check_money(floor, account, replace(order, quantity=quantity, price=price))
    finally:
        open_here.clear()
        open_here.update(held)


def _would_take(book: Book, order: Order, price: Decimal) -> bool:
    best = book.best_price(order.buys)
    return order.time_in_force == "GTX" and best is not None and is_within(best, price, order.buys)


def _move(floor: Floor, book: Book, order: Order, quantity: Decimal, price: Decimal, now_ms: int) -> None:
    """To the end of its new queue; the number of the place is drawn from the order ids, so it is younger than every order."""
    book.resting.remove(order)
    floor.last_order_id += 1
    order.place = floor.last_order_id
    order.quantity = quantity.quantize(book.instrument.step)
    order.price = price.quantize(book.instrument.tick)
    order.amendments += 1
    order.updated_ms = now_ms
    book.update_id += 1
    announce(floor, order, "AMENDMENT", now_ms)
