"""How far equity has fallen from its peak, in whole basis points.  Pure.

In    peak and equity, Decimal USDT
Out   basis points of the peak, rounded down
Flow  equity event -> HERE -> breaker
Why   rounded down, ``bps >= limit`` is true exactly when the unrounded fall has reached the limit
"""

from decimal import ROUND_FLOOR, Decimal
from typing import Final

WHOLE_BPS: Final = 10_000
MOST_BPS: Final = 1_000_000
"""A hundred times the peak: beyond it the number says nothing more, and could be too long to write down."""


def drawdown_bps(peak_usdt: Decimal, equity_usdt: Decimal) -> int:
    """0 at or above the peak; everything is lost when there is no peak to measure from and equity is below zero."""
    if equity_usdt >= peak_usdt:
        return 0
    if peak_usdt <= 0:
        return WHOLE_BPS
    if peak_usdt - equity_usdt >= peak_usdt * (MOST_BPS // WHOLE_BPS):
        return MOST_BPS
    return int(((peak_usdt - equity_usdt) * WHOLE_BPS / peak_usdt).to_integral_value(ROUND_FLOOR))
