"""What the emergency stage needs of others."""

from typing import Protocol

from quantum_engine.domain import OrderIntent, OrderView, PositionView, SymbolRules


class Venue(Protocol):
    """The exchange, as far as getting out needs it."""

    async def symbol_rules(self) -> dict[str, SymbolRules]: ...
    async def positions(self) -> list[PositionView]: ...
    async def open_orders(self) -> list[OrderView]: ...
    async def cancel_all(self, symbol: str) -> None: ...


class Exits(Protocol):
    """Sends one closing order through the gate, written ahead.  Answers None when accepted, else what was refused."""

    async def __call__(self, intent: OrderIntent) -> str | None: ...
