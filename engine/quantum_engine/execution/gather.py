"""Freezes the world around one intent for the gate.  Reads memory only, never waits."""

from collections.abc import Callable
from dataclasses import dataclass, field

from quantum_api.trading_policy import Limits
from quantum_engine.clock import Clock
from quantum_engine.domain import OrderIntent, OrderView, SymbolRules
from quantum_engine.execution.flight import Flight
from quantum_engine.execution.pace import Pace
from quantum_engine.execution.ports import Holdings, Quotes
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.permission import Permission


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
        now, symbol = self.clock.monotonic(), intent.symbol
        quote, account, positions = self.market.quote(symbol), self.holdings.account, self.holdings.positions
        orders = self._orders(now, own_client_id)
        others = (positions.keys() | {order.symbol for order in orders}) - {symbol}
        quotes = {other: self.market.quote(other) for other in others}
        return Snapshot(
            intent=intent,
            gate=self.permission.gate_for(symbol),
            restrictions=tuple(r for r in self.permission.restrictions if not r.symbols or symbol in r.symbols),
            limits=self.limits(),
            rules=self.rules.get(symbol),
            quote=quote,
            quote_age_seconds=float("inf") if quote is None else now - quote.received_at,
            account=account,
            account_age_seconds=now - self.holdings.account_received_at,
            positions=dict(positions),
            open_orders=orders,
            marks={other: q.mark for other, q in quotes.items() if q is not None and q.mark is not None},
            orders_last_second=self.pace.orders.count(now),
            intents_last_minute=self.pace.intents.count(now),
            is_duplicate=is_duplicate,
        )

    def _orders(self, now: float, own_client_id: str) -> list[OrderView]:
        shown = self.holdings.open_orders
        flying = self.flight.besides(shown, now)
        return [*shown.values(), *(order for order in flying if order.client_order_id != own_client_id)]
