"""What execution needs of the stages beside it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from quantum_engine.domain import AccountView, OrderView, PositionView, Quote
from quantum_engine.exchanges.port import OrderUpdate


class Quotes(Protocol):
    """Newest prices."""

    def quote(self, symbol: str) -> Quote | None: ...


class Holdings(Protocol):
    """What the account holds and what rests for it."""

    @property
    def account(self) -> AccountView | None: ...
    @property
    def account_received_at(self) -> float:
        """Monotonic, of the newest word on the balance; minus infinity = none yet."""
        ...

    @property
    def account_asked_at(self) -> float:
        """Monotonic, of the newest whole answer of the exchange about the account."""
        ...

    async def refresh_account(self) -> None:
        """Ask the exchange now."""
        ...

    @property
    def positions(self) -> Mapping[str, PositionView]: ...
    @property
    def open_orders(self) -> Mapping[str, OrderView]: ...
    def on_order(self, callback: Callable[[OrderUpdate], None]) -> None: ...
