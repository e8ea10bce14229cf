"""How long to wait before a crashed stage is started again.  Pure."""

from typing import Final

DELAYS_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST_SECONDS: Final = DELAYS_SECONDS[-1]
JITTER: Final = 0.10
FORGIVEN_AFTER_SECONDS: Final = 300.0
"""A stage that ran this long since its last crash has its count forgotten."""


def delay_seconds(crashes: int, chance: float) -> float | None:
    """Delay before the next start after ``crashes`` (1 = the first), ``chance`` in [0, 1); None = give up."""
    if crashes > len(DELAYS_SECONDS):
        return None
    return DELAYS_SECONDS[crashes - 1] * (1 + JITTER * (2 * chance - 1))
