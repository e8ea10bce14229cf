"""What the emergency stage needs of others."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from quantum_engine.domain import OrderIntent, OrderView, PositionView, SymbolRules
from quantum_engine.verdicts import Verdict


class Venue(Protocol):
    """The exchange, as far as getting out needs it."""

    async def symbol_rules(self) -> dict[str, SymbolRules]: ...
    async def positions(self) -> list[PositionView]: ...
    async def regular_orders(self, symbol: str | None = None) -> list[OrderView]: ...
    async def algo_orders(self, symbol: str | None = None) -> list[OrderView]: ...
    async def cancel_all(self, symbol: str) -> None: ...
    async def cancel_order(self, order: OrderView) -> None: ...


class Books(Protocol):
    """What the engine believes that it holds.  Worked on at once, never taken for a proof."""

    @property
    def reconciled(self) -> bool:
        """Compared with the exchange within the last half minute, and the user stream is up since."""
        ...

    @property
    def positions(self) -> Mapping[str, PositionView]: ...
    @property
    def open_orders(self) -> Mapping[str, OrderView]: ...


class NoBooks:
    """Nothing is known."""

    reconciled = False
    positions: Mapping[str, PositionView] = {}
    open_orders: Mapping[str, OrderView] = {}


Rules = Callable[[str], SymbolRules | None]


def no_rules(symbol: str) -> SymbolRules | None:  # noqa: ARG001  none is known
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What the engine knows without asking."""

    books: Books
    rules: Rules


NOTHING_KNOWN: Final = Known(NoBooks(), no_rules)

Submit = Callable[[OrderIntent], Awaitable[Verdict]]
"""Sends one closing order through the gate, written ahead."""
