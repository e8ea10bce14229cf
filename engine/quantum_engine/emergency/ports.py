"""What the emergency stage needs of others."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from quantum_engine.domain import OrderIntent, OrderView, PositionView, SymbolRules
from quantum_engine.verdicts import Verdict


class Venue(Protocol):
    """The exchange, as far as getting out needs it."""

    async def symbol_rules(self) -> dict[str, SymbolRules]: ...
    async def positions(self) -> list[PositionView]: ...
    async def open_orders(self) -> list[OrderView]: ...
    async def cancel_all(self, symbol: str) -> None: ...


Submit = Callable[[OrderIntent], Awaitable[Verdict]]
"""Sends one closing order through the gate, written ahead."""
