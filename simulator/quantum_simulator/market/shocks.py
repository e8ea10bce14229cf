"""Ordered movements of the index: a fall over seconds that may recover.  Pure.

In    basis points, duration, optional recovery, market time
Out   the part of the movement done by now; how violent it is (thins the book)
Flow  control API -> HERE -> walk
Why   a drawdown is tested with a fall of known size, not with luck
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shock:
    bps: int
    start_ms: int
    duration_ms: int
    recover_ms: int = 0
    """Time over which the whole movement is taken back; 0 keeps it."""

    def log_move(self, now_ms: int) -> float:
        """Logarithm of the price factor that this shock contributes by now."""
        whole = math.log1p(self.bps / 10_000)
        elapsed = now_ms - self.start_ms
        if elapsed <= 0:
            return 0.0
        if elapsed < self.duration_ms:
            return whole * elapsed / self.duration_ms
        if not self.recover_ms:
            return whole
        return whole * max(0.0, 1 - (elapsed - self.duration_ms) / self.recover_ms)

    def is_over(self, now_ms: int) -> bool:
        return now_ms >= self.start_ms + self.duration_ms + self.recover_ms

    def is_violent(self, now_ms: int) -> bool:
        """While it falls (or rises), and as long again afterwards, makers stay away."""
        return self.start_ms <= now_ms < self.start_ms + 2 * self.duration_ms
