"""Passes each trade of the user stream on once.  Pure.

Why   Binance tells a fill twice by design (TRADE_LITE early, ORDER_TRADE_UPDATE with its fee), and again when a connection overlaps
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from quantum_engine.domain import Fill
from quantum_engine.exchanges.port import OrderUpdate, TradeSeen


@dataclass(slots=True)
class SeenOnce:
    """Identity is (symbol, trade id).  Bounded: older trades are told apart by the position book's own times."""

    most: int = 10_000
    _full: OrderedDict[tuple[str, int], bool] = field(default_factory=OrderedDict)
    """True when the fill came with its fee."""

    def trade_lite(self, fill: Fill) -> TradeSeen | None:
        if (fill.symbol, fill.trade_id) in self._full:
            return None
        self._remember(fill, with_fee=False)
        return TradeSeen(fill)

    def order_update(self, update: OrderUpdate) -> OrderUpdate:
        """A repeated update still says how the order stands, but bears no fill."""
        fill = update.fill
        if fill is None:
            return update
        if self._full.get((fill.symbol, fill.trade_id)):
            return replace(update, fill=None)
        self._remember(fill, with_fee=True)
        return update

    def _remember(self, fill: Fill, *, with_fee: bool) -> None:
        self._full[(fill.symbol, fill.trade_id)] = with_fee
        while len(self._full) > self.most:
            self._full.popitem(last=False)
