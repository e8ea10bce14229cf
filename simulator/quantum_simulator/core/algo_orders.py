"""A conditional order of the algo service, and when it is hit.  Pure.

In    what a client asked; what the watched price did since the last look
Out   ``AlgoOrder``: its own id space (``algoId``), no place in the book before its trigger
Flow  endpoints -> HERE -> triggers -> an ordinary MARKET or LIMIT order
Why   since 2025-12-09 conditional orders live apart: "cancel all open orders" does not touch them
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from quantum_simulator.core.orders import CLOSING_SIDES, PositionSide, Side, TimeInForce
from quantum_simulator.decimals import ZERO

AlgoType = Literal["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
AlgoStatus = Literal["NEW", "TRIGGERING", "TRIGGERED", "FINISHED", "CANCELED", "REJECTED", "EXPIRED"]
WorkingType = Literal["MARK_PRICE", "CONTRACT_PRICE"]
STOPS: frozenset[str] = frozenset({"STOP", "STOP_MARKET"})
LIMITS: frozenset[str] = frozenset({"STOP", "TAKE_PROFIT"})
CLOSING: frozenset[str] = frozenset({"STOP_MARKET", "TAKE_PROFIT_MARKET"})
"""Types that may close whatever is held (``closePosition``)."""


class Watched(NamedTuple):
    """A price now, and how far it went since the last look."""

    price: Decimal
    low: Decimal
    high: Decimal


class AlgoRequest(NamedTuple):
    symbol: str
    side: Side
    type: AlgoType
    quantity: Decimal
    trigger_price: Decimal
    reduce_only: bool = False
    close_position: bool = False
    client_id: str = ""
    working_type: WorkingType = "CONTRACT_PRICE"
    position_side: PositionSide = "BOTH"
    price: Decimal = ZERO
    time_in_force: TimeInForce = "GTC"
    callback_rate: Decimal = ZERO
    """Percent that the price must come back from its extreme (trailing stop)."""
    activate_price: Decimal = ZERO
    """Where a trailing stop begins to trail; 0: at once."""

    @property
    def only_closes(self) -> bool:
        return self.reduce_only or self.close_position or (self.position_side, self.side) in CLOSING_SIDES


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
    working_type: WorkingType
    created_ms: int
    position_side: PositionSide = "BOTH"
    price: Decimal = ZERO
    time_in_force: TimeInForce = "GTC"
    callback_rate: Decimal = ZERO
    activate_price: Decimal = ZERO
    extreme: Decimal | None = None
    """Best price since a trailing stop began to trail."""
    status: AlgoStatus = "NEW"
    updated_ms: int = 0
    triggered_ms: int = 0
    order_id: int = 0

    def is_hit(self, seen: Watched) -> bool:
        """A stop follows the market away from the position, a take-profit waits for it to come."""
        if self.type == "TRAILING_STOP_MARKET":
            return self._trails_into(seen)
        rises = (self.side == "BUY") == (self.type in STOPS)
        return seen.high >= self.trigger_price if rises else seen.low <= self.trigger_price

    def _trails_into(self, seen: Watched) -> bool:
        """Remember the extreme; hit when the price has come back from it by the callback rate."""
        buys, share = self.side == "BUY", self.callback_rate / 100
        reached = seen.low if buys else seen.high
        if self.extreme is None:
            if self.activate_price and (reached > self.activate_price if buys else reached < self.activate_price):
                return False
            self.extreme = reached
        self.extreme = min(self.extreme, reached) if buys else max(self.extreme, reached)
        return seen.price >= self.extreme * (1 + share) if buys else seen.price <= self.extreme * (1 - share)
