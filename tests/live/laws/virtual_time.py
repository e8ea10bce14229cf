"""An event loop whose time jumps when nothing happens, and the clock that everything in it reads.

In    real sockets, real threads, real processes
Out   minutes of engine and venue lived through in seconds, with the engine's own constants
Why   a law must judge the pauses, leases and windows that ship; shortened ones are other code

The loop first looks whether a socket has something, then waits a millisecond, and only then moves the time to the next timer.  What a
thread or another process owes (``outside``) is waited for in real time.
"""

import asyncio
import selectors
import time
from typing import Any

IDLE_SECONDS = 0.001
LONGEST_JUMP_SECONDS = 0.25
OUTSIDE_SECONDS = 1.0
"""Longest real silence while something is owed outside; then time moves on, as it would."""


class WorldClock:
    """Implements both quantum_engine.clock.Clock and quantum_simulator.clock.Clock."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0
        self.outside = 0
        """Answers that a thread or another process owes."""

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_seconds

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000 + round(self.ahead_seconds * 1_000)

    def now_ms(self) -> int:
        return self.wall_ms()


class _Impatient(selectors.EpollSelector):
    def __init__(self, clock: WorldClock) -> None:
        super().__init__()
        self._clock = clock
        self._silent_seconds = 0.0
        self.passes = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.passes += 1
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            self._silent_seconds = 0.0 if found else self._silent_seconds
            return found
        if timeout is None:
            return super().select(None)
        waited = min(timeout, 0.05 if self._is_owed else IDLE_SECONDS)
        found = super().select(waited)
        self._silent_seconds = 0.0 if found else self._silent_seconds + waited
        if not found and not self._is_owed:
            self._clock.ahead_seconds += min(timeout, LONGEST_JUMP_SECONDS)
        return found

    @property
    def _is_owed(self) -> bool:
        return self._clock.outside > 0 and self._silent_seconds < OUTSIDE_SECONDS


class WorldLoop(asyncio.SelectorEventLoop):
    """One per history."""

    def __init__(self) -> None:
        self.clock = WorldClock()
        self._impatient = _Impatient(self.clock)
        super().__init__(self._impatient)

    def time(self) -> float:
        return self.clock.monotonic()

    @property
    def passes(self) -> int:
        """Turns of the loop so far: an order of events that no load of the machine stretches."""
        return self._impatient.passes


async def ended(tasks: "list[asyncio.Task[Any]]") -> None:
    """A library may swallow one cancellation; a process that is killed has no such choice."""
    while waiting := {task for task in tasks if not task.done()}:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=0.05)


async def _cancel_the_rest() -> None:
    """Requests that still wait at the venue, as `asyncio.run` does it."""
    await ended([task for task in asyncio.all_tasks() if task is not asyncio.current_task()])


def live(main: Any) -> Any:
    """Run ``main(loop)`` on a loop of its own and leave nothing behind."""
    loop = WorldLoop()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.run_until_complete(_cancel_the_rest())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
