"""Turns single probe results into a verdict.  Pure.

In    a probe's thresholds, one result after the other
Out   the verdict: passing or failing
Flow  probe runner -> HERE -> container (ready, started, restart)
Why   a verdict moves only after as many results in a row as its threshold says
"""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class ProbeSpec:
    """Defaults as the API server fills them in."""

    initial_delay_seconds: float = 0.0
    period_seconds: float = 10.0
    timeout_seconds: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3

    @classmethod
    def read(cls, probe: dict[str, Any]) -> "ProbeSpec":
        return cls(
            float(probe.get("initialDelaySeconds", 0)),
            float(probe.get("periodSeconds", 10)),
            float(probe.get("timeoutSeconds", 1)),
            int(probe.get("successThreshold", 1)),
            int(probe.get("failureThreshold", 3)),
        )


@dataclass(frozen=True)
class ProbeState:
    """``passing`` starts True for liveness and False for readiness and startup; ``failed`` is a verdict, not a result."""

    passing: bool
    failed: bool = False
    run: int = 0
    last: bool | None = None


def step(state: ProbeState, spec: ProbeSpec, ok: bool) -> ProbeState:
    """Count one result."""
    run = state.run + 1 if state.last == ok else 1
    counted = replace(state, run=run, last=ok)
    if ok and run >= spec.success_threshold:
        return replace(counted, passing=True, failed=False)
    if not ok and run >= spec.failure_threshold:
        return replace(counted, passing=False, failed=True)
    return counted
