"""The venue's messages as they stand on the wire.  Pure data; fields that the engine does not read are left out.

Why   a NaN compares with nothing and an absurd number overflows: one of them in a mark or a balance would end the stage that reads it
"""

from decimal import Decimal
from typing import Any, Final, get_args, get_type_hints

import msgspec

from quantum_engine.domain import PositionSide, Side

_MOST_DIGITS: Final = 24
"""Before or behind the point: far beyond any price, quantity or balance."""


def believable(number: Decimal) -> Decimal:
    """Raises ValueError for what is no number, or none that a market could show."""
    if not number.is_finite() or (number and abs(number.adjusted()) > _MOST_DIGITS):
        raise ValueError(f"{number} is not believable")
    return number


_numbers: dict[type, tuple[str, ...]] = {}


def _numbers_of(kind: type) -> tuple[str, ...]:
    """Names of its fields that may hold a Decimal, found once for each type."""
    hints = get_type_hints(kind)
    _numbers[kind] = found = tuple(name for name, hint in hints.items() if hint is Decimal or Decimal in get_args(hint))
    return found


class Message(msgspec.Struct):
    """Every number in it is believable, or it is not read."""

    def __post_init__(self) -> None:
        kind = type(self)
        for name in _numbers.get(kind) or _numbers_of(kind):
            value = getattr(self, name)
            if value is not None:
                believable(value)


class Failure(msgspec.Struct):
    code: int = 0
    msg: str = ""


class Order(Message, rename="camel"):
    symbol: str
    order_id: int
    client_order_id: str
    side: Side
    status: str
    orig_qty: Decimal
    executed_qty: Decimal
    price: Decimal = Decimal(0)
    reduce_only: bool = False
    close_position: bool = False
    update_time: int = 0


class AlgoOrder(Message, rename="camel"):
    symbol: str
    algo_id: int
    client_algo_id: str
    side: Side
    algo_status: str
    quantity: Decimal = Decimal(0)
    trigger_price: Decimal = Decimal(0)
    reduce_only: bool = False
    close_position: bool = False
    update_time: int = 0


class PositionRisk(Message, rename="camel"):
    symbol: str
    position_amt: Decimal
    entry_price: Decimal
    mark_price: Decimal
    update_time: int = 0
    position_side: PositionSide = PositionSide.BOTH


class Account(Message, rename="camel"):
    total_wallet_balance: Decimal
    total_unrealized_profit: Decimal
    available_balance: Decimal


class Trade(Message, rename="camel"):
    symbol: str
    id: int
    order_id: int
    side: Side
    price: Decimal
    qty: Decimal
    commission: Decimal
    realized_pnl: Decimal
    time: int
    position_side: PositionSide = PositionSide.BOTH


class PositionMode(Message, rename="camel"):
    dual_side_position: bool


class Income(Message, rename="camel"):
    income: Decimal
    asset: str
    time: int
    tran_id: int


class Premium(Message, rename="camel"):
    mark_price: Decimal


class ServerTime(Message, rename="camel"):
    server_time: int


class ListenKey(Message, rename="camel"):
    listen_key: str


class Symbol(Message, rename="camel"):
    symbol: str
    status: str
    filters: list[dict[str, Any]]


class RateLimit(Message, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class ExchangeInfo(Message, rename="camel"):
    symbols: list[Symbol]
    rate_limits: list[RateLimit] = []


class Head(msgspec.Struct):
    """Enough of a stream event to know which it is."""

    e: str = ""


class Wrapped(msgspec.Struct):
    """A combined stream's envelope."""

    data: msgspec.Raw = msgspec.Raw(b"{}")


class MarkPrice(Message):
    s: str
    p: Decimal


class BookTicker(Message):
    s: str
    b: Decimal
    a: Decimal


class StreamOrder(Message):
    """``o`` of ORDER_TRADE_UPDATE."""

    symbol: str = msgspec.field(name="s")
    client_order_id: str = msgspec.field(name="c")
    side: Side = msgspec.field(name="S")
    quantity: Decimal = msgspec.field(name="q")
    price: Decimal = msgspec.field(name="p")
    execution: str = msgspec.field(name="x")
    status: str = msgspec.field(name="X")
    order_id: int = msgspec.field(name="i")
    last_quantity: Decimal = msgspec.field(name="l")
    executed: Decimal = msgspec.field(name="z")
    last_price: Decimal = msgspec.field(name="L")
    trade_id: int = msgspec.field(name="t")
    time_ms: int = msgspec.field(name="T")
    reduce_only: bool = msgspec.field(name="R", default=False)
    close_position: bool = msgspec.field(name="cp", default=False)
    commission: Decimal | None = msgspec.field(name="n", default=None)
    realised: Decimal = msgspec.field(name="rp", default=Decimal(0))
    position_side: PositionSide = msgspec.field(name="ps", default=PositionSide.BOTH)


class OrderTradeUpdate(Message):
    o: StreamOrder


class TradeLite(Message):
    symbol: str = msgspec.field(name="s")
    client_order_id: str = msgspec.field(name="c")
    side: Side = msgspec.field(name="S")
    last_price: Decimal = msgspec.field(name="L")
    last_quantity: Decimal = msgspec.field(name="l")
    trade_id: int = msgspec.field(name="t")
    order_id: int = msgspec.field(name="i")
    time_ms: int = msgspec.field(name="T")


class StreamBalance(Message):
    asset: str = msgspec.field(name="a")
    wallet: Decimal = msgspec.field(name="wb")
    change: Decimal = msgspec.field(name="bc", default=Decimal(0))


class StreamPosition(Message):
    symbol: str = msgspec.field(name="s")
    amount: Decimal = msgspec.field(name="pa")
    entry_price: Decimal = msgspec.field(name="ep")
    position_side: PositionSide = msgspec.field(name="ps", default=PositionSide.BOTH)


class StreamAccount(Message):
    """``a`` of ACCOUNT_UPDATE."""

    reason: str = msgspec.field(name="m")
    balances: list[StreamBalance] = msgspec.field(name="B", default_factory=list)
    positions: list[StreamPosition] = msgspec.field(name="P", default_factory=list)


class AccountUpdate(Message):
    time_ms: int = msgspec.field(name="T")
    account: StreamAccount = msgspec.field(name="a")


class StreamAlgo(Message):
    """``o`` of ALGO_UPDATE."""

    client_id: str = msgspec.field(name="caid")
    algo_id: int = msgspec.field(name="aid")
    symbol: str = msgspec.field(name="s")
    side: Side = msgspec.field(name="S")
    status: str = msgspec.field(name="X")
    quantity: Decimal = msgspec.field(name="q", default=Decimal(0))
    trigger_price: Decimal = msgspec.field(name="tp", default=Decimal(0))
    reduce_only: bool = msgspec.field(name="R", default=False)
    close_position: bool = msgspec.field(name="cp", default=False)


class AlgoUpdate(Message):
    time_ms: int = msgspec.field(name="T")
    o: StreamAlgo
