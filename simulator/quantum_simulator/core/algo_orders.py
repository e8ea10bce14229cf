"""A conditional order of the algo service.  Pure data.

In    what a client asked
Out   ``AlgoOrder``: its own id space (``algoId``), no place in the book before its trigger
Flow  endpoints -> HERE -> triggers -> an ordinary MARKET order
Why   since 2025-12-09 conditional orders live apart: "cancel all open orders" does not touch them
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from quantum_simulator.core.orders import PositionSide, Side

AlgoType = Literal["STOP_MARKET", "TAKE_PROFIT_MARKET"]
AlgoStatus = Literal["NEW", "TRIGGERING", "TRIGGERED", "FINISHED", "CANCELED", "REJECTED", "EXPIRED"]


@dataclass(slots=True, eq=False)
class AlgoOrder:
    id: int
    client_id: str
    account: str
    symbol: str
    side: Side
    type: AlgoType
    quantity: Decimal
    trigger_price: Decimal
    reduce_only: bool
    close_position: bool
    working_type: str
    created_ms: int
    position_side: PositionSide = "BOTH"
    status: AlgoStatus = "NEW"
    updated_ms: int = 0
    triggered_ms: int = 0
    order_id: int = 0

    def is_hit(self, mark: Decimal) -> bool:
        """A stop follows the market away from the position, a take-profit waits for it to come."""
        rises = (self.side == "BUY") == (self.type == "STOP_MARKET")
        return mark >= self.trigger_price if rises else mark <= self.trigger_price
