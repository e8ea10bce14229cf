"""How long to wait before the exchange is looked at again.  Pure."""

from typing import Final

FIRST_SECONDS: Final = 0.02
LONGEST_SECONDS: Final = 5.0
VERIFY_SECONDS: Final = 30.0
"""While every stop's work is done.  A late fill is told by the stream at once; this is for the one that is not.

A look weighs 85 (two lists of all open orders 40 each, positions 5) of the 2 400 per minute that all engines behind one address share.
"""
LONGEST_THROTTLE_SECONDS: Final = 60.0


def next_pause_seconds(before_seconds: float, *, progressed: bool) -> float:
    """Short while it helps, twice as long each time it did not."""
    return FIRST_SECONDS if progressed else min(LONGEST_SECONDS, max(FIRST_SECONDS, before_seconds * 2))


def throttled_pause_seconds(retry_after_seconds: float) -> float:
    """As long as the exchange says, for asking on turns a full minute into a ban; but at least once a minute, for nobody gives up."""
    return min(LONGEST_THROTTLE_SECONDS, max(FIRST_SECONDS, retry_after_seconds))
