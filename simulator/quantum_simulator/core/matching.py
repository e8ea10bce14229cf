"""Who trades with whom, at what price, how much.  Pure.

In    an order on arrival, or resting orders after the market moved
Out   fills booked; the rest of the order stays open for its caller to rest or end
Flow  place, market move -> HERE -> settlement
Why   price-time priority; a resting order trades at its own price, the synthetic level at its own; at one price
      accounts come before the ladder; an account never trades with itself (EXPIRE_MAKER)
"""

from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core.floor import Book, Floor
from quantum_simulator.core.ladder import Level
from quantum_simulator.core.orders import Order
from quantum_simulator.core.reduce_only import closable
from quantum_simulator.core.settlement import book_fill, end, print_trade, settle
from quantum_simulator.decimals import ZERO


class Offer(NamedTuple):
    price: Decimal
    quantity: Decimal
    level: Level | None
    maker: Order | None


def is_within(price: Decimal, bound: Decimal | None, buys: bool) -> bool:
    return bound is None or (price <= bound if buys else price >= bound)


def may_fill(floor: Floor, order: Order) -> Decimal:
    """What is left of the order, and of the position when it may only reduce."""
    if not order.reduce_only:
        return order.remaining
    return min(order.remaining, closable(floor.accounts[order.account], order.symbol, order.buys, order.position_side))


def best_offer(floor: Floor, book: Book, order: Order, bound: Decimal | None, at_ms: int) -> Offer | None:
    """The best counterparty up to ``bound``; the account's own and spent reduce-only orders met on the way are expired."""
    level = book.ladder.best(order.buys)
    nearest = level.price if level is not None and is_within(level.price, bound, order.buys) else bound
    while (maker := book.resting.best(not order.buys)) is not None:
        if not is_within(maker.price, nearest, order.buys):
            break
        if maker.account == order.account:
            end(floor, maker, "EXPIRED_IN_MATCH", at_ms)
        elif not may_fill(floor, maker):
            end(floor, maker, "EXPIRED", at_ms, reason="4")
        else:
            break
    if maker is not None and is_within(maker.price, nearest, order.buys):
        return Offer(maker.price, may_fill(floor, maker), None, maker)
    return Offer(level.price, level.left, level, None) if level is not None and is_within(level.price, bound, order.buys) else None


def take(floor: Floor, order: Order, bound: Decimal | None, at_ms: int) -> None:
    """Let an arriving order take what it meets up to ``bound``."""
    book = floor.books[order.symbol]
    touched = [order]
    while (wanted := may_fill(floor, order)) > ZERO:
        offer = best_offer(floor, book, order, bound, at_ms)
        if offer is None:
            break
        quantity = min(wanted, offer.quantity)
        if offer.maker is not None:
            book_fill(floor, offer.maker, offer.price, quantity, maker=True, at_ms=at_ms)
            touched.append(offer.maker)
        elif offer.level is not None:
            offer.level.taken += quantity
        book_fill(floor, order, offer.price, quantity, maker=False, at_ms=at_ms)
        print_trade(floor, order.symbol, offer.price, quantity, not order.buys, at_ms)
    if order.filled:
        book.update_id += 1
        settle(floor, touched, at_ms)


def fillable(floor: Floor, order: Order, bound: Decimal) -> bool:
    """Would the whole order fill at once?  Asked for FOK; changes nothing."""
    book = floor.books[order.symbol]
    levels = ((each.price, each.left) for each in book.ladder.side(order.buys))
    makers = ((each.price, may_fill(floor, each)) for each in book.resting.side(not order.buys) if each.account != order.account)
    wanted = may_fill(floor, order)
    return sum((left for price, left in (*levels, *makers) if is_within(price, bound, order.buys)), ZERO) >= wanted


def cross_resting(floor: Floor, symbol: str, at_ms: int) -> None:
    """After the index moved: resting orders that the ladder now reaches trade as makers at their own price."""
    book = floor.books[symbol]
    for bids in (True, False):
        for order in book.resting.side(bids):
            level = book.ladder.best(order.buys)
            if level is None or not is_within(level.price, order.price, order.buys):
                break
            _fill_resting(floor, book, order, at_ms)


def _fill_resting(floor: Floor, book: Book, order: Order, at_ms: int) -> None:
    before = order.filled
    while order.is_open:
        wanted = may_fill(floor, order)
        if not wanted:
            end(floor, order, "EXPIRED", at_ms, reason="4")
            break
        level = book.ladder.best(order.buys)
        if level is None or not is_within(level.price, order.price, order.buys):
            break
        quantity = min(wanted, level.left)
        level.taken += quantity
        book_fill(floor, order, order.price, quantity, maker=True, at_ms=at_ms)
        print_trade(floor, order.symbol, order.price, quantity, order.buys, at_ms)
    if order.filled != before:
        settle(floor, [order], at_ms)
