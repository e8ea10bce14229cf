"""Asks the exchange for what the books are compared with: everything now and then, in between only what this engine may touch.

In    the books, the symbols that the engine watches
Out   Answers, with the symbols whose orders were asked about
Flow  service -> HERE -> exchange -> book
Why   two lists of all orders weigh 80 of the 2 400 a minute that all engines behind one address share; ten engines that asked for them
      each 30 s used two thirds of it, and a stop of them all had to wait for the rest

An order in a symbol that nobody here watches can only be somebody else's: the stream tells it at once, the next whole look within 5 min.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from quantum_engine.clock import Clock
from quantum_engine.domain import OrderView, symbol_of
from quantum_engine.exchanges.port import Exchange
from quantum_engine.positions.book import Answers, PositionBook
from quantum_engine.positions.mode import Mode

WHOLE_SECONDS: Final = 300.0
MOST_SYMBOLS: Final = 30
"""Beyond it, asking of each (1 + 1) weighs as much as asking of all (40 + 40)."""


def nothing() -> Iterable[str]:
    return ()


class Comparer:
    """An ordinary look: it has no part in what is reserved for exits."""

    def __init__(self, exchange: Exchange, mode: Mode, clock: Clock, watched: Callable[[], Iterable[str]]) -> None:
        self.mode = mode
        self._exchange, self._clock, self._watched = exchange, clock, watched
        self._whole_at = float("-inf")

    def ask_for_all(self) -> None:
        """The stream was away: what it would have told may be anywhere."""
        self._whole_at = float("-inf")

    async def ask(self, book: PositionBook) -> Answers:
        """Raises what the exchange port raises.

        The dearest question comes last: an engine that asks again each second while the exchange will not say what it holds pays 10 a time
        for it and not 90, which would use up the minute of all who share its address.
        """
        book.is_hedged = await self.mode.known()
        began, asked_ms = self._clock.monotonic(), self._exchange.venue_ms()
        scope = self._scope(book) if began - self._whole_at < WHOLE_SECONDS else None
        account = await self._exchange.account()
        positions = await self._exchange.positions(is_exit=False)
        orders = await self._orders(scope)
        if scope is None:
            self._whole_at = began
        return Answers(account, tuple(positions), tuple(orders), asked_ms, self._exchange.venue_ms(), scope)

    def _scope(self, book: PositionBook) -> frozenset[str] | None:
        held = {symbol_of(key) for key in book.quantities}
        symbols = frozenset(self._watched()) | held | {order.symbol for order in book.orders.open.values()}
        return symbols if len(symbols) <= MOST_SYMBOLS else None

    async def _orders(self, scope: frozenset[str] | None) -> list[OrderView]:
        if scope is None:
            return await self._exchange.open_orders(is_exit=False)
        asks = [
            ask(symbol, is_exit=False) for symbol in sorted(scope) for ask in (self._exchange.regular_orders, self._exchange.algo_orders)
        ]
        return [order for orders in await asyncio.gather(*asks) for order in orders]
