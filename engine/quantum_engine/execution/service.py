"""Turns each intent into at most one live order: gate, write-ahead, send, and ask when the outcome is unknown."""

from collections import Counter
from collections.abc import Callable

from quantum_api.trading_policy import Limits
from quantum_engine.clock import Clock, IdSource
from quantum_engine.domain import OrderIntent, SymbolRules
from quantum_engine.exchanges.port import Exchange
from quantum_engine.execution.ports import Holdings, Quotes
from quantum_engine.journal import Journal
from quantum_engine.permission import Permission
from quantum_engine.verdicts import Verdict


class Execution:
    """SafeOrderExecutor."""

    def __init__(
        self,
        exchange: Exchange,
        journal: Journal,
        clock: Clock,
        permission: Permission,
        limits: Callable[[], Limits | None],
        market: Quotes,
        positions: Holdings,
        ids: IdSource,
    ) -> None:
        self._exchange, self._journal, self._clock, self._permission = exchange, journal, clock, permission
        self._limits, self._market, self._positions, self._ids = limits, market, positions, ids
        self.refusals: Counter[str] = Counter()

    async def submit(self, intent: OrderIntent) -> Verdict:
        raise NotImplementedError

    async def recover(self) -> None:
        """At start, before anything may open: load symbol rules, ask about every intent of the journal without a final outcome."""
        raise NotImplementedError

    async def run(self) -> None:
        """For ever: go on asking about unknown outcomes, refresh symbol rules, prune final intents."""
        raise NotImplementedError

    def rules(self, symbol: str) -> SymbolRules | None:
        raise NotImplementedError

    def on_outcome(self, callback: Callable[[OrderIntent, Verdict], None]) -> None:
        raise NotImplementedError
