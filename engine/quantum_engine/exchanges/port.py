"""What the engine needs of an exchange.  Implementations: exchanges/binance_futures; tests prove a fake by the same contract suite.

Every method raises ThrottledError or RetryableError when surely nothing was done, UnknownOutcomeError when it may have been done,
PermanentError when it never will be.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from quantum_engine.domain import AccountView, Bar, Fill, OrderIntent, OrderView, PositionView, Quote, SymbolRules, Transferred
from quantum_engine.errors import PermanentError, UnknownOutcomeError


class VenueRefusedError(PermanentError):
    """The exchange understood and refused; ``code`` is its own word, ``check`` what to do or to look at."""

    def __init__(self, code: int, message: str, check: str = "") -> None:
        super().__init__(f"{message} (exchange code {code}){'; ' if check else ''}{check}")
        self.code = code
        self.message = message


class AccountRefusedError(VenueRefusedError):
    """The exchange refuses the account itself: nothing can be traded, or closed, until a person has put it right."""

    def __init__(self, code: int, message: str, check: str) -> None:
        super().__init__(code, f"the account cannot trade: {message}", check)


class DuplicateOrderIdError(UnknownOutcomeError):
    """An order with this client id is open: probably our own earlier attempt.  Ask before you act."""


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """The exchange says that an order changed; ``fill`` when the change is a trade."""

    order: OrderView
    fill: Fill | None


@dataclass(frozen=True, slots=True)
class TradeSeen:
    """Early notice of a fill, without its fee.  The same fill comes again with its OrderUpdate: count it once, by (symbol, trade_id)."""

    fill: Fill


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """The exchange says that balance or positions changed; only what changed is listed.  ``reason`` as the venue names it."""

    wallet_usdt: Decimal | None
    positions: tuple[PositionView, ...]
    reason: str
    time_ms: int
    balance_change_usdt: Decimal = Decimal(0)
    """Not from trading: deposit, withdrawal, funding."""


@dataclass(frozen=True, slots=True)
class StreamUp:
    """The user stream is connected.  It replays nothing: reconcile."""


@dataclass(frozen=True, slots=True)
class StreamDown:
    """The user stream is gone; what happens now is not seen."""

    reason: str


UserEvent = OrderUpdate | TradeSeen | AccountUpdate | StreamUp | StreamDown


def always() -> bool:
    """Nothing can withdraw it."""
    return True


class Exchange(Protocol):
    """One account at one venue."""

    async def symbol_rules(self) -> dict[str, SymbolRules]: ...
    async def account(self) -> AccountView: ...
    async def positions(self, *, is_exit: bool = True) -> list[PositionView]:
        """Non-zero positions only.  ``is_exit``: exits depend on it, so it is asked even while the venue throttles us."""
        ...

    async def open_orders(self, *, is_exit: bool = True) -> list[OrderView]:
        """Regular and conditional (algo) orders.  ``is_exit`` as for ``positions``."""
        ...

    async def regular_orders(self, symbol: str | None = None, *, is_exit: bool = True) -> list[OrderView]:
        """Of one symbol (far cheaper) or of all."""
        ...

    async def algo_orders(self, symbol: str | None = None, *, is_exit: bool = True) -> list[OrderView]:
        """Conditional orders, which a service of their own keeps: it may answer while the other does not."""
        ...

    async def place(self, intent: OrderIntent, client_order_id: str, may_leave: Callable[[], bool] = always) -> OrderView:
        """``may_leave`` is asked last, after any waiting for a connection and before bytes go; False raises RetryableError."""
        ...

    async def order(self, symbol: str, client_order_id: str) -> OrderView | None:
        """None when the exchange surely does not know it."""
        ...

    async def cancel(self, symbol: str, client_order_id: str) -> None: ...
    async def cancel_all(self, symbol: str) -> None:
        """Regular *and* conditional orders of the symbol; both are tried whatever becomes of the other."""
        ...

    async def cancel_order(self, order: OrderView) -> None:
        """One that was seen resting, by the exchange's own number.  One that is gone already is no error."""
        ...

    async def is_hedged(self) -> bool:
        """Whether the account may hold a long and a short position of one symbol at once."""
        ...

    async def arm_countdown(self, symbol: str, seconds: int) -> None:
        """The exchange itself cancels the symbol's regular orders after ``seconds`` unless told again before; 0 disarms."""
        ...

    async def fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Every fill of this time and later, oldest first."""
        ...

    async def fills_from(self, symbol: str, trade_id: int) -> list[Fill]:
        """Every fill of this number and later, oldest first."""
        ...

    async def transfers(self, since_ms: int) -> list[Transferred]:
        """Money that came into the account or went out, from then on, oldest first."""
        ...

    async def premium(self, symbol: str) -> Decimal:
        """Mark price, by request."""
        ...

    async def klines(self, symbol: str, bar_seconds: int, count: int) -> list[Bar]:
        """The last closed bars, oldest first; empty when the exchange keeps none of that length."""
        ...

    def venue_ms(self) -> int:
        """Now, on the exchange's clock."""
        ...

    def market_stream(self, symbols: frozenset[str]) -> AsyncIterator[Quote]:
        """Mark and book prices for ever; reconnects by itself, silence is for the caller to judge."""
        ...

    def user_stream(self) -> AsyncIterator[UserEvent]:
        """Order and account events for ever; reconnects by itself and says so by StreamUp and StreamDown."""
        ...

    async def close(self) -> None: ...
