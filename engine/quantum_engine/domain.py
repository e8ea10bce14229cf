"""The words that stages share: sides, orders, fills, positions, balances, prices.  Pure.

Quantities and prices are Decimal in the symbol's own units, money is Decimal USDT, times are Unix milliseconds unless the name says
otherwise.  A position's quantity is signed: long above zero, short below.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class PositionSide(StrEnum):
    """Which of a symbol's positions: an account in hedge mode holds a long and a short one at once."""

    BOTH = "BOTH"
    """One-way mode: there is one, signed."""
    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def closed_by(self) -> Side | None:
        """The only side of an order that can shrink it; None when that depends on the position's sign."""
        return {PositionSide.LONG: Side.SELL, PositionSide.SHORT: Side.BUY}.get(self)


def position_key(symbol: str, side: PositionSide) -> str:
    """The symbol alone in one-way mode; in hedge mode "BTCUSDT:LONG" and "BTCUSDT:SHORT" stand beside each other."""
    return symbol if side is PositionSide.BOTH else f"{symbol}:{side.value}"


def symbol_of(key: str) -> str:
    return key.partition(":")[0]


def side_of(key: str) -> PositionSide:
    return PositionSide(key.partition(":")[2] or PositionSide.BOTH)


class Purpose(StrEnum):
    """Why the engine sends an order; exits pass every gate."""

    ENTRY = "ENTRY"
    """Strategy or another program: judged by the whole gate chain."""
    REDUCE = "REDUCE"
    """Strategy's own exit: reduce-only."""
    EMERGENCY_EXIT = "EMERGENCY_EXIT"
    """The emergency stop's closing order: reduce-only, passes EXIT_ONLY."""


class OrderStatus(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def is_open(self) -> bool:
        return self in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """What a stage wants done, once.  ``price`` None = market order."""

    id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    reduce_only: bool = False
    purpose: Purpose = Purpose.ENTRY
    time_in_force: str = "GTC"
    reason: str = ""
    position_side: PositionSide = PositionSide.BOTH
    """LONG or SHORT only for orders that shrink that position of an account in hedge mode."""
    stamp: str = ""
    """Which program, strategy and model asked; empty = the engine's own."""

    def __post_init__(self) -> None:
        """There the venue takes no reduce-only flag: side and position side alone keep such an order from opening anything."""
        if self.position_side is not PositionSide.BOTH and not (self.reduce_only and self.side is self.position_side.closed_by):
            raise ValueError(f"{self.side} {self.position_side}: with a position side an order may only shrink that position")


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as the exchange last said."""

    symbol: str
    order_id: int
    client_order_id: str
    side: Side
    status: OrderStatus
    quantity: Decimal
    executed: Decimal
    price: Decimal
    reduce_only: bool
    update_time_ms: int
    is_algo: bool = False

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.executed


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade.  Identity is (symbol, trade_id): the venue reports the same fill on several channels."""

    symbol: str
    trade_id: int
    order_id: int
    client_order_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    commission_usdt: Decimal
    realised_usdt: Decimal
    time_ms: int
    position_side: PositionSide = PositionSide.BOTH


@dataclass(frozen=True, slots=True)
class PositionView:
    symbol: str
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal | None = None
    update_time_ms: int = 0
    """When the exchange last changed it, on its clock; 0 = not said."""
    position_side: PositionSide = PositionSide.BOTH

    @property
    def key(self) -> str:
        return position_key(self.symbol, self.position_side)


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices of one closed interval that began at ``open_time_ms``."""

    open_time_ms: int
    open: float
    high: float
    low: float
    close: float


@dataclass(frozen=True, slots=True)
class AccountView:
    """Balances as the exchange last said.  Equity = wallet + unrealised."""

    wallet_usdt: Decimal
    unrealised_usdt: Decimal
    available_usdt: Decimal
    as_of_ms: int

    @property
    def equity_usdt(self) -> Decimal:
        return self.wallet_usdt + self.unrealised_usdt


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """exchangeInfo of one symbol."""

    symbol: str
    trading: bool
    tick_size: Decimal
    step_size: Decimal
    market_step_size: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    market_max_quantity: Decimal
    min_notional_usdt: Decimal
    percent_up: Decimal = Decimal(0)
    """A buy's limit may be at most this multiple of the mark; 0 = no such rule."""
    percent_down: Decimal = Decimal(0)
    """A sale's limit must be at least this multiple of the mark; 0 = no such rule."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Newest prices of one symbol; ``received_at`` is the engine's own monotonic clock, in seconds."""

    symbol: str
    mark: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    received_at: float
    book_heard_at: float | None = None
    """When the stream of book tops last said anything, of any symbol: one book may be quiet, a stream is not.  None = as the quote."""


@dataclass(frozen=True, slots=True)
class EquityRead:
    """Equity after a balance, position or mark-price event.  ``received_at`` is monotonic, in seconds."""

    equity_usdt: Decimal
    as_of_ms: int
    received_at: float


@dataclass(frozen=True, slots=True)
class EquityLost:
    """Equity is not known: unknown is not "no loss"."""

    reason: str
    received_at: float


@dataclass(frozen=True, slots=True)
class Transferred:
    """Money came in (above zero) or went out; the peak moves with it, the drawdown does not."""

    amount_usdt: Decimal
    time_ms: int
    is_asked: bool = False
    """Found by asking; else told by the user stream."""


EquityEvent = EquityRead | EquityLost | Transferred
