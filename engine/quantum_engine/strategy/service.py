"""Builds bars from quotes, asks the pure signal at each close, and hands one intent to execution."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import structlog

from quantum_api.strategy_mode import Strategy
from quantum_api.trading_policy import Limits
from quantum_engine.clock import Clock
from quantum_engine.domain import Bar, OrderIntent, Purpose, Quote, SymbolRules
from quantum_engine.errors import EngineError
from quantum_engine.strategy.bars import BarBuilder
from quantum_engine.strategy.decision import Action, Close, Open, decide
from quantum_engine.strategy.ports import History, Holdings, Quotes, Submit
from quantum_engine.strategy.sizing import Room, entry_quantity, gross_usdt
from quantum_engine.strategy.trend import Trend, step
from quantum_engine.verdicts import Accepted

log = structlog.get_logger("quantum_engine.strategy")
REFUSED_PAUSE_SECONDS: Final = 5.0
"""After a "no" the next bar would ask the same again."""
MOST_WAITING_BARS: Final = 1_000


@dataclass(slots=True)
class _Symbol:
    """What is known of one symbol under one set of lengths."""

    strategy: Strategy
    builder: BarBuilder
    trend: Trend = field(default_factory=Trend)
    is_seeded: bool = False


class StrategyStage:
    """One signal per symbol; no Strategy (None) -> no new signals."""

    def __init__(  # noqa: PLR0913 - each is one thing the stage needs of another, named at the call
        self,
        market: Quotes,
        positions: Holdings,
        execution_submit: Submit,
        strategy: Callable[[], Strategy | None],
        instruments: Callable[[], list[str]],
        clock: Clock,
        *,
        limits: Callable[[], Limits | None],
        rules: Callable[[str], SymbolRules | None],
        history: History | None = None,
    ) -> None:
        """``rules`` is Execution.rules, ``history`` the exchange's klines."""
        self._market, self._positions, self._submit, self._strategy = market, positions, execution_submit, strategy
        self._instruments, self._clock, self._limits, self._rules, self._history = instruments, clock, limits, rules, history
        self._symbols: dict[str, _Symbol] = {}
        self._closed: asyncio.Queue[tuple[str, Bar]] = asyncio.Queue(MOST_WAITING_BARS)
        self._no_entry_before: dict[str, float] = {}
        self._acting: set[str] = set()
        """Symbols whose order is on its way."""
        market.on_quote(self._see)

    async def run(self) -> None:
        """For ever: one closed bar after the other.  A symbol whose order is on its way sits out its bars, and holds up no other."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                symbol, bar = await self._closed.get()
                state = self._symbols.get(symbol)
                if state is None:
                    continue
                await self._seed(symbol, state)
                state.trend = step(state.trend, bar, state.strategy)
                is_newest = state.trend.last_open_ms == bar.open_time_ms and state.trend.is_ready(state.strategy)
                if is_newest and symbol not in self._acting:
                    self._act(symbol, state, tasks)

    def _see(self, quote: Quote) -> None:
        strategy = self._strategy()
        if strategy is None or quote.symbol not in self._instruments():
            self._symbols.pop(quote.symbol, None)
            return
        price = _price(quote)
        if price is None:
            return
        state = self._symbols.get(quote.symbol)
        if state is None or state.strategy != strategy:
            state = self._symbols[quote.symbol] = _Symbol(strategy, BarBuilder(strategy.bar_seconds))
        bar = state.builder.see(float(price), self._clock.wall_ms())
        if bar is not None and not self._closed.full():
            self._closed.put_nowait((quote.symbol, bar))

    async def _seed(self, symbol: str, state: _Symbol) -> None:
        """The past comes from the exchange once; without it the averages warm up on their own bars."""
        if state.is_seeded:
            return
        state.is_seeded = True
        if self._history is None:
            return
        try:
            count = 2 * max(state.strategy.slow_bars, state.strategy.atr_bars)
            for bar in await self._history(symbol, state.strategy.bar_seconds, count):
                state.trend = step(state.trend, bar, state.strategy)
        except EngineError as error:
            log.warning("no history, warming up on live bars", symbol=symbol, error=str(error))

    def _act(self, symbol: str, state: _Symbol, tasks: asyncio.TaskGroup) -> None:
        now = self._clock.monotonic()
        position = self._positions.positions.get(symbol)
        action = decide(
            state.trend.direction,
            Decimal(0) if position is None else position.quantity,
            has_orders=any(order.symbol == symbol for order in self._positions.open_orders.values()),
            is_cooling_down=now < self._no_entry_before.get(symbol, float("-inf")),
        )
        intent = self._intent(symbol, state, action)
        if intent is None:
            return
        pause = state.strategy.cooldown_seconds if isinstance(action, Open) else None
        self._acting.add(symbol)
        tasks.create_task(self._ask(intent, now, pause))

    async def _ask(self, intent: OrderIntent, now: float, cooldown_seconds: float | None) -> None:
        try:
            verdict = await self._submit(intent)
        finally:
            self._acting.discard(intent.symbol)
        if cooldown_seconds is not None:
            pause = cooldown_seconds if isinstance(verdict, Accepted) else REFUSED_PAUSE_SECONDS
            self._no_entry_before[intent.symbol] = now + pause

    def _intent(self, symbol: str, state: _Symbol, action: Action) -> OrderIntent | None:
        """Its id names the bar, so the same bar asks for the same thing only once, also after a restart."""
        name = f"{symbol}-{state.trend.last_open_ms}"
        if isinstance(action, Close):
            return OrderIntent(
                f"{name}-close", symbol, action.side, action.quantity, reduce_only=True, purpose=Purpose.REDUCE, reason="signal turned"
            )
        if isinstance(action, Open):
            quantity = self._size(symbol, state)
            if quantity > 0:
                return OrderIntent(f"{name}-open", symbol, action.side, quantity, reason="averages crossed")
        return None

    def _size(self, symbol: str, state: _Symbol) -> Decimal:
        limits, rules, account, quote = self._limits(), self._rules(symbol), self._positions.account, self._market.quote(symbol)
        price = None if quote is None else max((p for p in (quote.ask, quote.mark) if p is not None), default=None)
        if limits is None or rules is None or account is None or price is None:
            return Decimal(0)
        gross = gross_usdt(self._positions.positions, list(self._positions.open_orders.values()))
        return entry_quantity(Room(state.strategy, limits, rules, account.equity_usdt, gross), price, state.trend.atr)


def _price(quote: Quote) -> Decimal | None:
    """The middle of the book moves more often than the mark."""
    if quote.bid is not None and quote.ask is not None:
        return (quote.bid + quote.ask) / 2
    return quote.mark
