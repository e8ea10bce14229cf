"""How long to wait before the exchange is looked at again.  Pure."""

from typing import Final

FIRST_SECONDS: Final = 0.02
LONGEST_HELPING_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 5.0
QUIET_SECONDS: Final = 0.5
"""What moves at the exchange asks for a new look no sooner than this after the last."""
VERIFY_SECONDS: Final = 30.0
"""While every stop's work is done.  A late fill is told by the stream at once; this is for the one that is not.

A whole look weighs 85 (two lists of all open orders 40 each, positions 5) of the 2 400 per minute that all engines behind one address
share, a look at n symbols 5 + 2n.  While the engine's own books are compared with the exchange anyway, they are asked instead.
"""
LONGEST_THROTTLE_SECONDS: Final = 60.0


def next_pause_seconds(before_seconds: float, *, progressed: bool) -> float:
    """Twice as long each time; never long while it helps."""
    return min(LONGEST_HELPING_SECONDS if progressed else LONGEST_SECONDS, max(FIRST_SECONDS, before_seconds * 2))


def throttled_pause_seconds(retry_after_seconds: float) -> float:
    """As long as the exchange says, for asking on turns a full minute into a ban; but at least once a minute, for nobody gives up."""
    return min(LONGEST_THROTTLE_SECONDS, max(FIRST_SECONDS, retry_after_seconds))
