"""How long to wait before the exchange is looked at again.  Pure."""

from typing import Final

FIRST_SECONDS: Final = 0.02
LONGEST_SECONDS: Final = 5.0
VERIFY_SECONDS: Final = 5.0
"""While every stop's work is done: a late fill must not stay unseen."""


def next_pause_seconds(before_seconds: float, *, progressed: bool) -> float:
    """Short while it helps, twice as long each time it did not."""
    return FIRST_SECONDS if progressed else min(LONGEST_SECONDS, max(FIRST_SECONDS, before_seconds * 2))
