"""Makes bars out of prices.  Pure; the time is handed in."""

from dataclasses import dataclass

from quantum_engine.domain import Bar


@dataclass(slots=True)
class BarBuilder:
    """One symbol, one length.  A bar closes when a price of a later one arrives; an interval without prices makes no bar."""

    bar_seconds: int
    _open: Bar | None = None

    def see(self, price: float, now_ms: int) -> Bar | None:
        """The bar that this price closed, if it did."""
        length_ms = self.bar_seconds * 1_000
        open_time_ms = now_ms - now_ms % length_ms
        bar = self._open
        if bar is not None and bar.open_time_ms == open_time_ms:
            self._open = Bar(bar.open_time_ms, bar.open, max(bar.high, price), min(bar.low, price), price)
            return None
        self._open = Bar(open_time_ms, price, price, price, price)
        return bar
