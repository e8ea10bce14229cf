"""Builds a list of conditions in which lastTransitionTime moves only when status flips.  Pure.

In    verdicts, the conditions that stand on the object now, wall time
Out   metav1 conditions sorted by type; the transitions between two lists
Flow  conditions, stop_conditions -> HERE -> status writer (and one Kubernetes event per transition)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantum_api.conditions import Condition, ConditionType, Reason, Status
from quantum_operator.clock import rfc3339


@dataclass(frozen=True)
class Verdict:
    """One condition before it has a time."""

    status: Status
    reason: Reason
    message: str = ""

    @property
    def is_true(self) -> bool:
        return self.status == "True"


@dataclass(frozen=True)
class Transition:
    """A condition whose status flipped."""

    type: str
    status: str
    reason: str
    message: str


def yes(reason: Reason, message: str = "") -> Verdict:
    return Verdict("True", reason, message)


def no(reason: Reason, message: str = "") -> Verdict:
    return Verdict("False", reason, message)


def unknown(reason: Reason, message: str = "") -> Verdict:
    return Verdict("Unknown", reason, message)


def stamped(
    verdicts: Mapping[ConditionType, Verdict], previous: Sequence[Mapping[str, Any]], generation: int, now_ms: int
) -> list[Condition]:
    """Give each verdict its time: the old one unless its status flipped."""
    before = {str(c.get("type")): c for c in previous}
    found = []
    for type_, verdict in sorted(verdicts.items()):
        old = before.get(type_)
        kept = old.get("lastTransitionTime") if old and old.get("status") == verdict.status else None
        found.append(
            Condition(
                type=type_,
                status=verdict.status,
                observed_generation=generation,
                last_transition_time=kept or rfc3339(now_ms),
                reason=verdict.reason,
                message=verdict.message,
            )
        )
    return found


def transitions(previous: Sequence[Mapping[str, Any]], current: Sequence[Mapping[str, Any]]) -> list[Transition]:
    """What flipped, and what became overdue.

    A condition that appears counts only when it appears as True: not being so is how everything starts.
    """
    before = {str(c.get("type")): c for c in previous}
    told = [c for c in current if _flipped(c, before.get(c["type"], {})) or _became_overdue(c, before.get(c["type"], {}))]
    return [Transition(c["type"], c["status"], c["reason"], c.get("message", "")) for c in told]


def _flipped(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return bool(now["status"] != before.get("status", now["status"] if now["status"] != "True" else None))


def _became_overdue(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Of a phase of a stop; the summary repeats it."""
    is_phase = now["type"] in (ConditionType.ORDERS_CANCELLED, ConditionType.POSITIONS_FLAT)
    return is_phase and now["reason"] == Reason.OVERDUE and before.get("reason") != Reason.OVERDUE


def kstatus(acknowledged: Verdict, invalid: str | None, *, suspended: bool) -> dict[ConditionType, Verdict]:
    """Ready, Reconciling and Stalled from whether the engines enforce the object."""
    if invalid is not None:
        stalled = yes(Reason.INVALID_SPEC, invalid)
        return _trio(no(Reason.INVALID_SPEC, invalid), no(Reason.INVALID_SPEC), stalled)
    calm = no(Reason.SUCCEEDED)
    if suspended:
        return _trio(no(Reason.SUSPENDED, "suspended: not in force on any engine"), calm, calm)
    if acknowledged.is_true:
        return _trio(yes(Reason.SUCCEEDED, acknowledged.message), calm, calm)
    waiting = acknowledged.reason is not Reason.NO_ENGINES_SELECTED
    reconciling = yes(acknowledged.reason, acknowledged.message) if waiting else no(acknowledged.reason, acknowledged.message)
    return _trio(no(acknowledged.reason, acknowledged.message), reconciling, calm)


def _trio(ready: Verdict, reconciling: Verdict, stalled: Verdict) -> dict[ConditionType, Verdict]:
    return {ConditionType.READY: ready, ConditionType.RECONCILING: reconciling, ConditionType.STALLED: stalled}
