"""Time as a thing that is handed in, so that everything else is pure or runs on virtual time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """``monotonic`` for waits and ages; ``wall_ms`` for stamps and stated expiries."""

    def monotonic(self) -> float:
        """Seconds; never goes back."""
        ...

    def wall_ms(self) -> int:
        """Unix milliseconds; may jump."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000


def rfc3339(unix_ms: int) -> str:
    """Whole seconds, as metav1.Time."""
    return datetime.fromtimestamp(unix_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_millis(unix_ms: int) -> str:
    """Milliseconds, where order within a second matters."""
    return f"{datetime.fromtimestamp(unix_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{unix_ms % 1000:03d}Z"
