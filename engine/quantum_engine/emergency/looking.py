"""Asks the exchange what rests and what is held, of a few symbols or of all.

In    the three questions; which symbols
Out   a Picture, whatever fails: each service is judged alone
Flow  worker -> HERE -> exchange -> picture
Why   all engines behind one address share 2 400 of weight a minute: a whole look weighs 85, one of three symbols 11
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from quantum_engine.domain import OrderView, PositionView, SymbolRules
from quantum_engine.emergency.picture import Part, Picture
from quantum_engine.emergency.ports import Rules, Venue
from quantum_engine.errors import EngineError, ThrottledError
from quantum_engine.logs import logger

MOST_SYMBOLS: Final = 30
"""Beyond it, asking of each (1 + 1) costs as much as asking of all (40 + 40)."""
_log = logger("emergency")
Seen = TypeVar("Seen", OrderView, PositionView)
Answer = list[Seen] | EngineError


class Looker:
    """Never raises for what the exchange does."""

    def __init__(self, venue: Venue, rules: Rules) -> None:
        self._venue, self._known_rules = venue, rules
        self._read_rules: dict[str, SymbolRules] = {}

    def rules(self, symbol: str) -> SymbolRules | None:
        """As execution keeps them, or as they were read here for want of those."""
        return self._known_rules(symbol) or self._read_rules.get(symbol)

    async def look(self, scope: frozenset[str] | None = None) -> Picture:
        scope = scope if scope is not None and len(scope) <= MOST_SYMBOLS else None
        regular, algo, held = await asyncio.gather(
            self._orders(self._venue.regular_orders, scope), self._orders(self._venue.algo_orders, scope), _asked(self._venue.positions())
        )
        answers: dict[Part, Answer[OrderView] | Answer[PositionView]] = {Part.REGULAR: regular, Part.ALGO: algo, Part.POSITIONS: held}
        failures = {part: answer for part, answer in answers.items() if isinstance(answer, EngineError)}
        positions = () if isinstance(held, EngineError) else tuple(held)
        throttled = max((e.retry_after_seconds for e in failures.values() if isinstance(e, ThrottledError)), default=0.0)
        if not throttled:
            await self._read_missing_rules(position.symbol for position in positions)
        orders = [order for answer in (regular, algo) if not isinstance(answer, EngineError) for order in answer]
        return Picture(tuple(orders), positions, scope, {part: str(failure) for part, failure in failures.items()}, throttled)

    async def _read_missing_rules(self, symbols: Iterable[str]) -> None:
        """Without them the whole position is one order: better than none, and the exchange says what it will not take."""
        if all(self.rules(symbol) is not None for symbol in symbols):
            return
        try:
            self._read_rules = await self._venue.symbol_rules()
        except EngineError as error:
            _log.warning("stop_goes_on_without_rules", error=str(error))

    async def _orders(self, ask: Callable[[str | None], Awaitable[list[OrderView]]], scope: frozenset[str] | None) -> Answer[OrderView]:
        """Of several questions the first failure is the answer: half a list would pass for a whole one."""
        answers = await asyncio.gather(*(_asked(ask(symbol)) for symbol in (sorted(scope) if scope is not None else [None])))
        orders: list[OrderView] = []
        for answer in answers:
            if isinstance(answer, EngineError):
                return answer
            orders += answer
        return orders


async def _asked(question: Awaitable[list[Seen]]) -> Answer[Seen]:
    try:
        return await question
    except EngineError as error:
        return error
