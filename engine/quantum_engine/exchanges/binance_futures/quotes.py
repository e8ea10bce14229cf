"""Puts mark prices and book tops together into one quote per symbol.  Pure.

Why   a quote is as old as its mark: the mark comes each second, the book only when it changes, so a silent book may be a quiet one and a
      silent mark is a dead stream; that no book at all says anything is told beside it
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from quantum_engine.domain import Quote


@dataclass(slots=True)
class QuoteBoard:
    """Newest quote per symbol, and which of them were not yet handed on."""

    newest: dict[str, Quote] = field(default_factory=dict)
    fresh: dict[str, Quote] = field(default_factory=dict)
    book_heard_at: float | None = None

    def mark(self, symbol: str, mark: Decimal, now: float) -> None:
        before = self.newest.get(symbol)
        before = self.newest.get(symbol) or Quote(symbol, mark, None, None, now)
        self._keep(replace(before, mark=mark, received_at=now, book_heard_at=self.book_heard_at))

    def book(self, symbol: str, bid: Decimal, ask: Decimal, now: float) -> None:
        """An empty side is sent as 0."""
        self.book_heard_at = now
        before = self.newest.get(symbol) or Quote(symbol, None, None, None, now)
        self._keep(replace(before, bid=bid or None, ask=ask or None, book_heard_at=now))

    def forget_book(self) -> None:
        """The book's connection is gone: what it said last is not a price any more."""
        for quote in list(self.newest.values()):
            self._keep(replace(quote, bid=None, ask=None))

    def take(self) -> list[Quote]:
        taken = list(self.fresh.values())
        self.fresh.clear()
        return taken

    def _keep(self, quote: Quote) -> None:
        self.newest[quote.symbol] = self.fresh[quote.symbol] = quote
