"""Orders that may be live but that the books do not show yet.  Pure; times are handed in.

Flow  service -> HERE -> gate (they count as resting)
Why   between our answer and the stream's event lies a moment in which an order is neither in flight nor in the books; forgetting it there
      lets a second order pass the limit
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quantum_engine.domain import OrderView

FORGOTTEN_SECONDS = 90.0
"""Long past three comparisons with the exchange: what is not in the books by now is not there."""


@dataclass(slots=True)
class Flight:
    """By client order id."""

    _orders: dict[str, OrderView] = field(default_factory=dict)
    _answered_at: dict[str, float] = field(default_factory=dict)

    def left(self, order: OrderView) -> None:
        self._orders[order.client_order_id] = order

    def answered(self, client_id: str, now: float) -> None:
        """The exchange has it; the stream will say more."""
        if client_id in self._orders:
            self._answered_at[client_id] = now

    def landed(self, client_id: str) -> None:
        """The books show it, or it is surely not live."""
        self._orders.pop(client_id, None)
        self._answered_at.pop(client_id, None)

    def besides(self, shown: Mapping[str, OrderView], now: float) -> list[OrderView]:
        for client_id, at in list(self._answered_at.items()):
            if now - at > FORGOTTEN_SECONDS:
                self.landed(client_id)
        return [order for client_id, order in self._orders.items() if client_id not in shown]
