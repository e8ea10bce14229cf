"""Computes the status of every object from what the engines last said.  Pure.

In    a Snapshot, engine reports, wall time, how many approvals release a stop
Out   one status per object, exactly in the shapes of quantum_api
Flow  world, engine links -> HERE -> status writer
Why   level-triggered: the same reports give the same status, whichever message was lost on the way

An unreachable engine keeps its last report until its lease has run out; after that EnginesAcknowledged is False and what only the
engine can know is Unknown, both with EngineUnreachable.
"""

from collections.abc import Mapping
from typing import Any

from quantum_api.conditions import ConditionType, Reason
from quantum_api.model import ApiModel
from quantum_api.strategy_mode import StrategyModeStatus
from quantum_api.trading_policy import TradingPolicyStatus
from quantum_api.triggers import Trigger
from quantum_operator.acknowledgement import Fleet, Reports, acknowledgement, fleet_of
from quantum_operator.condition_set import Verdict, kstatus, no, stamped, unknown, yes
from quantum_operator.objects import Engine, Invalid, Known, Raw, requested_at, selects
from quantum_operator.resolve import is_approved
from quantum_operator.stop_conditions import stop_status
from quantum_operator.world import Snapshot

Key = tuple[str, str, str]


def conditions(
    snapshot: Snapshot, previous: Mapping[Key, Raw], reports: Reports, now_ms: int, required_approvals: int
) -> dict[Key, ApiModel]:
    """Status of every object; ``previous`` is what stands on each now."""
    engines = tuple(snapshot.engines.values())
    statuses: dict[Key, ApiModel] = {}
    for policy in snapshot.policies:
        fleet = fleet_of(policy, engines, reports, now_ms)
        stops = _stops_by_engine(snapshot, fleet, required_approvals)
        statuses[policy.key] = policy_status(policy, fleet, stops, previous.get(policy.key, {}))
    for mode in snapshot.modes:
        statuses[mode.key] = mode_status(mode, fleet_of(mode, engines, reports, now_ms), previous.get(mode.key, {}))
    for stop in snapshot.stops:
        fleet = fleet_of(stop, engines, reports, now_ms)
        statuses[stop.key] = stop_status(stop, fleet, previous.get(stop.key, {}), required_approvals)
    return statuses


def policy_status(policy: Known, fleet: Fleet, stops: Mapping[str, list[Known]], previous: Raw) -> TradingPolicyStatus:
    counted, acknowledged = acknowledgement(policy, fleet)
    verdicts = _common(policy, acknowledged) | {
        ConditionType.EMERGENCY_STOP_ACTIVE: _stop_active(fleet, stops),
        ConditionType.DRAWDOWN_BREACHED: _drawdown_breached(fleet, stops),
    }
    return TradingPolicyStatus(
        observed_generation=policy.meta.generation,
        last_handled_reconcile_at=requested_at(policy),
        engines=counted,
        conditions=stamped(verdicts, previous.get("conditions", []), policy.meta.generation, fleet.now_ms),
    )


def mode_status(mode: Known, fleet: Fleet, previous: Raw) -> StrategyModeStatus:
    counted, acknowledged = acknowledgement(mode, fleet)
    return StrategyModeStatus(
        observed_generation=mode.meta.generation,
        last_handled_reconcile_at=requested_at(mode),
        engines=counted,
        conditions=stamped(_common(mode, acknowledged), previous.get("conditions", []), mode.meta.generation, fleet.now_ms),
    )


def _common(known: Known, acknowledged: Verdict) -> dict[ConditionType, Verdict]:
    invalid = known.error if isinstance(known, Invalid) else None
    suspended = (known.spec.get("suspend") if isinstance(known, Invalid) else known.spec.suspend) is True
    said = yes(Reason.SUSPENDED, "spec.suspend is true") if suspended else no(Reason.NOT_SUSPENDED)
    return {
        **kstatus(acknowledged, invalid, suspended=suspended),
        ConditionType.SUSPENDED: said,
        ConditionType.ENGINES_ACKNOWLEDGED: acknowledged,
    }


def _stops_by_engine(snapshot: Snapshot, fleet: Fleet, required_approvals: int) -> dict[str, list[Known]]:
    """The unreleased stop objects of each engine: they count before the engine has said anything."""
    in_force = [s for s in snapshot.stops if not is_approved(s, required_approvals)]
    return {e.name: [s for s in in_force if selects(s, e)] for e in fleet.engines} if in_force else {}


def _stop_active(fleet: Fleet, stops: Mapping[str, list[Known]]) -> Verdict:
    stopped = [e for e in fleet.engines if stops.get(e.name) or fleet.report(e).latches]
    if stopped:
        return yes(Reason.STOP_IN_FORCE, f"stopped: {fleet.names(stopped)}")
    return _silent(fleet) or no(Reason.NO_STOP)


def _drawdown_breached(fleet: Fleet, stops: Mapping[str, list[Known]]) -> Verdict:
    """A breach stands until its latch is released, whatever equity does meanwhile."""
    breached = [e for e in fleet.engines if _has_breached(fleet, e, stops)]
    if breached:
        return yes(Reason.ABOVE_LIMIT, f"drawdown above maxDrawdownBps: {', '.join(_breach(fleet, e) for e in breached[:10])}")
    silent = _silent(fleet)
    if silent is not None:
        return silent
    blind = [e for e in fleet.engines if _drawdown_bps(fleet, e) is None]
    if blind:
        return unknown(Reason.EQUITY_UNKNOWN, f"equity is not known: {fleet.names(blind)}")
    return no(Reason.WITHIN_LIMIT, "" if fleet.engines else "no engine is selected")


def _has_breached(fleet: Fleet, engine: Engine, stops: Mapping[str, list[Known]]) -> bool:
    report = fleet.report(engine)
    if any(latch.trigger == Trigger.DRAWDOWN for latch in report.latches) or (report.status and report.status.drawdown.breached):
        return True
    return any(_origin_trigger(stop, engine) == Trigger.DRAWDOWN for stop in stops.get(engine.name, ()))


def _origin_trigger(stop: Known, engine: Engine) -> str | None:
    origin: Any = None if isinstance(stop, Invalid) else stop.spec.origin
    return origin.trigger if origin is not None and origin.engine == engine.name else None


def _breach(fleet: Fleet, engine: Engine) -> str:
    bps = _drawdown_bps(fleet, engine)
    return engine.name if bps is None else f"{engine.name} at {bps} bps"


def _drawdown_bps(fleet: Fleet, engine: Engine) -> int | None:
    status = fleet.report(engine).status
    return status.drawdown.drawdown_bps if status else None


def _silent(fleet: Fleet) -> Verdict | None:
    """Unknown, when some engine has not said anything that still counts."""
    silent = [e for e in fleet.engines if not fleet.report(e).counts(fleet.now_ms) or fleet.report(e).status is None]
    return unknown(Reason.ENGINE_UNREACHABLE, f"no report from {fleet.names(silent)}") if silent else None
