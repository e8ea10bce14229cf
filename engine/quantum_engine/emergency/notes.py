"""Writes into the latches what a look showed and what stands in the way, and says aloud what is overdue.

In    sights, a problem in words, limits
Out   latches with phases and messages; metric and log line of what is past its deadline
Flow  worker -> HERE -> book
"""

from collections.abc import Callable, Mapping
from typing import Final

from quantum_api.trading_policy import Limits
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.latches import Sight, overdue, progressed, waiting
from quantum_engine.emergency.plan import covers
from quantum_engine.logs import logger

_BUILT_IN_COOLDOWN_SECONDS: Final = 300
_BUILT_IN_DEADLINE_SECONDS: Final = 60
_log = logger("emergency")


class Notes:
    """The worker's pen."""

    def __init__(self, book: LatchBook, limits: Callable[[], Limits | None], clock: Clock) -> None:
        self._book, self._limits, self._clock = book, limits, clock
        self._said: frozenset[str] = frozenset()

    def note(self, sights: Mapping[str, Sight], problem: str) -> None:
        now_ms = self._clock.wall_ms()
        limits = self._limits()
        cooldown_seconds = limits.stop_cooldown_seconds if limits else _BUILT_IN_COOLDOWN_SECONDS
        late = set()
        for latch in self._book.latches:
            sight = sights.get(latch.id)
            after = progressed(latch, sight, now_ms, cooldown_seconds) if sight else latch
            is_overdue = overdue(after, now_ms, self._deadline_seconds)
            if is_overdue:
                late.add(latch.id)
            if sight or problem:
                self._book.update(waiting(after, sight, problem, is_overdue=is_overdue), cooldown_seconds)
        for latch_id in late - self._said:
            _log.error("stop_overdue", latch=latch_id, deadline_seconds=self._deadline_seconds, problem=problem)
        self._said = frozenset(late)
        metrics.STOP_OVERDUE.set(len(late))
        self._book.clear_released()

    def is_overdue(self, symbol: str) -> bool:
        """Whether a stop that covers ``symbol`` is past its deadline."""
        now_ms = self._clock.wall_ms()
        return any(covers(latch, symbol) and overdue(latch, now_ms, self._deadline_seconds) for latch in self._book.latches)

    @property
    def _deadline_seconds(self) -> int:
        limits = self._limits()
        return limits.flatten_deadline_seconds if limits else _BUILT_IN_DEADLINE_SECONDS
