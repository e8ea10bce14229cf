"""What the account is worth.  Pure.

In    wallet, position lines, the newest quotes and their ages
Out   equity in USDT, or the reason why it is not known
Flow  book, market -> HERE -> risk (drawdown)
Why   a held position without a fresh mark has an unknown value, and unknown is not "no loss"
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from quantum_engine.domain import AccountView, EquityEvent, EquityLost, EquityRead, Quote, symbol_of
from quantum_engine.positions.book import PositionBook
from quantum_engine.positions.line import PositionLine

MARK_FRESH_SECONDS: Final = 10.0


def unrealised_usdt(lines: Mapping[str, PositionLine], quote: Callable[[str], Quote | None], now: float) -> Decimal | str:
    """The sum, or the sentence that says which mark is missing."""
    total = Decimal(0)
    for key, line in lines.items():
        if not line.quantity:
            continue
        symbol = symbol_of(key)
        newest = quote(symbol)
        if newest is None or newest.mark is None:
            return f"{symbol} is held and has no mark price"
        age = now - newest.received_at
        if age > MARK_FRESH_SECONDS:
            return f"{symbol} is held and its mark price is {age:.0f} s old"
        total += line.quantity * (newest.mark - line.entry_price)
    return total


def account_of(book: PositionBook, quote: Callable[[str], Quote | None], now: float) -> AccountView | None:
    """Wallet as the exchange said, unrealised at the newest marks; None while either is not known."""
    settled_usdt = book.settled_usdt
    if settled_usdt is None:
        return None
    unrealised = unrealised_usdt(book.lines, quote, now)
    if isinstance(unrealised, str):
        return None
    return AccountView(settled_usdt, unrealised, book.available_usdt, book.wallet_as_of_ms)


def reading_of(book: PositionBook, quote: Callable[[str], Quote | None], venue_ms: int, now: float) -> EquityEvent:
    """``now`` is our own monotonic clock, in seconds."""
    settled_usdt = book.settled_usdt
    if settled_usdt is None:
        return EquityLost("the exchange has not yet told the balance", now)
    unrealised = unrealised_usdt(book.lines, quote, now)
    if isinstance(unrealised, str):
        return EquityLost(unrealised, now)
    return EquityRead(settled_usdt + unrealised, venue_ms, now)
