"""Decides how long a document may last, by when all objects were last seen.  Pure.

In    issue time, the wall time at which the last complete LIST of the three kinds was asked for, the lease
Out   the document's expiry; whether a renewal would gain anything; how often to look
Flow  relister -> HERE -> signing, pushing
Why   an operator that cannot see cannot know of a stop applied meanwhile, so it must not keep engines trading: losing the API server
      means what losing the operator means (DESIGN 7)
"""

from typing import Final

NEWS_SECONDS: Final = 5
LOOKS_PER_LEASE: Final = 4


def expires_at_ms(issued_at_ms: int, confirmed_at_ms: int, lease_seconds: int) -> int:
    """The lease counts from the last complete look.

    What is sent because it says something new lasts at least ``NEWS_SECONDS``: a stop that only a watch brought must not arrive expired.
    """
    from_sight = min(issued_at_ms, confirmed_at_ms) + lease_seconds * 1000
    return max(from_sight, issued_at_ms + min(NEWS_SECONDS, lease_seconds) * 1000)


def renewal_gains(held_until_ms: int, confirmed_at_ms: int, lease_seconds: int, now_ms: int) -> bool:
    """Whether a document issued now would last longer by what has been seen, not by its mere issue."""
    return confirmed_at_ms + lease_seconds * 1000 > max(held_until_ms, now_ms)


def look_every_seconds(longest_seconds: float, shortest_lease_seconds: float) -> float:
    """Often enough that a renewal finds a fresh look."""
    return min(longest_seconds, shortest_lease_seconds / LOOKS_PER_LEASE)
