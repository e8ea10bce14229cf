"""The venue's time, handed in.

In    nothing, or steps from a test
Out   milliseconds since the epoch
Flow  venue, endpoints, streams ask HERE; the core gets the number as an argument
Why   with a clock in the hand a whole trading day is a loop; signatures are judged by wall time all the same
"""

import time
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int: ...


class WallClock:
    """Milliseconds of the machine's clock."""

    __slots__ = ()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class HandClock:
    """Time that moves only when a test moves it."""

    __slots__ = ("_now_ms",)

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, milliseconds: int) -> None:
        self._now_ms += milliseconds
