"""Decides whether the engines that an object selects enforce it at this generation.  Pure.

In    an object, the engines it selects, their reports
Out   FleetCount and the verdict of EnginesAcknowledged
Flow  conditions, stop_conditions -> HERE
Why   "acknowledged" means enforced (DESIGN promise 4): the held document lists this uid at this generation, and its lease runs
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantum_api.conditions import Reason
from quantum_api.trading_policy import FleetCount
from quantum_operator.condition_set import Verdict, no, yes
from quantum_operator.objects import Engine, Known, selects
from quantum_operator.reports import NOTHING_HEARD, EngineReport

Reports = Mapping[str, EngineReport]
_NAMED = 10


@dataclass(frozen=True)
class Fleet:
    """The engines that one object selects, and their reports."""

    engines: tuple[Engine, ...]
    reports: Reports
    now_ms: int

    def report(self, engine: Engine) -> EngineReport:
        return self.reports.get(engine.name, NOTHING_HEARD)

    def names(self, engines: Sequence[Engine]) -> str:
        shown = ", ".join(e.name for e in engines[:_NAMED])
        return shown if len(engines) <= _NAMED else f"{shown} and {len(engines) - _NAMED} more"


def fleet_of(known: Known, engines: Sequence[Engine], reports: Reports, now_ms: int) -> Fleet:
    return Fleet(tuple(e for e in engines if selects(known, e)), reports, now_ms)


def enforces(report: EngineReport, known: Known, now_ms: int) -> bool:
    """Whether this engine holds a document that was resolved from the object as it is now."""
    return report.lease_runs(now_ms) and report.held is not None and (known.meta.uid, known.meta.generation) in report.held.sources


def count(fleet: Fleet, waiting: Sequence[Engine]) -> FleetCount:
    selected = len(fleet.engines)
    acknowledged = selected - len(waiting)
    return FleetCount(
        selected=selected,
        acknowledged=acknowledged,
        summary=f"{acknowledged}/{selected}",
        waiting_for=[e.name for e in waiting[:_NAMED]],
    )


def acknowledgement(known: Known, fleet: Fleet) -> tuple[FleetCount, Verdict]:
    """EnginesAcknowledged.  No engine at all acknowledges nothing."""
    waiting = [e for e in fleet.engines if not enforces(fleet.report(e), known, fleet.now_ms)]
    return count(fleet, waiting), _verdict(fleet, waiting)


def _verdict(fleet: Fleet, waiting: Sequence[Engine]) -> Verdict:
    if not fleet.engines:
        return no(Reason.NO_ENGINES_SELECTED, "the selector matches no engine pod; compare spec.selector with the pods' labels")
    if not waiting:
        return yes(Reason.ALL_ENGINES_ENFORCE, f"{len(fleet.engines)} of {len(fleet.engines)} engines enforce this generation")
    reason = min((waiting_reason(fleet.report(e), fleet.now_ms) for e in waiting), key=_URGENCY.index)
    alike = [e for e in waiting if waiting_reason(fleet.report(e), fleet.now_ms) is reason]
    detail = _detail(fleet.report(alike[0]), reason)
    return no(reason, f"{len(waiting)} of {len(fleet.engines)} engines do not enforce it yet: {fleet.names(alike)}{detail}")


def waiting_reason(report: EngineReport, now_ms: int) -> Reason:
    """Why this engine is waited for."""
    if report.refusal is not None:
        return Reason.ENGINE_REFUSED
    if report.unreachable_since_ms is not None:
        return Reason.ENGINE_UNREACHABLE
    if report.held is not None and not report.lease_runs(now_ms):
        return Reason.LEASE_EXPIRED
    return Reason.WAITING_FOR_ENGINES


_URGENCY = (Reason.ENGINE_REFUSED, Reason.ENGINE_UNREACHABLE, Reason.LEASE_EXPIRED, Reason.WAITING_FOR_ENGINES)


def _detail(report: EngineReport, reason: Reason) -> str:
    if reason is Reason.ENGINE_REFUSED and report.refusal is not None:
        return f" refused it: {report.refusal.reason}: {report.refusal.message}"
    if reason is Reason.ENGINE_UNREACHABLE:
        return f" cannot be reached: {report.error}"
    return ""
