"""One order and one fill as the venue keeps them.  Pure data.

In    what a client asked (``OrderRequest``)
Out   ``Order`` (mutable: status and filled amounts move), ``Fill`` (frozen)
Flow  endpoints -> HERE -> place, matching, settlement -> render
Why   plain slotted classes: thousands of orders a second leave no room for validation here
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

from quantum_simulator.decimals import ZERO

Side = Literal["BUY", "SELL"]
OrderType = Literal["LIMIT", "MARKET"]
PositionSide = Literal["BOTH", "LONG", "SHORT"]
TimeInForce = Literal["GTC", "IOC", "FOK", "GTX"]
OrderStatus = Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"]

OPEN: frozenset[str] = frozenset({"NEW", "PARTIALLY_FILLED"})
CLOSING_SIDES: frozenset[tuple[str, str]] = frozenset({("LONG", "SELL"), ("SHORT", "BUY")})
"""Hedge mode: what closes a position, without being asked to reduce only."""


class OrderRequest(NamedTuple):
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal = ZERO
    time_in_force: TimeInForce = "GTC"
    reduce_only: bool = False
    client_id: str = ""
    close_position: bool = False
    """Set only by a triggered algo order: sized to whatever is held, refused by nothing but flatness."""
    original_type: str = ""
    working_type: str = "CONTRACT_PRICE"
    position_side: PositionSide = "BOTH"

    @property
    def only_closes(self) -> bool:
        return self.reduce_only or self.close_position or (self.position_side, self.side) in CLOSING_SIDES


@dataclass(slots=True, eq=False)
class Order:
    id: int
    client_id: str
    account: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    price: Decimal
    reduce_only: bool
    created_ms: int
    close_position: bool = False
    original_type: str = ""
    working_type: str = "CONTRACT_PRICE"
    algo_id: int = 0
    """The conditional order that it was."""
    is_forced: bool = False
    """Sent by the venue itself: liquidation or auto-deleveraging."""
    position_side: PositionSide = "BOTH"
    status: OrderStatus = "NEW"
    filled: Decimal = ZERO
    filled_notional: Decimal = ZERO
    updated_ms: int = 0
    amendments: int = 0
    place: int = 0
    """Age in the queue of its price: the id, or what an amendment drew."""
    buys: bool = field(init=False)

    def __post_init__(self) -> None:
        self.buys = self.side == "BUY"
        self.updated_ms = self.created_ms
        self.place = self.place or self.id
        self.original_type = self.original_type or self.type

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def average_price(self) -> Decimal:
        return self.filled_notional / self.filled if self.filled else ZERO


class Fill(NamedTuple):
    trade_id: int
    order_id: int
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    realised: Decimal
    maker: bool
    at_ms: int
    position_side: PositionSide = "BOTH"
