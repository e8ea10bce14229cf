"""Decides whether and when an ended container starts again.  Pure.

In    the restart policy, how it ended, how long it ran, the back-off so far
Out   no, or after how many seconds
Flow  container exit -> HERE -> container
Why   the first restart is at once, then 1, 2, 4 … 30 s: a kubelet's 10 s … 300 s would make every demonstration wait
"""

from dataclasses import dataclass
from typing import Final

FIRST_SECONDS: Final = 1.0
CAP_SECONDS: Final = 30.0
# A container that ran this long was well: its next crash starts over (a kubelet forgets after twice its cap).
FORGIVEN_AFTER_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Backoff:
    """How often in a row a container ended soon after it started."""

    crashes: int = 0

    def after(self, ran_seconds: float) -> "Backoff":
        return Backoff(1) if ran_seconds >= FORGIVEN_AFTER_SECONDS else Backoff(self.crashes + 1)

    @property
    def delay_seconds(self) -> float:
        return 0.0 if self.crashes <= 1 else min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(self.crashes - 2, 10))


def restarts(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)
