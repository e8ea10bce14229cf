"""Everything the gate may look at, frozen at one moment.  Pure.

Flow  execution gathers -> HERE -> chain
Why   a check that asks a live object could see two different worlds in one decision
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from quantum_api.gate import Gate
from quantum_api.trading_policy import Limits
from quantum_engine.domain import AccountView, OrderIntent, OrderView, PositionView, Purpose, Quote, Side, SymbolRules
from quantum_engine.permission import Restriction

_UNKNOWN: Final = Decimal(0)
SMALLEST, LARGEST = Decimal("1E-15"), Decimal("1E+15")
"""Products of two, and remainders, stay where arithmetic is sure to have an answer."""


class Snapshot(msgspec.Struct, frozen=True):
    """One intent and the world it would enter.  Ages and rates are already measured, so the chain reads no clock.

    A struct and not a dataclass: one is made for each look at an order, and a frozen dataclass takes six times as long to make.
    """

    intent: OrderIntent
    gate: Gate
    restrictions: tuple[Restriction, ...]
    """Those that hold for the intent's symbol, strongest first."""
    limits: Limits | None
    rules: SymbolRules | None
    quote: Quote | None
    quote_age_seconds: float
    account: AccountView | None
    account_age_seconds: float
    positions: Mapping[str, PositionView] = {}
    open_orders: Collection[OrderView] = ()
    """Resting orders, and those on their way whose outcome is not yet known."""
    marks: Mapping[str, Decimal] = {}
    """Of the other symbols that are held or have orders."""
    orders_last_second: int = 0
    intents_last_minute: int = 0
    is_duplicate: bool = False
    book_age_seconds: float = 0.0
    """Since the stream of book tops last said anything."""
    price: Decimal = _UNKNOWN
    """What the order would trade at; 0 when no price is known.  Always worked out from intent and quote, whatever is handed in."""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "price", reference_price(self.intent, self.quote))

    @property
    def is_exit(self) -> bool:
        """By the flag that the exchange enforces, not by what the sender calls it: only such an order passes limits and rates."""
        return self.intent.reduce_only

    @property
    def is_emergency_exit(self) -> bool:
        return self.intent.reduce_only and self.intent.purpose is Purpose.EMERGENCY_EXIT


def reference_price(intent: OrderIntent, quote: Quote | None) -> Decimal:
    """The limit, or for a market order (and a sale whose limit crosses) the book's other side, else the mark.

    Total: what is no price is compared with nothing, because a NaN raises there.  That it is one is checked by the chain.
    """
    if quote is None:
        return _UNKNOWN
    buys = intent.side is Side.BUY
    book = quote.ask if buys else quote.bid
    touch = quote.mark if book is None else book
    limit = intent.price
    if limit is None or touch is None:
        return limit or touch or _UNKNOWN
    return max(limit, touch) if not buys and is_amount(limit) and is_amount(touch) else limit


def is_amount(number: Decimal) -> bool:
    """A price or quantity that a market could show: finite, above zero, and no monster that arithmetic trips over.  A NaN is asked once."""
    return number.is_finite() and SMALLEST <= number <= LARGEST
