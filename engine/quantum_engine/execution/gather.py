"""Freezes the world around one intent for the gate.  Reads memory only, never waits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from quantum_api.trading_policy import Limits
from quantum_engine.clock import Clock
from quantum_engine.domain import OrderIntent, OrderView, PositionView, SymbolRules
from quantum_engine.execution.flight import Flight
from quantum_engine.execution.pace import Pace
from quantum_engine.execution.ports import Holdings, Quotes
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.permission import Permission

_NEVER: Final = float("inf")
SAME_MOMENT_SECONDS: Final = 0.002


class Moment(NamedTuple):
    """When the world was last looked at, and what a person or a breaker could have changed since."""

    permission_version: int
    limits: Limits | None
    at: float


@dataclass(slots=True)
class Gatherer:
    """Where the gate's numbers come from."""

    clock: Clock
    permission: Permission
    limits: Callable[[], Limits | None]
    market: Quotes
    holdings: Holdings
    pace: Pace = field(default_factory=Pace)
    flight: Flight = field(default_factory=Flight)
    rules: dict[str, SymbolRules] = field(default_factory=dict)

    def snapshot(self, intent: OrderIntent, *, is_duplicate: bool = False, own_client_id: str = "") -> Snapshot:
        """``own_client_id``: the intent itself is already in flight and must not stand in its own way."""
        now, symbol, holdings = self.clock.monotonic(), intent.symbol, self.holdings
        quote, positions = self.market.quote(symbol), dict(holdings.positions)
        orders = self._orders(now, own_client_id)
        in_force = self.permission.in_force(symbol)
        return Snapshot(
            intent=intent,
            gate=in_force.gate,
            restrictions=in_force.restrictions,
            limits=self.limits(),
            rules=self.rules.get(symbol),
            quote=quote,
            quote_age_seconds=_NEVER if quote is None else now - quote.received_at,
            account=holdings.account,
            account_age_seconds=now - holdings.account_received_at,
            positions=positions,
            open_orders=orders,
            marks=self._marks(symbol, positions, orders),
            orders_last_second=self.pace.orders.count(now),
            intents_last_minute=self.pace.intents.count(now),
            is_duplicate=is_duplicate,
            book_age_seconds=0.0 if quote is None or quote.book_heard_at is None else now - quote.book_heard_at,
        )

    def moment(self) -> Moment:
        return Moment(self.permission.version, self.limits(), self.clock.monotonic())

    def is_still(self, moment: Moment) -> bool:
        """Whether a look at the world would find what it found then: same gate, same limits, prices no older to speak of.

        Positions may have moved, by fills of orders that were counted as filled already.
        """
        return (
            self.permission.version == moment.permission_version
            and self.limits() is moment.limits
            and self.clock.monotonic() - moment.at <= SAME_MOMENT_SECONDS
        )

    def _orders(self, now: float, own_client_id: str) -> list[OrderView]:
        shown = self.holdings.open_orders
        flying = self.flight.besides(shown, now)
        if own_client_id:
            flying = [order for order in flying if order.client_order_id != own_client_id]
        return [*shown.values(), *flying]

    def _marks(self, symbol: str, positions: Mapping[str, PositionView], orders: list[OrderView]) -> dict[str, Decimal]:
        """Of the other symbols; each is asked for once."""
        marks: dict[str, Decimal] = {}
        for other in {*positions, *[order.symbol for order in orders]}:
            if other != symbol:
                quote = self.market.quote(other)
                if quote is not None and quote.mark is not None:
                    marks[other] = quote.mark
        return marks
