"""Decides what one engine may do, from every object that selects it.  Pure.

In    the objects of the namespace, one engine, how many approvals release a stop
Out   Resolved: gate, limits, strategy, stops in force, released latch ids, sources; and from it a PolicyDocument
Flow  world -> HERE -> signing -> engine
Why   most restrictive wins per field (DESIGN 3): objects never conflict, and adding one never loosens

The tight side, where something is missing or cannot be read:
- no policy, or no instrument that all policies permit: HALTED without limits
- an invalid policy: REDUCE_ONLY under the limits of the readable ones, HALTED if there are none
- an invalid mode: no strategy, so no new signals
- an invalid stop: in force with the action it names (HaltEntries if unreadable), for what its selector says or else for every engine;
  it cannot be released until it is repaired
Every object that was considered is a source, suspended and released ones too: an engine that holds the document knows of them.
An object with a deletionTimestamp stays in force until it is gone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from quantum_api.emergency_stop import EmergencyStopSpec
from quantum_api.gate import Gate, most_restrictive
from quantum_api.kinds import Obj
from quantum_api.policy_document import PolicyDocument, Seen, Source, StopOrder
from quantum_api.strategy_mode import Strategy
from quantum_api.trading_policy import Limits, StopAction
from quantum_operator.merge import merge_limits, merge_modes
from quantum_operator.objects import Engine, Invalid, Known, selects
from quantum_operator.sight import expires_at_ms

LEASE_WITHOUT_POLICY_SECONDS: Final = 60
REASON_CHARACTERS: Final = 256
"""Of a stop's reason in the document; the object keeps all of it."""
MOST_STOPS: Final = 1_000
_GATE_OF: Final = {
    StopAction.HALT_ENTRIES: Gate.REDUCE_ONLY,
    StopAction.CANCEL_ORDERS: Gate.EXIT_ONLY,
    StopAction.FLATTEN: Gate.EXIT_ONLY,
}


class Objects(Protocol):
    """The objects of one namespace."""

    @property
    def policies(self) -> Sequence[Known]: ...
    @property
    def modes(self) -> Sequence[Known]: ...
    @property
    def stops(self) -> Sequence[Known]: ...


@dataclass(frozen=True)
class Resolved:
    """What a document says, apart from who, when and from which state of the world."""

    gate: Gate
    limits: Limits | None
    strategy: Strategy | None
    stops: tuple[StopOrder, ...]
    released: tuple[str, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()

    @property
    def lease_seconds(self) -> int:
        return self.limits.lease_seconds if self.limits else LEASE_WITHOUT_POLICY_SECONDS


Selected = tuple[tuple[Known, ...], tuple[Known, ...], tuple[Known, ...]]


def resolve(objects: Objects, engine: Engine, required_approvals: int) -> Resolved:
    """Everything ``engine`` is told."""
    return resolve_selected(select(objects, engine), required_approvals)


def select(objects: Objects, engine: Engine) -> Selected:
    """The policies, modes and stops that are for this engine: engines with the same selection are told the same."""
    policies, modes, stops = (tuple(k for k in known if selects(k, engine)) for known in (objects.policies, objects.modes, objects.stops))
    return policies, modes, stops


def resolve_selected(selected: Selected, required_approvals: int) -> Resolved:
    policies, modes, stops = selected
    limits, policy_gate, policy_notes = _limits(policies)
    strategy, mode_notes = _strategy(modes)
    orders, released = _stops(stops, required_approvals)
    stop_gates = [_GATE_OF[order.action] for order in orders if not order.symbols]
    return Resolved(
        most_restrictive(policy_gate, *stop_gates),
        limits,
        strategy,
        orders,
        released,
        _sources([*policies, *modes, *stops]),
        (*policy_notes, *mode_notes),
    )


def document(resolved: Resolved, engine: str, seen: Seen, issued_at_ms: int, confirmed_at_ms: int) -> PolicyDocument:
    """``resolved`` as it is sent to ``engine``; ``confirmed_at_ms`` = when all objects were last seen."""
    return PolicyDocument(
        engine=engine,
        epoch=seen.epoch,
        seen=seen,
        issued_at_ms=issued_at_ms,
        expires_at_ms=expires_at_ms(issued_at_ms, confirmed_at_ms, resolved.lease_seconds),
        lease_seconds=resolved.lease_seconds,
        gate=resolved.gate,
        limits=resolved.limits,
        strategy=resolved.strategy,
        stops=list(resolved.stops),
        released=list(resolved.released),
        sources=list(resolved.sources),
    )


def tightest(resolved: Resolved) -> Resolved:
    """What is sent when everything does not fit into one document: the strongest stops, nothing released, and a closed gate.

    Somebody who may create stops could otherwise pile up so many that a Flatten never arrives.  Without sources nothing counts as
    acknowledged, so it is seen.
    """
    strongest = sorted(resolved.stops, key=lambda order: (bool(order.symbols), -order.action.strength, order.id))
    gate = most_restrictive(resolved.gate, Gate.EXIT_ONLY)
    note = f"{len(resolved.stops)} stops do not fit into one document: release and delete some"
    return replace(resolved, gate=gate, stops=tuple(strongest[:MOST_STOPS]), released=(), sources=(), notes=(*resolved.notes, note))


def latch_id(known: Known) -> str:
    """The id under which engines latch this stop: the engine's own for a stop it pulled itself, else the object's uid."""
    if isinstance(known, Invalid):
        origin = known.spec.get("origin")
        named = origin.get("latchId") if isinstance(origin, dict) else None
        return named[:128] if isinstance(named, str) and named else known.meta.uid
    spec: EmergencyStopSpec = known.spec
    return spec.origin.latch_id if spec.origin else known.meta.uid


def approvers(known: Known) -> tuple[str, ...]:
    """Different people who approved the release of this stop, in order of name."""
    return () if isinstance(known, Invalid) else tuple(sorted({approval.by for approval in known.spec.approvals}))


def is_approved(known: Known, required_approvals: int) -> bool:
    """Whether enough different people approved."""
    return not isinstance(known, Invalid) and len(approvers(known)) >= required_approvals


def _limits(policies: Sequence[Known]) -> tuple[Limits | None, Gate, tuple[str, ...]]:
    in_force = [p for p in policies if not _suspended(p)]
    broken = [p for p in in_force if isinstance(p, Invalid)]
    readable = [p.spec for p in in_force if isinstance(p, Obj)]
    notes = tuple(f"TradingPolicy {p.meta.name} cannot be read, nothing may open: {p.error}" for p in broken)
    if not readable:
        return None, Gate.HALTED, notes
    limits = merge_limits(readable)
    if limits is None:
        return None, Gate.HALTED, (*notes, "no instrument is permitted by every policy that selects this engine")
    return limits, Gate.REDUCE_ONLY if broken else Gate.ACTIVE, notes


def _strategy(modes: Sequence[Known]) -> tuple[Strategy | None, tuple[str, ...]]:
    in_force = [m for m in modes if not _suspended(m)]
    broken = [m for m in in_force if isinstance(m, Invalid)]
    if broken:
        return None, tuple(f"StrategyMode {m.meta.name} cannot be read, no new signals: {m.error}" for m in broken)
    return merge_modes([(m.meta.name, m.spec) for m in in_force if isinstance(m, Obj)])


def _stops(stops: Sequence[Known], required_approvals: int) -> tuple[tuple[StopOrder, ...], tuple[str, ...]]:
    in_force = [s for s in stops if not is_approved(s, required_approvals)]
    orders = [_order(stop) for stop in in_force]
    by_id = {id_: _strongest([o for o in orders if o.id == id_]) for id_ in sorted({o.id for o in orders})}
    released = {latch_id(s) for s in stops if is_approved(s, required_approvals)} - by_id.keys()
    return tuple(by_id.values()), tuple(sorted(released))


def _strongest(orders: Sequence[StopOrder]) -> StopOrder:
    """Several objects may name one latch; the engine has it once."""
    first = min(orders, key=lambda order: order.name)
    action = max((order.action for order in orders), key=lambda action: action.strength)
    whole = any(not order.symbols for order in orders)
    symbols = [] if whole else sorted({symbol for order in orders for symbol in order.symbols})
    return first.model_copy(update={"action": action, "symbols": symbols})


def _order(stop: Known) -> StopOrder:
    if isinstance(stop, Invalid):
        action = stop.spec.get("action")
        strongest_readable = StopAction(action) if action in list(StopAction) else StopAction.HALT_ENTRIES
        return StopOrder(
            id=latch_id(stop), name=stop.meta.name, action=strongest_readable, reason=f"unreadable stop: {stop.error}"[:REASON_CHARACTERS]
        )
    spec: EmergencyStopSpec = stop.spec
    return StopOrder(
        id=latch_id(stop), name=stop.meta.name, action=spec.action, symbols=sorted(spec.symbols), reason=spec.reason[:REASON_CHARACTERS]
    )


def _sources(objects: Iterable[Known]) -> tuple[Source, ...]:
    found = [Source(kind=o.kind.kind, name=o.meta.name, uid=o.meta.uid, generation=o.meta.generation) for o in objects]
    return tuple(sorted(found, key=lambda s: (s.kind, s.name, s.uid)))


def _suspended(known: Known) -> bool:
    suspend: Any = known.spec.get("suspend") if isinstance(known, Invalid) else known.spec.suspend
    return suspend is True
