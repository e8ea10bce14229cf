"""What to do at the close of a bar.  Pure.

In    direction of the averages, the position, whether orders are on their way, time since the last entry
Out   nothing, close what is held, or open
Flow  trend -> HERE -> sizing -> execution
Why   against an opposite signal the position is closed first and the new one opened at a later bar: two small certain steps instead of one
      order that crosses flat
"""

from dataclasses import dataclass
from decimal import Decimal

from quantum_engine.domain import Side


@dataclass(frozen=True, slots=True)
class Close:
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Open:
    side: Side


Action = Close | Open | None


def decide(direction: int, held: Decimal, *, has_orders: bool, is_cooling_down: bool) -> Action:
    if not direction or has_orders:
        return None
    side = Side.BUY if direction > 0 else Side.SELL
    if held * direction < 0:
        return Close(side, abs(held))
    if held or is_cooling_down:
        return None
    return Open(side)
