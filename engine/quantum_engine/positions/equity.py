"""What the account is worth.  Pure.

In    wallet, position lines, the newest quotes and their ages
Out   equity in USDT, or the reason why it is not known
Flow  book, market -> HERE -> risk (drawdown)
Why   a held position without a fresh mark has an unknown value, and unknown is not "no loss"
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from quantum_engine.domain import Quote, symbol_of
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
