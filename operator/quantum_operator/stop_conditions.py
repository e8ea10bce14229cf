"""Computes how far a stop is on every engine that it selects.  Pure.

In    an EmergencyStop, its fleet's reports, the status that stands on it now
Out   EmergencyStopStatus: per engine the time of each phase; GateClosed, OrdersCancelled, PositionsFlat, Released
Flow  conditions -> HERE
Why   `kubectl wait` on a phase must return only when the exchange has confirmed it on every selected engine

A phase that the action does not ask for is False with NotAskedFor, never True: nothing was proven, so a wait for it times out.  After the
release the three phases are False with Released; the times in ``progress`` stay.  A released stop that selects no engine any more
counts as Released: approvals were given, and there is nothing left that holds the latch.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from quantum_api.conditions import ConditionType, Reason
from quantum_api.emergency_stop import EmergencyStopStatus, EngineProgress
from quantum_api.engine_status import Latch
from quantum_api.trading_policy import StopAction
from quantum_operator.acknowledgement import Fleet, acknowledgement, count, waiting_reason
from quantum_operator.clock import rfc3339_millis
from quantum_operator.condition_set import Verdict, kstatus, no, stamped, yes
from quantum_operator.objects import Engine, Invalid, Known, Raw, requested_at
from quantum_operator.reports import EngineReport
from quantum_operator.resolve import approvers, is_approved, latch_id

_MAX_ROWS: Final = 1000
_PHASES: Final = {
    ConditionType.GATE_CLOSED: (StopAction.HALT_ENTRIES, "gate_closed_at"),
    ConditionType.ORDERS_CANCELLED: (StopAction.CANCEL_ORDERS, "orders_cancelled_at"),
    ConditionType.POSITIONS_FLAT: (StopAction.FLATTEN, "positions_flat_at"),
}


def stop_status(stop: Known, fleet: Fleet, previous: Raw, required_approvals: int) -> EmergencyStopStatus:
    id_, approved = latch_id(stop), is_approved(stop, required_approvals)
    before = {row.get("name"): row for row in previous.get("progress", [])}
    rows = [_progress(engine, fleet, id_, approved, before.get(engine.name, {})) for engine in fleet.engines]
    _, acknowledged = acknowledgement(stop, fleet)
    released = _released(fleet, id_, approved, f"{len(approvers(stop))}/{required_approvals}", was_released=_was_released(previous))
    phases = {type_: _phase(stop, type_, fleet, rows, released) for type_ in _PHASES}
    verdicts = {
        **_summary(stop, acknowledged, phases, released, approved),
        **phases,
        ConditionType.ENGINES_ACKNOWLEDGED: acknowledged,
        ConditionType.RELEASED: released,
    }
    without = [e for e in fleet.engines if _latch(fleet.report(e), id_) is None]
    return EmergencyStopStatus(
        observed_generation=stop.meta.generation,
        last_handled_reconcile_at=requested_at(stop),
        approvals=f"{len(approvers(stop))}/{required_approvals}",
        released_by=list(approvers(stop)) if approved else [],
        engines=count(fleet, without),
        progress=rows[:_MAX_ROWS],
        conditions=stamped(verdicts, previous.get("conditions", []), stop.meta.generation, fleet.now_ms),
    )


def is_cleared(report: EngineReport, id_: str, now_ms: int) -> bool:
    """Whether the engine holds a document that releases this latch, and says that the latch is gone."""
    current = report.counts(now_ms) and report.status_is_current and report.held is not None
    return bool(current and report.held and id_ in report.held.released and _latch(report, id_) is None)


def _latch(report: EngineReport, id_: str) -> Latch | None:
    return next((latch for latch in report.latches if latch.id == id_), None)


def _progress(engine: Engine, fleet: Fleet, id_: str, approved: bool, before: Mapping[str, Any]) -> EngineProgress:
    """One row.  Of a latch the engine's own word counts, also when it is taken back; the times are kept once the latch is gone."""
    report = fleet.report(engine)
    latch, status = _latch(report, id_), report.status
    cleared = approved and is_cleared(report, id_, fleet.now_ms)
    kept = before if latch is None else {}
    return EngineProgress(
        name=engine.name,
        gate=str(status.gate) if status else "",
        gate_closed_at=_time(latch.gate_closed_at_ms if latch else None) or kept.get("gateClosedAt", ""),
        orders_cancelled_at=_time(latch.orders_cancelled_at_ms if latch else None) or kept.get("ordersCancelledAt", ""),
        positions_flat_at=_time(latch.positions_flat_at_ms if latch else None) or kept.get("positionsFlatAt", ""),
        released_at=(before.get("releasedAt") or (_time(fleet.now_ms) if cleared else "")) if approved and latch is None else "",
        message=_message(report, latch, fleet.now_ms, cleared=cleared)[:512],
    )


def _time(unix_ms: int | None) -> str:
    return "" if unix_ms is None else rfc3339_millis(unix_ms)


def _message(report: EngineReport, latch: Latch | None, now_ms: int, *, cleared: bool) -> str:
    if report.unreachable_since_ms is not None:
        kept = "its last report is shown" if report.counts(now_ms) else "its lease has run out"
        return f"unreachable since {rfc3339_millis(report.unreachable_since_ms)}, {kept}: {report.error}"
    if latch is not None:
        return latch.message
    return "" if cleared else "has not latched it yet"


def _phase(stop: Known, type_: ConditionType, fleet: Fleet, rows: Sequence[EngineProgress], released: Verdict) -> Verdict:
    action, column = _PHASES[type_]
    asked_for = StopAction.HALT_ENTRIES if isinstance(stop, Invalid) else stop.spec.action
    if asked_for.strength < action.strength:
        return no(Reason.NOT_ASKED_FOR, f"action does not go as far as {action}")
    if released.is_true:
        return no(Reason.RELEASED, "released; status.progress keeps the times")
    if not fleet.engines:
        return no(Reason.NO_ENGINES_SELECTED, "the selector matches no engine pod")
    done = {row.name for row in rows if getattr(row, column)}
    waiting = [e for e in fleet.engines if e.name not in done or _lost(fleet.report(e), latch_id(stop), asked_for, fleet.now_ms)]
    if not waiting:
        return yes(Reason.ENGAGED, f"{len(fleet.engines)} of {len(fleet.engines)} engines")
    reason = _engaging_reason(fleet, waiting, latch_id(stop))
    return no(reason, f"{len(waiting)} of {len(fleet.engines)} engines are not there yet: {fleet.names(waiting)}")


def _lost(report: EngineReport, id_: str, asked_for: StopAction, now_ms: int) -> bool:
    """The engine's own word does not stand behind the times: it does not hold the latch, only a weaker one, or nobody knows."""
    latch = _latch(report, id_)
    return not report.counts(now_ms) or latch is None or latch.action.strength < asked_for.strength


def _engaging_reason(fleet: Fleet, waiting: Sequence[Engine], id_: str) -> Reason:
    reasons = {waiting_reason(fleet.report(e), fleet.now_ms) for e in waiting}
    for reason in (Reason.ENGINE_REFUSED, Reason.ENGINE_UNREACHABLE):
        if reason in reasons:
            return reason
    latches = [_latch(fleet.report(e), id_) for e in waiting]
    return Reason.OVERDUE if any(latch is not None and latch.overdue for latch in latches) else Reason.ENGAGING


def _was_released(previous: Raw) -> bool:
    return any(c.get("type") == ConditionType.RELEASED and c.get("status") == "True" for c in previous.get("conditions", []))


def _released(fleet: Fleet, id_: str, approved: bool, approvals: str, *, was_released: bool) -> Verdict:
    """Once cleared everywhere, only an engine that says it is latched takes that back, not one that says nothing for a moment.

    The guards freeze and unlock the object by this word, so it may not come and go with every acknowledgement.
    """
    if not approved:
        return no(Reason.AWAITING_APPROVALS, f"{approvals} approvals")
    if was_released:
        waiting = [e for e in fleet.engines if _latch(fleet.report(e), id_)]
    else:
        waiting = [e for e in fleet.engines if not is_cleared(fleet.report(e), id_, fleet.now_ms)]
    if not waiting:
        return yes(Reason.RELEASED, f"cleared on {len(fleet.engines)} engines")
    if any(not fleet.report(e).counts(fleet.now_ms) for e in waiting):
        return no(Reason.ENGINE_UNREACHABLE, f"no report from {fleet.names(waiting)}")
    if any(_latch(fleet.report(e), id_) for e in waiting):
        return no(Reason.AWAITING_COOLDOWN, f"still latched: {fleet.names(waiting)}")
    return no(Reason.WAITING_FOR_ENGINES, f"not yet confirmed: {fleet.names(waiting)}")


def _summary(
    stop: Known, acknowledged: Verdict, phases: Mapping[ConditionType, Verdict], released: Verdict, approved: bool
) -> dict[ConditionType, Verdict]:
    """Ready once the stop has done all that it asks for, or is released; Reconciling until then and while a release is under way."""
    if isinstance(stop, Invalid):
        return kstatus(acknowledged, stop.error, suspended=False)
    if released.is_true:
        return kstatus(released, None, suspended=False)
    if approved:
        return kstatus(released, None, suspended=False)
    asked = [verdict for verdict in phases.values() if verdict.reason is not Reason.NOT_ASKED_FOR]
    unfinished = next((verdict for verdict in asked if not verdict.is_true), None)
    return kstatus(unfinished or yes(Reason.ENGAGED, "every phase asked for is done"), None, suspended=False)
