"""The latches in force, in memory: closing the gate is one synchronous call, remembering it comes right behind.

In    trips, stops of a policy document, released ids, what a restart finds
Out   restrictions "stop…", journal writes still owed, rows for the mirror
Flow  risk, policy, control, halt file -> HERE -> permission; service writes to the journal
Why   nothing that waits may stand between a breach and a closed gate; and a latch goes only when its id was released
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue, ValidationError

from quantum_api.bus_envelope import EventClass
from quantum_api.engine_status import EmergencyState, Latch, LatchOrigin
from quantum_api.events import StopEvent
from quantum_api.policy_document import StopOrder
from quantum_api.trading_policy import StopAction
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.emergency import events
from quantum_engine.emergency.latches import GATE_OF, SOURCE, releasable, restrictions, state_of_all, strengthened
from quantum_engine.errors import CorruptStateError
from quantum_engine.journal import Delete, Publish, Put, Table, Write
from quantum_engine.logs import logger
from quantum_engine.permission import Permission, Restriction

CLEARED_KEY: Final = "cleared-latches"
_MAX_CLEARED: Final = 256
_PHASES: Final = ("gate_closed_at_ms", "orders_cancelled_at_ms", "positions_flat_at_ms", "cooldown_until_ms")
"""What only the journal and the exchange can vouch for."""
_log = logger("emergency")


@dataclass(frozen=True, slots=True)
class Owed:
    """What one commit takes along: latches by id (None = remove the row), and the events that tell of them."""

    latches: Mapping[str, Latch | None] = field(default_factory=dict)
    events: tuple[Publish, ...] = ()


class LatchBook:
    """Every latch, by id."""

    def __init__(self, permission: Permission, clock: Clock) -> None:
        self._permission = permission
        self._clock = clock
        self._latches: dict[str, Latch] = {}
        self._owed: dict[str, Latch | None] = {}
        self._events: list[Publish] = []
        """In no commit yet."""
        self._in_document = Owed()
        self._released: frozenset[str] = frozenset()
        self._cleared: list[str] = []
        self._not_before: dict[str, float] = {}
        self._born: dict[str, float] = {}
        self._tripped_at: dict[str, float] = {}
        self._listeners: list[Callable[[], None]] = []
        self._clear_listeners: list[Callable[[Latch], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change; it must not raise or wait."""
        self._listeners.append(listener)

    def on_clear(self, listener: Callable[[Latch], None]) -> None:
        """Call ``listener`` with each latch that a release cleared."""
        self._clear_listeners.append(listener)

    @property
    def latches(self) -> tuple[Latch, ...]:
        return tuple(self._latches.values())

    @property
    def state(self) -> EmergencyState:
        return state_of_all(self._latches.values())

    @property
    def owes(self) -> bool:
        """Whether the journal lags behind memory."""
        return bool(self._owed or self._events)

    def was_cleared(self, latch_id: str) -> bool:
        """Whether people released it, here or by the document in force: a new stop of that id would be let go by the old release."""
        return latch_id in self._cleared or (latch_id in self._released and latch_id not in self._latches)

    def get(self, latch_id: str) -> Latch | None:
        return self._latches.get(latch_id)

    def restore(self, rows: Mapping[str, bytes], cleared: bytes) -> None:
        """Take up the journal's rows: what is latched on disk is latched."""
        try:
            self._cleared = list(json.loads(cleared))
            found = {key: Latch.model_validate_json(value) for key, value in rows.items()}
        except (ValidationError, ValueError) as error:
            raise CorruptStateError(f"a latch in the journal cannot be read: {error}") from error
        now_ms = self._clock.wall_ms()
        for latch in found.values():
            stamped = latch if latch.gate_closed_at_ms else latch.model_copy(update={"gate_closed_at_ms": now_ms})
            self._set(stamped, owed=stamped is not latch)
        self._settle()

    def import_mirrored(self, rows: Mapping[str, bytes]) -> None:
        """Union with what the mirror remembers: tightens only, and never brings back what was released here.

        Nobody signed these rows: one that bears another's id could put itself over a latch that is in force.
        """
        for key, value in rows.items():
            if key in self._latches or key in self._cleared or key in self._released:
                continue
            try:
                latch = Latch.model_validate_json(value)
            except ValidationError as error:
                _log.error("mirrored_latch_unreadable", latch=key, error=str(error))
                continue
            if latch.id != key:
                _log.error("mirrored_latch_unreadable", latch=key, error=f"it bears the id {latch.id!r}")
                continue
            self._set(latch.model_copy(update=dict.fromkeys(_PHASES)))
        self._settle()

    def trip(self, latch: Latch, cause: Mapping[str, JsonValue] | None = None) -> Latch:
        """Latch now.  When this returns the gate is closed in memory.  The same id again only strengthens.

        ``cause``: the numbers of the evaluator that pulled it, told in the same transaction as the latch.
        """
        known = self._latches.get(latch.id)
        after = latch if known is None else strengthened(known, latch.action, latch.symbols)
        if after is not known:
            self._tripped_at[latch.id] = time.perf_counter()
            self._born.setdefault(latch.id, self._clock.monotonic())
            self._set(after)
            self._settle()
            metrics.TRIPS.labels(latch.trigger, latch.action).inc()
            if cause is not None:
                self._publish(StopEvent.BREAKER_TRIGGERED, {**events.of(after), **cause})
            self._publish(StopEvent.TRIPPED, events.tripped(after))
        return after

    def shut(self, trigger: str, action: StopAction) -> None:
        """The gate alone, before the latch is even put together; ``trip`` must follow in the same call, and puts its own reason in place.

        If it cannot, the gate is shut all the same, and the evaluators' next look tries again.
        """
        self._permission.restrict(Restriction(f"{SOURCE}:{trigger}", GATE_OF[action], f"{action}: {trigger}, being latched"))

    def latch(self, stops: Sequence[StopOrder], released: Sequence[str]) -> None:
        """The stops of a document (policy.ports.StopDesk).  An id that people released is not latched again."""
        now_ms = self._clock.wall_ms()
        for stop in stops:
            if stop.id not in released:
                self.trip(_latch_of(stop, now_ms))

    def engage(self, stops: Sequence[StopOrder], released: Sequence[str]) -> list[Write]:
        """The same, and what goes into the document's own transaction."""
        self.latch(stops, released)
        self._in_document, writes = self.owed()
        return writes

    def committed(self) -> None:
        self.written(self._in_document)
        self._in_document = Owed()

    def not_committed(self) -> None:
        self.failed(self._in_document)
        self._in_document = Owed()

    def release(self, released: Sequence[str]) -> None:
        """These and only these may be cleared, each when its work and cooldown are over."""
        self._released = frozenset(released)
        self.clear_released()

    def clear_released(self) -> None:
        """Clear what is released and due.  Called again as time passes and work gets done."""
        now_ms, monotonic = self._clock.wall_ms(), self._clock.monotonic()
        due = [
            latch
            for latch in self._latches.values()
            if latch.id in self._released and releasable(latch, now_ms) and monotonic >= self._not_before.get(latch.id, 0.0)
        ]
        for latch in due:
            del self._latches[latch.id]
            self._owed[latch.id] = None
            self._cleared = [*self._cleared, latch.id][-_MAX_CLEARED:]
            self._publish(StopEvent.RELEASED, events.of(latch))
            for listener in self._clear_listeners:
                listener(latch)
        if due:
            self._settle()

    def update(self, latch: Latch, cooldown_seconds: int = 0) -> None:
        """Progress of a latch that is in force; ``cooldown_seconds`` is also held on the monotonic clock."""
        known = self._latches.get(latch.id)
        if known is None or known == latch:
            return
        if latch.cooldown_until_ms is not None and known.cooldown_until_ms is None:
            self._hold_cooldown(latch, cooldown_seconds)
        self._set(latch)
        if latch.positions_flat_at_ms is not None and known.positions_flat_at_ms is None:
            self._publish(StopEvent.FLAT, events.flat(latch))
        self._settle()

    def owed(self) -> tuple[Owed, list[Write]]:
        """What the journal does not know yet: a latch and the event that tells it go in one transaction.

        An event is handed out once: after ``failed`` it is owed again, after ``written`` never.
        """
        snapshot = Owed(dict(self._owed), tuple(self._events))
        self._events.clear()
        writes: list[Write] = [_write(key, latch) for key, latch in snapshot.latches.items()]
        if any(latch is None for latch in snapshot.latches.values()):
            writes.append(Put(Table.META, CLEARED_KEY, json.dumps(self._cleared).encode()))
        return snapshot, [*writes, *snapshot.events]

    def written(self, snapshot: Owed) -> None:
        """``snapshot`` is on disk."""
        for key, latch in snapshot.latches.items():
            if key in self._owed and self._owed[key] is latch:
                del self._owed[key]
            current = self._latches.get(key)
            if current is not None and current.gate_closed_at_ms is None and _says_as_much(latch, current):
                self._set(current.model_copy(update={"gate_closed_at_ms": self._clock.wall_ms()}))
                if (began := self._tripped_at.pop(key, None)) is not None:
                    metrics.TRIP_TO_JOURNAL_SECONDS.observe(time.perf_counter() - began)
        self._settle()

    def failed(self, snapshot: Owed) -> None:
        """``snapshot`` is not on disk: its latches are still owed, and so are its events, before any newer one."""
        self._events[:0] = snapshot.events

    def rows(self) -> dict[str, bytes]:
        """For the mirror."""
        return {latch.id: _encoded(latch) for latch in self._latches.values()}

    def _set(self, latch: Latch, *, owed: bool = True) -> None:
        self._latches[latch.id] = latch
        if owed:
            self._owed[latch.id] = latch

    def _hold_cooldown(self, latch: Latch, cooldown_seconds: int) -> None:
        if (born := self._born.get(latch.id)) is not None:
            self._not_before[latch.id] = born + cooldown_seconds

    def _settle(self) -> None:
        """Make the permission say what the latches say, then tell the listeners."""
        wanted = {r.source: r for r in restrictions(self._latches.values())}
        for restriction in wanted.values():
            self._permission.restrict(restriction)
        for held in self._permission.restrictions:
            if held.source.partition(":")[0] == SOURCE and held.source not in wanted:
                self._permission.lift(held.source)
        metrics.LATCHES.set(len(self._latches))
        self._tell()

    def _publish(self, kind: StopEvent, payload: Mapping[str, JsonValue]) -> None:
        self._events.append(Publish(EventClass.RISK, kind.value, payload))
        _log.warning(kind.value, **payload)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _says_as_much(stored: Latch | None, current: Latch) -> bool:
    """Whether the row that was written stops what the latch in memory stops: it may have grown, or come back, meanwhile."""
    return stored is not None and (stored.action, stored.symbols) == (current.action, current.symbols)


def _latch_of(stop: StopOrder, now_ms: int) -> Latch:
    return Latch(
        id=stop.id,
        action=stop.action,
        symbols=list(stop.symbols),
        origin=LatchOrigin.OBJECT,
        trigger="Object",
        reason=f"{stop.name}: {stop.reason}",
        tripped_at_ms=now_ms,
    )


def _encoded(latch: Latch) -> bytes:
    return latch.model_dump_json(by_alias=True).encode()


def _write(key: str, latch: Latch | None) -> Write:
    return Delete(Table.LATCH, key) if latch is None else Put(Table.LATCH, key, _encoded(latch))
