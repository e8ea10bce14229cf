"""Decides whether an engine needs a document now, and when it will next.  Pure.

In    what it should hold, what it holds, the vector it must cover, wall time
Out   the word why it needs one, or None; the time of its renewal
Flow  reconciler -> HERE -> engine link
Why   the vector must reach an engine even when nothing changes for it: else an older document that says something else could still follow
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum

from quantum_api.policy_document import Seen, Source
from quantum_operator.reports import EngineReport, Held
from quantum_operator.resolve import Resolved
from quantum_operator.sight import renewal_gains


class PushReason(StrEnum):
    """Why a document is sent; also the metric's label."""

    NOTHING_HELD = "NothingHeld"
    FIRST_CONTACT = "FirstContact"
    CHANGED = "Changed"
    FENCE_MOVED = "FenceMoved"
    RENEWAL = "Renewal"


@dataclass(frozen=True)
class Sent:
    """The last document of this operator that the engine acknowledged."""

    digest: str
    resolved: Resolved
    key_id: str = ""


def push_reason(
    wanted: Resolved, required: Seen, report: EngineReport, sent: Sent | None, engine: str, now_ms: int, confirmed_at_ms: int
) -> PushReason | None:
    """None when what the engine holds will do, or when nothing has been seen since that a renewal could rest on."""
    held = report.held
    if held is None:
        return PushReason.NOTHING_HELD
    if sent is None:
        return PushReason.FIRST_CONTACT
    if not _same_content(wanted, held, sent):
        return PushReason.CHANGED
    if not held.seen.covers(required):
        return PushReason.FENCE_MOVED
    is_due = not held.lease_valid or now_ms >= renewal_at_ms(held, engine)
    if is_due and renewal_gains(held.expires_at_ms, confirmed_at_ms, wanted.lease_seconds, now_ms):
        return PushReason.RENEWAL
    return None


def renewal_at_ms(held: Held, engine: str) -> int:
    """Between a half and a third of the lease before its end, spread by the engine's name so that a fleet does not renew in one moment."""
    lease_ms = held.expires_at_ms - held.issued_at_ms
    spread = zlib.crc32(engine.encode()) % 1000
    return held.expires_at_ms - lease_ms // 3 - lease_ms * spread // 6000


def _same_content(wanted: Resolved, held: Held, sent: Sent) -> bool:
    """Another operator's document is compared by its sources: two operators with the same view must not push against each other."""
    if held.digest == sent.digest:
        return wanted is sent.resolved or wanted == sent.resolved
    return held.sources == _pairs(wanted.sources) and held.released == frozenset(wanted.released)


def _pairs(sources: tuple[Source, ...]) -> frozenset[tuple[str, int]]:
    return frozenset((source.uid, source.generation) for source in sources)
