"""Time and chance as things that are handed in, so that stages are pure and tests run on virtual time."""

import time
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4


class Clock(Protocol):
    """``monotonic`` for leases, timeouts and ages; ``wall_ms`` only for stamps and stated expiries."""

    def monotonic(self) -> float:
        """Seconds; never goes back."""
        ...

    def wall_ms(self) -> int:
        """Unix milliseconds; may jump."""
        ...


class IdSource(Protocol):
    """New unique ids, at most 32 characters of [0-9a-z]."""

    def __call__(self) -> str: ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass
class ManualClock:
    """A clock that a test turns by hand; ``advance`` moves both, ``jump_wall`` only the wall."""

    monotonic_seconds: float = 1_000.0
    wall_unix_ms: int = 1_800_000_000_000

    def monotonic(self) -> float:
        return self.monotonic_seconds

    def wall_ms(self) -> int:
        return self.wall_unix_ms

    def advance(self, seconds: float) -> None:
        self.monotonic_seconds += seconds
        self.wall_unix_ms += round(seconds * 1000)

    def jump_wall(self, seconds: float) -> None:
        self.wall_unix_ms += round(seconds * 1000)


def random_id() -> str:
    return uuid4().hex
