"""A recorded market instead of a walk: prices and trades as they were, depth from what was traded.  Pure.

In    deals in order of time, market time that passes; ordered shocks, drifts and pins on top
Out   the price now, the deals since the last step, how deep and wide the book is
Flow  market_files -> HERE -> market -> core.session
Why   without orders on top every price is the recorded one, to the digit; with them the recorded returns still move it

The book holds, per side, half of what was traded in the last minute, spread over the range of that minute: a quiet hour has a small,
tight book, a crash a large turnover over so wide a range that a small order moves the price.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from quantum_simulator.core.instruments import Instrument
from quantum_simulator.decimals import ZERO, floor_to
from quantum_simulator.market.rows import Deal
from quantum_simulator.market.walk import MINUTE_MS, Walk

SECOND_MS = 1_000
LEAST_SPAN_MS = 15_000
"""The turnover of the first seconds is scaled up from no less than this."""
DEEPEST = 1_000.0


@dataclass(slots=True)
class Turnover:
    """One second of the last minute."""

    at_ms: int
    low: Decimal
    high: Decimal
    quote: Decimal


@dataclass(slots=True)
class LastMinute:
    seconds: deque[Turnover] = field(default_factory=deque)

    def see(self, each: Deal) -> None:
        at_ms = each.at_ms - each.at_ms % SECOND_MS
        if not self.seconds or self.seconds[-1].at_ms != at_ms:
            self.seconds.append(Turnover(at_ms, each.price, each.price, ZERO))
        last = self.seconds[-1]
        last.low, last.high = min(last.low, each.price), max(last.high, each.price)
        last.quote += each.price * each.quantity

    def forget(self, now_ms: int) -> None:
        while self.seconds and self.seconds[0].at_ms <= now_ms - MINUTE_MS:
            self.seconds.popleft()

    def quote_per_minute(self, passed_ms: int) -> Decimal:
        """``passed_ms``: since the recording began."""
        span_ms = max(LEAST_SPAN_MS, min(MINUTE_MS, passed_ms))
        return sum((each.quote for each in self.seconds), ZERO) * MINUTE_MS / span_ms

    def range_bps(self) -> float:
        if not self.seconds:
            return 0.0
        low, high = min(each.low for each in self.seconds), max(each.high for each in self.seconds)
        return float((high - low) / low) * 10_000


class Recording(NamedTuple):
    instrument: Instrument
    start_ms: int
    """Of its first deal."""
    deals: Callable[[], Iterator[Deal]]


class Replay(Walk):
    """Stands where a walk would stand; the control API orders on it in the same way."""

    def __init__(self, recording: Recording, start_ms: int) -> None:
        """``start_ms``: the time in the recording at which the market begins, the same for all symbols."""
        self._instrument = recording.instrument
        self._coming = recording.deals()
        first = next(self._coming)
        self.start_ms = start_ms
        self._next: Deal | None = first
        self._recorded = first.price
        self._minute = LastMinute()
        self._passed: list[Deal] = []
        super().__init__(float(first.price), 0.0, None)
        self._shift = 0.0

    def _read(self) -> None:
        """Take in what happened up to now."""
        now_ms, deals = self.start_ms + self.now_ms, []
        while self._next is not None and self._next.at_ms <= now_ms:
            deals.append(self._next)
            self._minute.see(self._next)
            self._next = next(self._coming, None)
        self._minute.forget(now_ms)
        self._passed = deals
        if deals:
            before, self._recorded = self._recorded, deals[-1].price
            if self.is_held:
                self._shift += math.log(before / self._recorded)

    @property
    def is_over(self) -> bool:
        return self._next is None

    def _move(self, minutes: float) -> None:
        if not self.is_held:
            self._shift += self.drift_bps_per_minute / 10_000 * minutes
        self._read()

    def _keep(self, log_move: float) -> None:
        self._shift += log_move

    @property
    def _factor(self) -> float:
        """1.0 exactly while nothing was ordered."""
        return math.exp(self._shift + self._shocked()) if self._shift or self.shocks else 1.0

    @property
    def price(self) -> float:
        return float(self._recorded) * self._factor

    @property
    def index_price(self) -> Decimal:
        return self._scaled(self._recorded)

    def _scaled(self, price: Decimal) -> Decimal:
        factor = self._factor
        return price if factor == 1.0 else floor_to(Decimal(f"{float(price) * factor:.8f}"), self._instrument.tick)

    @property
    def deals(self) -> tuple[Deal, ...]:
        """Those of the last step that traded something, at the price that they have with the orders on top."""
        if self.is_held:
            return ()
        return tuple(each._replace(price=self._scaled(each.price)) for each in self._passed if each.quantity)

    def set_price(self, price: float, hold: bool) -> None:
        self.shocks.clear()
        self._shift = math.log(price / float(self._recorded)) if price != float(self._recorded) else 0.0
        self.is_held = hold

    @property
    def book_depth(self) -> float:
        turnover = self._minute.quote_per_minute(self.now_ms) / 2
        return super().book_depth * min(DEEPEST, float(turnover / self._instrument.calm_notional_usdt))

    @property
    def book_widen(self) -> float:
        return super().book_widen * max(1.0, self._minute.range_bps() / self._instrument.calm_span_bps)
