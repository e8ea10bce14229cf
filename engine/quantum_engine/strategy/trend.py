"""Two exponential averages and the average true range, bar by bar.  Pure.

In    Trend, one closed Bar, the lengths
Out   the next Trend
Flow  bars -> HERE -> decision, sizing
Why   indicators are estimates, so floats are fine here; money begins in sizing.py
"""

from dataclasses import dataclass

from quantum_api.strategy_mode import Strategy
from quantum_engine.domain import Bar


@dataclass(frozen=True, slots=True)
class Trend:
    """Where the averages stand after ``bars`` bars."""

    bars: int = 0
    fast: float = 0.0
    slow: float = 0.0
    atr: float = 0.0
    close: float = 0.0
    last_open_ms: int = -1

    def is_ready(self, strategy: Strategy) -> bool:
        """Before that the averages still remember where they began."""
        return self.bars >= max(strategy.slow_bars, 2)

    @property
    def direction(self) -> int:
        """1 while the fast average is above the slow one, -1 below, 0 on it."""
        return (self.fast > self.slow) - (self.fast < self.slow)


def step(trend: Trend, bar: Bar, strategy: Strategy) -> Trend:
    """A bar that is not newer than the last changes nothing: history and stream overlap."""
    if bar.open_time_ms <= trend.last_open_ms:
        return trend
    if not trend.bars:
        return Trend(1, bar.close, bar.close, bar.high - bar.low, bar.close, bar.open_time_ms)
    true_range = max(bar.high, trend.close) - min(bar.low, trend.close)
    return Trend(
        bars=trend.bars + 1,
        fast=_average(trend.fast, bar.close, 2 / (strategy.fast_bars + 1)),
        slow=_average(trend.slow, bar.close, 2 / (strategy.slow_bars + 1)),
        atr=_average(trend.atr, true_range, 1 / min(strategy.atr_bars, trend.bars + 1)),
        close=bar.close,
        last_open_ms=bar.open_time_ms,
    )


def _average(before: float, value: float, weight: float) -> float:
    return before + weight * (value - before)
