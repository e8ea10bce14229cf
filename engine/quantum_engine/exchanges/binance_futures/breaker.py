"""Is the venue there?  Opens after failures in a row, asks now and then, and keeps still while our address is banned.  Pure.

In    what became of each request; the time; chance is handed in
Out   whether a request may be tried now; the moments at which the dependency was lost and came back
Flow  guard -> HERE
Why   a venue that is down is not helped by more requests, and each costs us seconds of waiting; one that has banned our address counts
      every further request as a reason to ban it for longer, up to three days
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final, NamedTuple

from quantum_engine.exchanges.binance_futures.backoff import Backoff
from quantum_engine.exchanges.binance_futures.rate.mirror import Wait

FAILURES_TO_OPEN: Final = 5
"""In a row: one lost answer is weather, five are a venue that is away."""
FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 8.0
AFTER_BAN_SECONDS: Final = 1.0
"""A ban ends on the venue's clock; and from then on one request a second asks whether it has."""


class Kind(Enum):
    """Of a request."""

    EXIT = auto()
    """Cancels, closes, and what a stop needs to see: tried even while the breaker is open, at the pace of whoever sends them."""
    READ = auto()
    """May be the probe."""
    ENTRY = auto()
    """An order is no probe: its outcome might stay unknown."""


class Lost(NamedTuple):
    """The dependency is lost, from now."""

    problem: str
    failures: int
    next_attempt_seconds: float


class Back(NamedTuple):
    """It answers again."""

    problem: str
    failures: int
    seconds: float


@dataclass(slots=True)
class Breaker:
    """Mutable; times are monotonic seconds."""

    chance: Callable[[], float]
    failures: int = 0
    problem: str = ""
    """Empty while closed."""
    banned_until: float | None = None
    _since: float = 0.0
    _next_at: float = 0.0
    _backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self._backoff = Backoff(self.chance, FIRST_SECONDS, LONGEST_SECONDS)

    def ask(self, kind: Kind, now: float) -> Wait | None:
        """None: try.  A read that is let through while open is the probe; the next may go when its time has come, whatever became of it."""
        if self.banned_until is not None:
            return self._after_ban(self.banned_until, now)
        if not self.problem or kind is Kind.EXIT:
            return None
        if kind is Kind.ENTRY or now < self._next_at:
            return Wait(
                max(self._next_at - now, FIRST_SECONDS / 10), f"the exchange has failed {self.failures} times in a row: {self.problem}"
            )
        self._next_at = now + self._backoff.next_seconds()
        return None

    def _after_ban(self, banned_until: float, now: float) -> Wait | None:
        """Exits wait too: to ask on is to be banned for longer."""
        if now < banned_until:
            return Wait(banned_until - now, "our address is banned, exits too wait until then, for asking on makes it longer")
        if now < self._next_at:
            return Wait(self._next_at - now, "the ban should be over; one request asks first")
        self._next_at = now + AFTER_BAN_SECONDS
        return None

    def failed(self, problem: str, now: float) -> Lost | None:
        """No answer, or one of a venue that is ill."""
        self.failures += 1
        if self.problem:
            self.problem = problem
            return None
        if self.failures < FAILURES_TO_OPEN:
            return None
        return self._open(problem, now, self._backoff.next_seconds())

    def banned(self, problem: str, seconds: float, now: float) -> Lost | None:
        """Until then and a little longer."""
        seconds += AFTER_BAN_SECONDS
        self.banned_until = max(self.banned_until or 0.0, now + seconds)
        if self.problem:
            self.problem = problem
            return None
        return self._open(problem, now, seconds)

    def answered(self, now: float) -> Back | None:
        """Yes or no: it is there.  An answer that overtakes the end of a ban was under way before it."""
        if self.banned_until is not None and now < self.banned_until:
            return None
        problem, failures = self.problem, self.failures
        self.failures, self.problem, self.banned_until = 0, "", None
        if not problem:
            return None
        self._backoff.succeeded()
        return Back(problem, failures, now - self._since)

    def _open(self, problem: str, now: float, seconds: float) -> Lost:
        self.problem, self._since, self._next_at = problem, now, now + seconds
        return Lost(problem, self.failures, seconds)
