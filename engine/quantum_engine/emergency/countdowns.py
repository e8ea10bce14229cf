"""Which of the exchange's own countdowns to arm, refresh or disarm now.  Pure; the time is handed in.

In    symbols with resting orders, what was armed when, what failed
Out   calls that are due; for how long arming has failed
Flow  deadman -> HERE -> exchange
Why   an engine that hangs cancels nothing; a countdown at the exchange needs nobody.  Each call weighs 10 of the 2 400 a minute that all
      engines behind one address share, so only symbols with resting orders have one, and an order that comes and goes costs no more
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

COUNTDOWN_SECONDS: Final = 120
REFRESH_SECONDS: Final = 30.0
RETRY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Call:
    """``seconds`` 0 disarms."""

    symbol: str
    seconds: int


@dataclass(slots=True)
class Countdowns:
    """Mutable accumulator; no clock, no I/O."""

    armed_at: dict[str, float] = field(default_factory=dict)
    """As far as this process knows: monotonic, by symbol."""
    _failing_since: dict[str, float] = field(default_factory=dict)
    _tried_at: dict[str, float] = field(default_factory=dict)

    def due(self, resting: Mapping[str, bool], now: float) -> list[Call]:
        """To be called often; what is not due costs nothing.  ``resting``: whether somebody is in charge of the symbol's orders.

        Where nobody is, the countdown is neither refreshed nor disarmed: it strikes.
        """
        for symbol in [each for each in self._failing_since if not resting.get(each)]:
            del self._failing_since[symbol]
        managed = sorted(symbol for symbol, is_managed in resting.items() if is_managed)
        calls = [Call(symbol, COUNTDOWN_SECONDS) for symbol in managed if self._is_due(symbol, now)]
        for symbol, at in sorted(self.armed_at.items()):
            if symbol in resting or now - at < REFRESH_SECONDS:
                continue
            if now - at >= COUNTDOWN_SECONDS:
                del self.armed_at[symbol]
            elif self._may_try(symbol, now):
                calls.append(Call(symbol, 0))
        return calls

    def done(self, call: Call, now: float) -> None:
        self._failing_since.pop(call.symbol, None)
        self._tried_at.pop(call.symbol, None)
        if call.seconds:
            self.armed_at[call.symbol] = now
        else:
            self.armed_at.pop(call.symbol, None)

    def failed(self, call: Call, now: float) -> None:
        self._tried_at[call.symbol] = now
        if call.seconds:
            self._failing_since.setdefault(call.symbol, now)

    def failing_seconds(self, now: float) -> float:
        """For how long some symbol's countdown could not be armed or refreshed; 0 = none fails."""
        return max((now - since for since in self._failing_since.values()), default=0.0)

    def _is_due(self, symbol: str, now: float) -> bool:
        at = self.armed_at.get(symbol)
        return (at is None or now - at >= REFRESH_SECONDS) and self._may_try(symbol, now)

    def _may_try(self, symbol: str, now: float) -> bool:
        return now - self._tried_at.get(symbol, float("-inf")) >= RETRY_SECONDS
