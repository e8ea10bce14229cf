"""Keeps positions, orders and balances in step with the exchange."""

from collections.abc import Callable

from quantum_engine.clock import Clock
from quantum_engine.domain import AccountView, EquityEvent, OrderView, PositionView, Quote
from quantum_engine.exchanges.port import Exchange, OrderUpdate
from quantum_engine.permission import Permission


class Positions:
    """What the account holds, as the exchange last said."""

    def __init__(self, exchange: Exchange, market_quote: Callable[[str], Quote | None], clock: Clock, permission: Permission) -> None:
        self._exchange, self._quote, self._clock, self._permission = exchange, market_quote, clock, permission
        self.reconciled = False

    async def run(self) -> None:
        """Consume the user stream for ever; reconcile when it comes up and each 30 s."""
        raise NotImplementedError

    async def reconcile(self) -> None:
        """Raises what the exchange port raises; the restriction of source "reconciliation" follows the result."""
        raise NotImplementedError

    async def refresh_account(self) -> None:
        raise NotImplementedError

    @property
    def account(self) -> AccountView | None:
        raise NotImplementedError

    @property
    def positions(self) -> dict[str, PositionView]:
        raise NotImplementedError

    @property
    def open_orders(self) -> dict[str, OrderView]:
        """By client order id."""
        raise NotImplementedError

    def on_quote(self, quote: Quote) -> None:
        """Wire to Market.on_quote: a new mark of a held symbol is an equity event."""
        raise NotImplementedError

    def on_equity(self, callback: Callable[[EquityEvent], None]) -> None:
        raise NotImplementedError

    def on_change(self, callback: Callable[[], None]) -> None:
        raise NotImplementedError

    def on_order(self, callback: Callable[[OrderUpdate], None]) -> None:
        raise NotImplementedError
