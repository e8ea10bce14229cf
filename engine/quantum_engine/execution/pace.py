"""How many orders and intents there were in the last second and minute.  Pure; the time is handed in."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from quantum_engine.execution.intents import IntentRecord


@dataclass(slots=True)
class Window:
    """Sliding count over ``seconds``."""

    seconds: float
    _times: deque[float] = field(default_factory=deque)

    def add(self, now: float) -> None:
        self._times.append(now)

    def count(self, now: float) -> int:
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        return len(self._times)


@dataclass(slots=True)
class Pace:
    """Only what the limits count: exits are exempt, and never enter."""

    orders: Window = field(default_factory=lambda: Window(1.0))
    intents: Window = field(default_factory=lambda: Window(60.0))

    def accepted(self, now: float) -> None:
        self.orders.add(now)
        self.intents.add(now)


def remembered(records: Iterable[IntentRecord], now: float, now_ms: int) -> Pace:
    """After a start: a process that dies and comes back in a loop has no fresh minute each time."""
    pace = Pace()
    ages = [max(now_ms - record.recorded_ms, 0) / 1_000 for record in records if not record.reduce_only]
    for age_seconds in sorted((age for age in ages if age < pace.intents.seconds), reverse=True):
        pace.accepted(now - age_seconds)
    return pace
