"""Decides whether a verified policy document may replace the one that is held.  Pure.

In    the held document, a verified new one, how it came, wall time
Out   Take, AlreadyHeld, or Refuse with the word and the numbers
Flow  signature check -> HERE -> journal -> gate
Why   the fence is a vector: an operator that lags on any one watch can never undo what another has said (DESIGN 4)

The fence is judged before the times, so a replayed document is called stale whether or not it has also expired.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from quantum_api.policy_document import PolicyDocument, Verified
from quantum_api.refusals import DocumentRefusal

MAX_CLOCK_SKEW_MS: Final = 30_000


class Channel(StrEnum):
    """How a document came.  The bytes are trusted alike; only a push proves that somebody speaks now."""

    PUSH = "push"
    MIRROR = "mirror"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Take:
    """Enforce it."""


@dataclass(frozen=True, slots=True)
class AlreadyHeld:
    """The very same bytes are in force: acknowledge again, change nothing, renew nothing."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Keep what is held."""

    reason: DocumentRefusal
    message: str


Verdict = Take | AlreadyHeld | Refuse


def judge(held: Verified | None, new: Verified, channel: Channel, now_ms: int) -> Verdict:
    """Compare ``new`` with ``held``.

    An expired document from the journal or the mirror is still taken: its fence, limits and stops count, and its lease is over at once.
    """
    if held is not None and held.token == new.token:
        return AlreadyHeld()
    refusal = _behind(held, new.document)
    if refusal is None and channel is not Channel.JOURNAL:
        refusal = _too_early(new.document, now_ms)
    if refusal is None and channel is Channel.PUSH:
        refusal = _too_late(new.document, now_ms)
    return refusal or Take()


def _behind(held: Verified | None, new: PolicyDocument) -> Refuse | None:
    if held is None:
        return None
    old = held.document
    if not new.seen.covers(old.seen):
        return Refuse(DocumentRefusal.STALE_EPOCH, f"document saw {_vector(new)}, the one held saw {_vector(old)}: a component goes back")
    if old.seen.covers(new.seen) and new.issued_at_ms <= old.issued_at_ms:
        return Refuse(
            DocumentRefusal.STALE_EPOCH,
            f"document saw the same {_vector(new)} but was issued at {new.issued_at_ms} ms, the one held at {old.issued_at_ms} ms",
        )
    return None


def _too_early(new: PolicyDocument, now_ms: int) -> Refuse | None:
    ahead_ms = new.issued_at_ms - now_ms
    if ahead_ms <= MAX_CLOCK_SKEW_MS:
        return None
    return Refuse(
        DocumentRefusal.ISSUED_IN_FUTURE,
        f"document is stamped {ahead_ms} ms ahead of this engine's clock, at most {MAX_CLOCK_SKEW_MS} ms are allowed; compare the clocks",
    )


def _too_late(new: PolicyDocument, now_ms: int) -> Refuse | None:
    if now_ms < new.expires_at_ms:
        return None
    return Refuse(
        DocumentRefusal.EXPIRED, f"document expired {now_ms - new.expires_at_ms} ms ago by this engine's clock; compare the clocks"
    )


def _vector(document: PolicyDocument) -> str:
    seen = document.seen
    return f"({seen.trading_policies}, {seen.strategy_modes}, {seen.emergency_stops}, {seen.engine})"
