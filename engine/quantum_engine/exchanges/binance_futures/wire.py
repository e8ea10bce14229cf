"""The venue's messages as they stand on the wire.  Pure data; fields that the engine does not read are left out."""

from decimal import Decimal
from typing import Any

import msgspec


class Failure(msgspec.Struct):
    code: int = 0
    msg: str = ""


class Order(msgspec.Struct, rename="camel"):
    symbol: str
    order_id: int
    client_order_id: str
    side: str
    status: str
    orig_qty: Decimal
    executed_qty: Decimal
    price: Decimal = Decimal(0)
    reduce_only: bool = False
    close_position: bool = False
    update_time: int = 0


class AlgoOrder(msgspec.Struct, rename="camel"):
    symbol: str
    algo_id: int
    client_algo_id: str
    side: str
    algo_status: str
    quantity: Decimal = Decimal(0)
    trigger_price: Decimal = Decimal(0)
    reduce_only: bool = False
    close_position: bool = False
    update_time: int = 0


class PositionRisk(msgspec.Struct, rename="camel"):
    symbol: str
    position_amt: Decimal
    entry_price: Decimal
    mark_price: Decimal
    update_time: int = 0


class Account(msgspec.Struct, rename="camel"):
    total_wallet_balance: Decimal
    total_unrealized_profit: Decimal
    available_balance: Decimal


class Trade(msgspec.Struct, rename="camel"):
    symbol: str
    id: int
    order_id: int
    side: str
    price: Decimal
    qty: Decimal
    commission: Decimal
    realized_pnl: Decimal
    time: int


class Premium(msgspec.Struct, rename="camel"):
    mark_price: Decimal


class ServerTime(msgspec.Struct, rename="camel"):
    server_time: int


class ListenKey(msgspec.Struct, rename="camel"):
    listen_key: str


class Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    filters: list[dict[str, Any]]


class ExchangeInfo(msgspec.Struct, rename="camel"):
    symbols: list[Symbol]


class Head(msgspec.Struct):
    """Enough of a stream event to know which it is."""

    e: str = ""


class Wrapped(msgspec.Struct):
    """A combined stream's envelope."""

    data: msgspec.Raw = msgspec.Raw(b"{}")


class MarkPrice(msgspec.Struct):
    s: str
    p: Decimal


class BookTicker(msgspec.Struct):
    s: str
    b: Decimal
    a: Decimal


class StreamOrder(msgspec.Struct):
    """``o`` of ORDER_TRADE_UPDATE."""

    symbol: str = msgspec.field(name="s")
    client_order_id: str = msgspec.field(name="c")
    side: str = msgspec.field(name="S")
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


class OrderTradeUpdate(msgspec.Struct):
    o: StreamOrder


class TradeLite(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    client_order_id: str = msgspec.field(name="c")
    side: str = msgspec.field(name="S")
    last_price: Decimal = msgspec.field(name="L")
    last_quantity: Decimal = msgspec.field(name="l")
    trade_id: int = msgspec.field(name="t")
    order_id: int = msgspec.field(name="i")
    time_ms: int = msgspec.field(name="T")


class StreamBalance(msgspec.Struct):
    asset: str = msgspec.field(name="a")
    wallet: Decimal = msgspec.field(name="wb")
    change: Decimal = msgspec.field(name="bc", default=Decimal(0))


class StreamPosition(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    amount: Decimal = msgspec.field(name="pa")
    entry_price: Decimal = msgspec.field(name="ep")


class StreamAccount(msgspec.Struct):
    """``a`` of ACCOUNT_UPDATE."""

    reason: str = msgspec.field(name="m")
    balances: list[StreamBalance] = msgspec.field(name="B", default_factory=list)
    positions: list[StreamPosition] = msgspec.field(name="P", default_factory=list)


class AccountUpdate(msgspec.Struct):
    time_ms: int = msgspec.field(name="T")
    account: StreamAccount = msgspec.field(name="a")


class StreamAlgo(msgspec.Struct):
    """``o`` of ALGO_UPDATE."""

    client_id: str = msgspec.field(name="caid")
    algo_id: int = msgspec.field(name="aid")
    symbol: str = msgspec.field(name="s")
    side: str = msgspec.field(name="S")
    status: str = msgspec.field(name="X")
    quantity: Decimal = msgspec.field(name="q", default=Decimal(0))
    trigger_price: Decimal = msgspec.field(name="tp", default=Decimal(0))
    reduce_only: bool = msgspec.field(name="R", default=False)
    close_position: bool = msgspec.field(name="cp", default=False)


class AlgoUpdate(msgspec.Struct):
    time_ms: int = msgspec.field(name="T")
    o: StreamAlgo
