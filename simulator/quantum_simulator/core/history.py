"""What the venue still tells about the past.  Pure.

In    an order or a conditional one, the time
Out   whether a query still finds it
Flow  query endpoints -> HERE
Why   an engine that was away for days asks for an order and hears -2013, which is not "it never was"
"""

from quantum_simulator.core.algo_orders import AlgoOrder
from quantum_simulator.core.orders import Order

DAY_MS = 86_400_000
UNFILLED_MS = 3 * DAY_MS
ALL_MS = 90 * DAY_MS
WINDOW_MS = 7 * DAY_MS
"""Longest span, and the default one, of a list query."""
ENDED = frozenset({"CANCELED", "EXPIRED"})


def is_told(order: Order, now_ms: int) -> bool:
    """Canceled and expired orders without fills are told for 3 days after their creation, all others for 90."""
    life_ms = UNFILLED_MS if order.status in ENDED and not order.filled else ALL_MS
    return order.is_open or now_ms <= order.created_ms + life_ms


def is_algo_told(algo: AlgoOrder, now_ms: int) -> bool:
    life_ms = UNFILLED_MS if algo.status in ENDED else ALL_MS
    return algo.status == "NEW" or now_ms <= algo.created_ms + life_ms
