"""The last trades of every symbol, numbered.  Pure.

In    trades as they are printed
Out   the newest ones, by number and by time
Flow  publisher -> HERE -> trades, aggTrades and ticker endpoints, aggTrade stream
Why   REST and stream must tell the same trade by the same number, or a client counts it twice
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core.effects import TradeEffect

TRADES_KEPT = 10_000


class Trade(NamedTuple):
    id: int
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool
    at_ms: int


class Tape:
    """Bounded per symbol; numbers are gapless per symbol."""

    def __init__(self) -> None:
        self._trades: dict[str, deque[Trade]] = {}
        self._last_id: dict[str, int] = {}

    def see(self, effect: TradeEffect) -> Trade:
        trade_id = self._last_id.get(effect.symbol, 0) + 1
        self._last_id[effect.symbol] = trade_id
        trade = Trade(trade_id, effect.price, effect.quantity, effect.buyer_is_maker, effect.at_ms)
        self._trades.setdefault(effect.symbol, deque(maxlen=TRADES_KEPT)).append(trade)
        return trade

    def of(self, symbol: str) -> Sequence[Trade]:
        """Oldest first."""
        return self._trades.get(symbol, ())
