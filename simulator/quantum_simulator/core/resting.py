"""Resting limit orders of accounts, in price-time priority.  Pure.

In    orders that did not fill at once
Out   the best of a side; removal in logarithmic time
Flow  place -> HERE <- matching, cancel
Why   two sorted lists: small, exact, and the priority is visible in the key
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from quantum_simulator.core.orders import Order

Key = tuple[Decimal, int]


def _key(order: Order) -> Key:
    return (-order.price if order.buys else order.price, order.place)


@dataclass(slots=True)
class RestingBook:
    bids: list[Key] = field(default_factory=list)
    asks: list[Key] = field(default_factory=list)
    orders: dict[int, Order] = field(default_factory=dict)
    """By their place in the queue."""

    def add(self, order: Order) -> None:
        insort(self.bids if order.buys else self.asks, _key(order))
        self.orders[order.place] = order

    def remove(self, order: Order) -> None:
        if self.orders.pop(order.place, None) is None:
            return
        keys = self.bids if order.buys else self.asks
        del keys[bisect_left(keys, _key(order))]

    def best(self, bids: bool) -> Order | None:
        keys = self.bids if bids else self.asks
        return self.orders[keys[0][1]] if keys else None

    def side(self, bids: bool) -> Iterator[Order]:
        """Best first, as it stands now; what is removed while reading is skipped."""
        return (self.orders[place] for _, place in tuple(self.bids if bids else self.asks) if place in self.orders)
