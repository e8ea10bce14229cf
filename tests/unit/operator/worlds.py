"""Raw objects and ready-made snapshots for the operator's pure tests."""

from typing import Any

from quantum_api.engine_status import Drawdown, EmergencyState, EngineStatus, HeldPolicy, Latch, LatchOrigin
from quantum_api.gate import Gate
from quantum_api.policy_document import Seen, Source
from quantum_api.trading_policy import StopAction
from quantum_operator.objects import parse_engine
from quantum_operator.reports import EngineReport, after_status
from quantum_operator.world import Resource, Snapshot, World

Raw = dict[str, Any]
NOW_MS = 1_800_000_000_000
LIMITS: Raw = {
    "instruments": ["BTCUSDT", "ETHUSDT"],
    "maxOrderNotionalUsdt": 1000,
    "maxPositionNotionalUsdt": 5000,
    "maxGrossExposureUsdt": 10_000,
}


def raw(name: str, spec: Raw, version: int = 10, generation: int = 1, uid: str = "", **meta: Any) -> Raw:
    metadata = {
        "name": name,
        "namespace": "ns",
        "uid": uid or f"uid-{name}",
        "resourceVersion": str(version),
        "generation": generation,
        **meta,
    }
    return {"metadata": metadata, "spec": spec}


def policy(name: str = "base", version: int = 10, generation: int = 1, meta: Raw | None = None, **over: Any) -> Raw:
    return raw(name, {**LIMITS, **over}, version, generation, **(meta or {}))


def mode(name: str, kind: str, version: int = 10, selector: Raw | None = None, suspend: bool = False, **parameters: Any) -> Raw:
    return raw(name, {"mode": kind, "parameters": parameters, "selector": selector or {}, "suspend": suspend}, version)


def stop(name: str = "stop", action: str = "Flatten", approvals: int = 0, version: int = 10, **over: Any) -> Raw:
    given = [{"by": f"person-{n}"} for n in range(approvals)]
    return raw(name, {"action": action, "reason": "test", "approvals": given, **over}, version)


def pod(name: str = "engine-0", version: int = 10, ip: str | None = "127.0.0.1", **labels: str) -> Raw:
    found = raw(name, {"containers": [{"ports": [{"name": "control", "containerPort": 8080}]}]}, version)
    found["metadata"]["labels"] = {"app.kubernetes.io/component": "engine", "statefulset.kubernetes.io/pod-name": name, **labels}
    found["status"] = {"phase": "Running", **({"podIP": ip} if ip else {})}
    return found


ENGINE = parse_engine(pod())


def world(
    policies: list[Raw] | None = None, modes: list[Raw] | None = None, stops: list[Raw] | None = None, pods: list[Raw] | None = None
) -> World:
    made = World()
    made.replace(Resource.TRADING_POLICIES, 100, policies or [])
    made.replace(Resource.STRATEGY_MODES, 100, modes or [])
    made.replace(Resource.EMERGENCY_STOPS, 100, stops or [])
    made.replace(Resource.ENGINES, 100, [pod()] if pods is None else pods)
    return made


def snapshot(**resources: list[Raw]) -> Snapshot:
    return world(**resources).snapshot()


def latch(id_: str = "latch-1", **over: Any) -> Latch:
    base: Raw = {
        "id": id_, "action": StopAction.FLATTEN, "origin": LatchOrigin.ENGINE, "trigger": "Drawdown", "reason": "equity fell",
        "measured": "1200 bps", "limit": "1000 bps", "tripped_at_ms": NOW_MS, "gate_closed_at_ms": NOW_MS,
    }  # fmt: skip
    return Latch(**{**base, **over})


def held(*sources: tuple[str, int], released: list[str] | None = None, lease_ms: int = 60_000, seen: Seen | None = None) -> HeldPolicy:
    return HeldPolicy(
        epoch=100, seen=seen or Seen(trading_policies=100, strategy_modes=100, emergency_stops=100, engine=10), digest="d", key_id="k",
        issued_at_ms=NOW_MS, expires_at_ms=NOW_MS + lease_ms, applied_at_ms=NOW_MS, lease_valid=True,
        sources=[Source(kind="TradingPolicy", name=uid, uid=uid, generation=generation) for uid, generation in sources],
        released=released or [],
    )  # fmt: skip


def status(policy: HeldPolicy | None = None, latches: list[Latch] | None = None, version: int = 5, **over: Any) -> EngineStatus:
    base: Raw = {
        "engine": "ns/engine-0", "instance": "i1", "version": version, "started_at_ms": 0, "as_of_ms": NOW_MS, "gate": Gate.ACTIVE,
        "policy": policy, "emergency": EmergencyState.ARMED, "latches": latches or [],
        "drawdown": Drawdown(equity_usdt="900", peak_usdt="1000", drawdown_bps=100), "reconciled": True,
    }  # fmt: skip
    return EngineStatus(**{**base, **over})


def report(policy: HeldPolicy | None = None, latches: list[Latch] | None = None, **over: Any) -> EngineReport:
    return after_status(EngineReport(), status(policy, latches, **over))
