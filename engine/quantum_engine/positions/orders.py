"""Which orders rest, from updates and whole lists, in any order.  Pure.

Flow  user stream, reconciliation -> HERE -> book
Why   an order that has ended stays ended: a list that was read before its end must not bring it back
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from quantum_engine.domain import OrderView

REMEMBERED_ENDS = 5_000
OrderKey = tuple[str, bool, int]


def _key(order: OrderView) -> OrderKey:
    return (order.symbol, order.is_algo, order.order_id)


@dataclass(slots=True)
class OpenOrders:
    """By client order id.  A triggered algo order and the order it became bear the same client id but different numbers."""

    open: dict[str, OrderView] = field(default_factory=dict)
    _ended: OrderedDict[OrderKey, None] = field(default_factory=OrderedDict)

    def see(self, order: OrderView) -> None:
        known = self.open.get(order.client_order_id)
        if not order.status.is_open:
            self._end(order)
            if known is not None and _key(known) == _key(order):
                del self.open[order.client_order_id]
        elif _key(order) not in self._ended and (known is None or _is_newer(order, known)):
            self.open[order.client_order_id] = order

    def replace(self, listed: Iterable[OrderView], read_ms: int, scope: frozenset[str] | None = None) -> None:
        """What is not listed has ended, unless it changed after the list was asked for, or was not asked about."""
        there = list(listed)
        names = {_key(order) for order in there}
        for known in list(self.open.values()):
            was_asked = scope is None or known.symbol in scope
            if was_asked and _key(known) not in names and known.update_time_ms < read_ms:
                del self.open[known.client_order_id]
        for order in there:
            self.see(order)

    def _end(self, order: OrderView) -> None:
        self._ended[_key(order)] = None
        if len(self._ended) > REMEMBERED_ENDS:
            self._ended.popitem(last=False)


def _is_newer(order: OrderView, known: OrderView) -> bool:
    if _key(order) != _key(known):
        return order.update_time_ms >= known.update_time_ms
    return (order.executed, order.update_time_ms) >= (known.executed, known.update_time_ms)
