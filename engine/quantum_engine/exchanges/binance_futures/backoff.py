"""How long to wait before the next attempt.  Pure; chance is handed in."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Doubles from ``first_seconds`` to ``most_seconds``, with up to 10 % more so that a fleet does not come back as one."""

    chance: Callable[[], float]
    first_seconds: float = 0.1
    most_seconds: float = 16.0
    _failures: int = 0

    def next_seconds(self) -> float:
        wait = min(self.first_seconds * float(2**self._failures), self.most_seconds)
        self._failures = min(self._failures + 1, 16)
        return wait * (1 + 0.1 * self.chance())

    def succeeded(self) -> None:
        self._failures = 0
