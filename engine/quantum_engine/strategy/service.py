"""Builds bars from quotes, asks the pure signal at each close, and hands one intent to execution."""

from collections.abc import Callable

from quantum_api.strategy_mode import Strategy
from quantum_api.trading_policy import Limits
from quantum_engine.clock import Clock
from quantum_engine.domain import SymbolRules
from quantum_engine.strategy.ports import History, Holdings, Quotes, Submit


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

    async def run(self) -> None:
        raise NotImplementedError
