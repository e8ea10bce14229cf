"""Keeps what one engine last said, from acknowledgements and statuses that may cross on the way.  Pure.

In    Acknowledgement, DocumentRefused, EngineStatus, failures to reach it
Out   EngineReport: what it holds and whether that still counts, latches, drawdown
Flow  engine link -> HERE -> pushing (does it need a document?), conditions, stops
Why   an acknowledgement arrives before the status that repeats it, so an older status must not undo it
"""

from dataclasses import dataclass, replace
from typing import Final

from quantum_api.engine_status import Acknowledgement, DocumentRefused, EngineStatus, HeldPolicy, Latch
from quantum_api.policy_document import PolicyDocument, Seen, Source


@dataclass(frozen=True)
class Held:
    """The document in force on the engine."""

    seen: Seen
    digest: str
    sources: frozenset[tuple[str, int]]
    """(uid, generation) of every object it was resolved from."""
    released: frozenset[str]
    issued_at_ms: int
    expires_at_ms: int
    lease_valid: bool


@dataclass(frozen=True)
class EngineReport:
    """What is known of one engine."""

    status: EngineStatus | None = None
    held: Held | None = None
    acknowledged_version: int = 0
    """Status version of the last acknowledgement, within ``instance``."""
    instance: str = ""
    refusal: DocumentRefused | None = None
    unreachable_since_ms: int | None = None
    error: str = ""

    @property
    def reachable(self) -> bool:
        return self.unreachable_since_ms is None and self.instance != ""

    @property
    def status_is_current(self) -> bool:
        """Whether the status is not older than the last acknowledgement: it speaks of the document that is held."""
        status = self.status
        return status is not None and status.instance == self.instance and status.version >= self.acknowledged_version

    @property
    def latches(self) -> tuple[Latch, ...]:
        return tuple(self.status.latches) if self.status else ()

    def counts(self, now_ms: int) -> bool:
        """Whether the last report may still be relied on: the engine answers, or its lease still binds it to what it said."""
        if self.status is None and self.held is None:
            return False
        return self.reachable or self.lease_runs(now_ms)

    def lease_runs(self, now_ms: int) -> bool:
        return self.held is not None and self.held.lease_valid and now_ms < self.held.expires_at_ms


NOTHING_HEARD: Final = EngineReport()


def after_acknowledgement(report: EngineReport, ack: Acknowledgement, sent: PolicyDocument, digest: str) -> EngineReport:
    """The engine answered 200 to ``sent``."""
    if ack.digest != digest:
        return replace(report, unreachable_since_ms=None, error="", refusal=None)
    return replace(
        report,
        held=_held_document(sent, digest),
        acknowledged_version=ack.status_version,
        instance=ack.instance,
        refusal=None,
        unreachable_since_ms=None,
        error="",
    )


def after_refusal(report: EngineReport, refusal: DocumentRefused) -> EngineReport:
    """The engine answered that it keeps what it holds."""
    return replace(report, refusal=refusal, unreachable_since_ms=None, error="")


def after_status(report: EngineReport, status: EngineStatus) -> EngineReport:
    """A status arrived.  What it says of the document counts unless an acknowledgement is newer."""
    restarted = status.instance != report.instance
    acknowledged = 0 if restarted else report.acknowledged_version
    held = report.held if not restarted and _is_older(status, report) else _held_policy(status.policy)
    return replace(
        report,
        status=status,
        held=held,
        acknowledged_version=acknowledged,
        instance=status.instance,
        refusal=None if restarted else report.refusal,
        unreachable_since_ms=None,
        error="",
    )


def _is_older(status: EngineStatus, report: EngineReport) -> bool:
    """Whether what the status says of the document is older than what was acknowledged.

    A renewed lease does not raise the version, so at the same version the issue time decides: within one run an engine never goes back.
    """
    if report.held is None:
        return False
    if status.version < report.acknowledged_version:
        return True
    return status.policy is not None and status.policy.issued_at_ms < report.held.issued_at_ms


def after_failure(report: EngineReport, now_ms: int, error: str) -> EngineReport:
    """The engine could not be reached; what it last said is kept."""
    since = report.unreachable_since_ms if report.unreachable_since_ms is not None else now_ms
    return replace(report, unreachable_since_ms=since, error=error)


def _pairs(sources: list[Source]) -> frozenset[tuple[str, int]]:
    return frozenset((source.uid, source.generation) for source in sources)


def _held_document(sent: PolicyDocument, digest: str) -> Held:
    return Held(sent.seen, digest, _pairs(sent.sources), frozenset(sent.released), sent.issued_at_ms, sent.expires_at_ms, lease_valid=True)


def _held_policy(policy: HeldPolicy | None) -> Held | None:
    if policy is None:
        return None
    return Held(
        policy.seen,
        policy.digest,
        _pairs(policy.sources),
        frozenset(policy.released),
        policy.issued_at_ms,
        policy.expires_at_ms,
        policy.lease_valid,
    )
