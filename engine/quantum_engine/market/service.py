"""Keeps the newest quote of every followed symbol, and says when the market stream is silent."""

from collections.abc import Callable

from quantum_engine.clock import Clock
from quantum_engine.domain import Quote
from quantum_engine.exchanges.port import Exchange
from quantum_engine.permission import Permission


class Market:
    """Newest quotes.  The gate chain judges each quote's age itself."""

    def __init__(self, exchange: Exchange, clock: Clock, permission: Permission) -> None:
        self._exchange, self._clock, self._permission = exchange, clock, permission

    async def run(self) -> None:
        """Follow the stream for ever."""
        raise NotImplementedError

    def set_symbols(self, symbols: frozenset[str]) -> None:
        raise NotImplementedError

    def quote(self, symbol: str) -> Quote | None:
        raise NotImplementedError

    def on_quote(self, callback: Callable[[Quote], None]) -> None:
        raise NotImplementedError
