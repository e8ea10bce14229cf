"""How far Redis surely keeps what it confirmed.  Pure.

Why   Redis with ``appendfsync everysec`` answers before its disk has the entry, and writes up to two seconds late when that disk is busy: a
      power cut takes confirmed entries back.  What was confirmed counts as kept when Redis still shows it three seconds later.
"""

from collections import deque
from typing import Final

GRACE_SECONDS: Final = 3.0


class Grace:
    """Confirmations of the last seconds."""

    def __init__(self) -> None:
        self.safe_through = 0
        """Every number up to here may be forgotten, as far as Redis's disk goes."""
        self._recent: deque[tuple[int, float]] = deque()

    def confirmed(self, through: int, asked_at: float, answered_at: float) -> None:
        """Redis showed that it holds everything up to ``through``, at some moment between the two (monotonic seconds)."""
        while self._recent and self._recent[0][1] + GRACE_SECONDS <= asked_at:
            self.safe_through = max(self.safe_through, self._recent.popleft()[0])
        if through > self.safe_through and (not self._recent or self._recent[-1][0] < through):
            self._recent.append((through, answered_at))

    def forgot(self, through: int) -> None:
        """Redis turned out to hold nothing above ``through``."""
        self.safe_through = min(self.safe_through, through)
        while self._recent and self._recent[-1][0] > through:
            self._recent.pop()

    @property
    def is_waiting(self) -> bool:
        """Whether another look would make something safe."""
        return bool(self._recent)
