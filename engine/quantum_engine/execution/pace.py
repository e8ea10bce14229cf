"""How many orders and intents there were in the last second and minute.  Pure; the time is handed in."""

from collections import deque
from dataclasses import dataclass, field


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
