"""Counts orders that reached the exchange, and those it refused, in the last minute.  Pure; the time is handed in.

In    verdicts on intents, as execution tells them
Out   two counts
Flow  execution -> HERE -> evaluators (order_runaway, reject_rate)
Why   the engine's own refusals do not count: a strategy that the gate holds back harms nobody.  Nor do the stop's closing orders, which
      must be tried on, nor what surely never arrived (Declined with code 0): an exchange that is away is not an engine out of control
"""

from collections import deque
from typing import Final

from quantum_engine.domain import OrderIntent, Purpose
from quantum_engine.verdicts import Accepted, Declined, Verdict

_MINUTE_SECONDS: Final = 60.0


class Tally:
    """An intent counts once, also when its outcome is told twice: as unknown first, and as known later."""

    def __init__(self) -> None:
        self._orders: deque[float] = deque()
        self._rejects: deque[float] = deque()
        self._unsure: set[str] = set()

    def saw(self, intent: OrderIntent, verdict: Verdict, now: float) -> None:
        if intent.purpose is Purpose.EMERGENCY_EXIT:
            return
        match verdict:
            case Accepted(certain=certain):
                self._reached(intent.id, now)
                (self._unsure.discard if certain else self._unsure.add)(intent.id)
            case Declined(code=code) if code:
                self._reached(intent.id, now)
                self._unsure.discard(intent.id)
                self._rejects.append(now)
            case _:
                self._unsure.discard(intent.id)

    def orders(self, now: float) -> int:
        return _recent(self._orders, now)

    def rejects(self, now: float) -> int:
        return _recent(self._rejects, now)

    def clear(self) -> None:
        """People released the stop that these counts had tripped."""
        self._orders.clear()
        self._rejects.clear()

    def _reached(self, intent_id: str, now: float) -> None:
        if intent_id not in self._unsure:
            self._orders.append(now)


def _recent(times: deque[float], now: float) -> int:
    while times and times[0] <= now - _MINUTE_SECONDS:
        times.popleft()
    return len(times)
