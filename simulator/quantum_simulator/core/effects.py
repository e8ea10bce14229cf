"""What the venue tells the world after a command.  Pure data.

In    -
Out   one value per thing that happened; what may still change on the order is copied
Flow  place, cancel, settlement, liquidation, triggers -> HERE -> streams.render, order log
Why   the core never sends: it returns what must be sent, so that a test can read it
"""

from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core.algo_orders import AlgoOrder
from quantum_simulator.core.orders import Fill, Order, OrderStatus, PositionSide
from quantum_simulator.decimals import ZERO


class OrderEffect(NamedTuple):
    order: Order
    execution: str
    status: OrderStatus
    filled: Decimal
    average_price: Decimal
    fill: Fill | None
    at_ms: int
    reason: str = "0"
    """Binance's expiry reason: "0" none, "4" knocked out reduce-only."""


class PositionView(NamedTuple):
    symbol: str
    amount: Decimal
    entry_price: Decimal
    realised: Decimal
    unrealised: Decimal
    break_even_price: Decimal
    side: PositionSide


class AccountEffect(NamedTuple):
    account: str
    reason: str
    wallet: Decimal
    change: Decimal
    positions: tuple[PositionView, ...]
    at_ms: int


class TradeEffect(NamedTuple):
    symbol: str
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool
    at_ms: int


class AlgoEffect(NamedTuple):
    algo: AlgoOrder
    status: str
    at_ms: int
    reason: str = ""
    filled: Decimal = ZERO
    average_price: Decimal = ZERO


class LeverageEffect(NamedTuple):
    account: str
    symbol: str
    leverage: int
    at_ms: int


Effect = OrderEffect | AccountEffect | TradeEffect | AlgoEffect | LeverageEffect
