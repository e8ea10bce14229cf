"""Keeps the newest quote of every followed symbol, and says when the whole market stream is silent.

Why   the gate chain judges each quote's age itself; the restriction of source "data" only makes a dead stream visible as one reason
"""

import asyncio
from collections.abc import Callable
from typing import Final

from quantum_api.gate import Gate
from quantum_engine.clock import Clock
from quantum_engine.domain import Quote
from quantum_engine.exchanges.port import Exchange
from quantum_engine.permission import Permission, Restriction

SOURCE: Final = "data"
SILENT_SECONDS: Final = 10.0
WATCH_SECONDS: Final = 1.0


class Market:
    """Newest quotes."""

    def __init__(self, exchange: Exchange, clock: Clock, permission: Permission) -> None:
        self._exchange, self._clock, self._permission = exchange, clock, permission
        self._symbols: frozenset[str] = frozenset()
        self._quotes: dict[str, Quote] = {}
        self._listeners: list[Callable[[Quote], None]] = []
        self._symbols_changed = asyncio.Event()
        self._heard_at = clock.monotonic()

    async def run(self) -> None:
        """Follow the stream for ever, anew whenever the symbols change."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            while True:
                self._symbols_changed.clear()
                follower = tasks.create_task(self._follow(self._symbols))
                await self._symbols_changed.wait()
                follower.cancel()

    def set_symbols(self, symbols: frozenset[str]) -> None:
        """Quotes of symbols that are no longer followed are forgotten: they would only grow old."""
        if symbols == self._symbols:
            return
        self._symbols = symbols
        self._quotes = {symbol: quote for symbol, quote in self._quotes.items() if symbol in symbols}
        self._heard_at = self._clock.monotonic()
        self._symbols_changed.set()

    def quote(self, symbol: str) -> Quote | None:
        return self._quotes.get(symbol)

    def on_quote(self, callback: Callable[[Quote], None]) -> None:
        """Called synchronously with each new quote; it must not raise or wait."""
        self._listeners.append(callback)

    @property
    def silent_seconds(self) -> float:
        """Since the last quote of any followed symbol."""
        return self._clock.monotonic() - self._heard_at if self._symbols else 0.0

    async def _follow(self, symbols: frozenset[str]) -> None:
        if not symbols:
            return
        async for quote in self._exchange.market_stream(symbols):
            if quote.symbol not in self._symbols:
                continue  # dropped while this stream has yet to end
            self._quotes[quote.symbol] = quote
            self._heard_at = max(self._heard_at, quote.received_at)
            for listener in self._listeners:
                listener(quote)

    async def _watch(self) -> None:
        while True:
            silent = self.silent_seconds
            if silent > SILENT_SECONDS:
                self._permission.restrict(Restriction(SOURCE, Gate.REDUCE_ONLY, f"no market price for more than {SILENT_SECONDS:.0f} s"))
            else:
                self._permission.lift(SOURCE)
            await asyncio.sleep(WATCH_SECONDS)
