"""Decides until when a policy document may be traded upon.  Pure.

In    a document, when it was received (monotonic), wall time, the largest wall time ever stored
Out   a Lease; whether it still runs; how many seconds are left
Flow  accept -> HERE -> restriction "lease" -> gate
Why   a recorded document or a clock that was set back must not stretch a lease

Two ends, the earlier counts: a monotonic deadline set at receipt, and the expiry that the document states.  Once over, a lease stays over.
The deadline is stored beside the document with the machine's boot id: a process on the same boot goes on with it, whatever the wall clock
says.  After another boot only wall times remain to judge by, and a clock that stands before the largest one stored is not believed.
"""

from dataclasses import dataclass
from typing import Final

from quantum_api.gate import Gate
from quantum_api.policy_document import PolicyDocument
from quantum_api.trading_policy import OnLeaseExpiry
from quantum_engine.policy.accept import MAX_CLOCK_SKEW_MS

GATE_ON_EXPIRY: Final = {
    OnLeaseExpiry.REDUCE_ONLY: Gate.REDUCE_ONLY,
    OnLeaseExpiry.EXIT_ONLY: Gate.EXIT_ONLY,
    OnLeaseExpiry.HALTED: Gate.HALTED,
}
CLOCK_TOLERANCE_MS: Final = 1_000
"""Of the same clock, read by one process and then by the next."""


@dataclass(frozen=True, slots=True)
class Lease:
    """``ends_monotonic`` in seconds of the engine's monotonic clock."""

    ends_monotonic: float
    expires_at_ms: int

    def seconds_left(self, monotonic: float, wall_ms: int) -> float:
        """Zero or less = over."""
        return min(self.ends_monotonic - monotonic, (self.expires_at_ms - wall_ms) / 1000)


def grant(document: PolicyDocument, monotonic: float, wall_ms: int) -> Lease:
    """The lease of a document that is received now from somebody who speaks now."""
    seconds = min(document.lease_seconds, (document.expires_at_ms - wall_ms) / 1000)
    return Lease(monotonic + max(0.0, seconds), document.expires_at_ms)


def grant_recorded(document: PolicyDocument, monotonic: float, wall_ms: int, largest_wall_ms: int) -> Lease:
    """The lease of a document read from a store: over at once if the wall clock was set back since something was last stored.

    The issue time is another machine's: it is compared with the skew that is allowed between clocks, not with the millisecond.
    """
    was_set_back = wall_ms + CLOCK_TOLERANCE_MS < largest_wall_ms or wall_ms + MAX_CLOCK_SKEW_MS < document.issued_at_ms
    if was_set_back:
        return Lease(monotonic, document.expires_at_ms)
    return grant(document, monotonic, max(wall_ms, largest_wall_ms))


@dataclass(frozen=True, slots=True)
class StoredLease:
    """What the journal keeps of a lease: the deadline means something only on the boot it was written on."""

    digest: str
    boot_id: str
    ends_monotonic: float


def resume(lease: Lease, stored: StoredLease | None, digest: str, boot_id: str) -> Lease:
    """``lease`` as judged by wall times, never later than the deadline that a process on this boot had set."""
    if stored is None or not boot_id or (stored.digest, stored.boot_id) != (digest, boot_id):
        return lease
    return Lease(min(lease.ends_monotonic, stored.ends_monotonic), lease.expires_at_ms)
