"""The highest equity of the last seconds.  Pure; the time is handed in.

In    readings with the engine's monotonic time, transfers, a release
Out   the highest equity within a window
Flow  service -> HERE -> evaluators (loss_velocity)
Why   memory only: a restart forgets at most one window; the peak and the day's start, which it does not forget, bound what that can cost
"""

from collections import deque
from decimal import Decimal


class EquityWindow:
    """Falling maxima: each entry is younger and lower than the one before, so the first one that is young enough is the highest."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, Decimal]] = deque()

    def read(self, equity_usdt: Decimal, now: float) -> None:
        if not equity_usdt.is_finite():
            return
        while self._readings and self._readings[-1][1] <= equity_usdt:
            self._readings.pop()
        self._readings.append((now, equity_usdt))

    def highest(self, now: float, seconds: float) -> Decimal | None:
        """Of the last ``seconds``; the newest reading always counts."""
        while len(self._readings) > 1 and self._readings[0][0] < now - seconds:
            self._readings.popleft()
        return self._readings[0][1] if self._readings else None

    def transferred(self, amount_usdt: Decimal) -> None:
        if amount_usdt.is_finite():
            self._readings = deque((at, equity_usdt + amount_usdt) for at, equity_usdt in self._readings)

    def clear(self) -> None:
        """People accepted the loss so far."""
        while len(self._readings) > 1:
            self._readings.popleft()
