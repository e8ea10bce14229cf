"""One moment of the market on the floor: new prices in, everything that follows from them done.  Pure.

In    per symbol: index price, how deep and how wide the book is; the time that passed
Out   refilled ladders, resting fills, triggered algo orders, liquidations, expired countdowns
Flow  market.step -> HERE -> effects
Why   a fixed order of work: books, then funding, resting orders, triggers, liquidation, countdowns
"""

from decimal import Decimal
from typing import NamedTuple, Protocol

from quantum_simulator.core.floor import Book, Floor
from quantum_simulator.core.funding import run_funding
from quantum_simulator.core.liquidation import run_liquidations
from quantum_simulator.core.matching import cross_resting
from quantum_simulator.core.settlement import print_trade
from quantum_simulator.core.trading import run_countdowns
from quantum_simulator.core.triggers import run_triggers
from quantum_simulator.decimals import BPS, floor_to


class Dealt(Protocol):
    """A trade at its price."""

    @property
    def price(self) -> Decimal: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def buyer_is_maker(self) -> bool: ...


class Quote(NamedTuple):
    index_price: Decimal
    depth: float = 1.0
    widen: float = 1.0
    gap_bps: float = 0.0
    mark_bps: float = 0.0
    deals: tuple[Dealt, ...] = ()
    """Recorded trades between strangers since the last moment."""


def _mark(book: Book, mark_bps: float) -> Decimal:
    if not mark_bps:
        return book.index
    return max(book.instrument.tick, floor_to(book.index * (1 + Decimal(str(mark_bps)) / BPS), book.instrument.tick))


def _follow(floor: Floor, symbol: str, now_ms: int) -> None:
    """A book that has left the last price behind has traded on its way: strangers print one lot at its near side."""
    book = floor.books[symbol]
    for buys in (True, False):
        near = book.best_price(not buys)
        if near is not None and (book.last < near if buys else book.last > near):
            print_trade(floor, symbol, near, book.instrument.step, not buys, now_ms)


def move_market(floor: Floor, quotes: dict[str, Quote], elapsed_ms: int, now_ms: int) -> None:
    for symbol, quote in quotes.items():
        book = floor.books[symbol]
        book.index = max(book.instrument.tick, floor_to(quote.index_price, book.instrument.tick))
        book.mark = _mark(book, quote.mark_bps)
        book.ladder.refill(elapsed_ms)
        book.ladder.rebuild(book.index, quote.depth, quote.widen, quote.gap_bps)
        book.update_id += 1
    run_funding(floor, now_ms)
    for symbol, quote in quotes.items():
        cross_resting(floor, symbol, now_ms)
        for each in quote.deals:
            print_trade(floor, symbol, each.price, each.quantity, each.buyer_is_maker, now_ms)
        _follow(floor, symbol, now_ms)
        run_triggers(floor, symbol, now_ms)
    run_liquidations(floor, now_ms)
    run_countdowns(floor, now_ms)
