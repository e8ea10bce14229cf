"""Tells each fill once, also those that the user stream did not bring.

In    fills of the stream; after a loss of the stream, or where a comparison found news, the account's trades by request
Out   each fill to the books and to whoever listens, once (identity: symbol and trade id)
Flow  service (gaps: what to ask) -> HERE -> exchange -> book, listeners
Why   the position is right after a comparison already; this is for those who count fills, fees and outcomes

Costs 5 of the weight for each symbol and 1 000 trades, and is asked for as an ordinary read: exits go first.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from quantum_engine import metrics
from quantum_engine.domain import Fill, PositionSide, symbol_of
from quantum_engine.exchanges.port import Exchange
from quantum_engine.logs import logger
from quantum_engine.positions.book import Answers, PositionBook
from quantum_engine.positions.gaps import Gaps, Question

_log = logger("positions")


class FillRecovery:
    """Of one account."""

    def __init__(self, exchange: Exchange, book: PositionBook, watched: Callable[[], Iterable[str]]) -> None:
        self.gaps = Gaps()
        self._exchange, self._book, self._watched = exchange, book, watched
        self._listeners: list[Callable[[Fill], None]] = []

    def on_fill(self, callback: Callable[[Fill], None]) -> None:
        """Called synchronously with each fill once; it must not raise or wait.  A fill that was told early bears no fee yet."""
        self._listeners.append(callback)

    def tell(self, fill: Fill) -> bool:
        """Whether it was news.  In hedge mode the early notice does not say whose side it was: its second telling does."""
        if self._book.is_hedged and fill.position_side is PositionSide.BOTH:
            return False
        if not self.gaps.is_news(fill):
            return False
        for listener in self._listeners:
            listener(fill)
        return True

    def compared(self, answers: Answers, before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> None:
        """What was held before and after a comparison: what differs was not told."""
        changed = {symbol_of(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        known = {symbol_of(key) for key in self._book.lines} | {order.symbol for order in self._book.orders.open.values()}
        self.gaps.compared(answers.asked_ms, known | set(self._watched()) | changed, changed)

    async def close_gaps(self) -> bool:
        """Whether anything was found.  Raises what the exchange port raises; what is still open is asked again at the next call."""
        found = 0
        for question in self.gaps.questions:
            for fill in await self._ask(question):
                found += self._take(fill)
            self.gaps.answered(question.symbol)
        if found:
            metrics.FILLS_RECOVERED.inc(found)
            _log.warning("fills_recovered", fills=found)
        return found > 0

    async def _ask(self, question: Question) -> Iterable[Fill]:
        if question.trade_id is None:
            return await self._exchange.fills(question.symbol, question.since_ms)
        return await self._exchange.fills_from(question.symbol, question.trade_id)

    def _take(self, fill: Fill) -> bool:
        """What traded right before this process first compared is read here for the first time: booked again it would be a position."""
        if not self.gaps.is_covered(fill):
            self._book.fill(fill)
        return self.tell(fill)
