"""Operator and people: what they said, what the engine acknowledged, and what it is held to from then on.

In    documents, stops, releases, halts by hand
Out   signed bytes to the engine; Shut stretches for the evidence; to the watch, which latches must hold
Flow  steps -> HERE -> engine_life; evidence
Why   a gate counts as shut from its acknowledgement until somebody says something that may loosen it: no rule of the engine is asked
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.live.engine.rig import Pen, limits
from tests.live.laws.engine_life import Life
from tests.live.laws.evidence import Evidence, Shut
from tests.live.laws.venue_side import Now
from tests.live.laws.virtual_time import WorldClock
from tests.live.laws.watch import LatchWatch, gate_of

from quantum_api.engine_status import Acknowledgement, Latch
from quantum_api.gate import Gate, most_restrictive
from quantum_api.policy_document import StopOrder
from quantum_api.trading_policy import OnLeaseExpiry, StopAction

LEASE_GRACE_SECONDS = 1.1
"""The lease is looked at once a second."""
GATE_AT_EXPIRY = {
    OnLeaseExpiry.REDUCE_ONLY: Gate.REDUCE_ONLY,
    OnLeaseExpiry.EXIT_ONLY: Gate.EXIT_ONLY,
    OnLeaseExpiry.HALTED: Gate.HALTED,
}
LIMITS = {"warn_drawdown_bps": 150, "max_drawdown_bps": 300, "max_intents_per_minute": 600, "max_orders_per_second": 100}


@dataclass(frozen=True)
class Said:
    """What one document asks for."""

    gate: Gate = Gate.ACTIVE
    lease_seconds: int = 3_600
    on_lease_expiry: OnLeaseExpiry = OnLeaseExpiry.REDUCE_ONLY
    stops: Mapping[str, StopOrder] | None = None
    released: frozenset[str] = frozenset()

    @property
    def in_force(self) -> tuple[StopOrder, ...]:
        return tuple(stop for stop in (self.stops or {}).values() if stop.id not in self.released)

    @property
    def tightest(self) -> Gate:
        return most_restrictive(self.gate, *(gate_of(stop.action) for stop in self.in_force if not stop.symbols))


class People:
    """What is wanted now is in ``gate``, ``stops``, ``released`` and the lease's two; ``push`` says it."""

    def __init__(self, clock: WorldClock, now: Now, evidence: Evidence, watch: LatchWatch) -> None:
        self.pen = Pen()
        self.gate, self.lease_seconds, self.on_lease_expiry = Gate.ACTIVE, 3_600, OnLeaseExpiry.REDUCE_ONLY
        self.stops: dict[str, StopOrder] = {}
        self.released: set[str] = set()
        self._clock, self._now, self._evidence, self._watch = clock, now, evidence, watch
        self._documents: list[bytes] = []
        self._shut: dict[str, Shut] = {}
        self._lease_ends: float | None = None
        self._held = Said()

    async def push(self, life: Life, seconds: float = 1.0) -> None:
        """A new document of what is wanted now; its answer counts whenever it comes."""
        said = Said(self.gate, self.lease_seconds, self.on_lease_expiry, dict(self.stops), frozenset(self.released))
        token = self._signed(said)
        self._may_loosen(said)
        began = self._clock.monotonic()
        task = life.offer(token)
        task.add_done_callback(lambda done: self._answered(done, said, began))
        await asyncio.wait({task}, timeout=seconds)

    async def replay(self, life: Life, back: int) -> None:
        """Somebody repeats an old document: it loosens nothing."""
        if len(self._documents) > back:
            await asyncio.wait({life.offer(self._documents[-1 - back])}, timeout=1.0)

    async def halt(self, life: Life, action: StopAction) -> None:
        task = life.halt("by hand", action)
        task.add_done_callback(self._halted)
        await asyncio.wait({task}, timeout=3.0)

    def note_lease(self) -> None:
        """Called between steps: a lease that has run out shuts the gate by itself."""
        if self._lease_ends is not None and self._clock.monotonic() > self._lease_ends + LEASE_GRACE_SECONDS:
            self._shut_now("lease", GATE_AT_EXPIRY[self._held.on_lease_expiry])

    def _signed(self, said: Said) -> bytes:
        token = self.pen.document(
            len(self._documents) + 1,
            lease_seconds=said.lease_seconds,
            issued_at_ms=self._clock.wall_ms(),
            gate=said.gate,
            stops=list((said.stops or {}).values()),
            released=sorted(said.released),
            limits=limits(on_lease_expiry=said.on_lease_expiry, **LIMITS),
        )
        self._documents.append(token)
        return token

    def _may_loosen(self, said: Said) -> None:
        """From here on the document on its way may open what was shut."""
        self._watch.may_clear(said.released)
        self._lease_ends = None
        for source, shut in list(self._shut.items()):
            is_looser = source == "policy" and said.gate.restriction < shut.gate.restriction
            if is_looser or source == "lease" or source.removeprefix("stop:") in said.released:
                self._shut.pop(source).until = self._now()

    def _answered(self, task: "asyncio.Task[Any]", said: Said, began: float) -> None:
        """Tight from the acknowledgement on."""
        answer = _result(task)
        if not isinstance(answer, Acknowledgement):
            return
        if answer.gate.restriction < said.tightest.restriction:
            self._evidence.noted.append(f"a document that asks for {said.tightest} was acknowledged with {answer.gate}")
        if said.gate is not Gate.ACTIVE:
            self._shut_now("policy", said.gate)
        for stop in said.in_force:
            self._latched(stop.id, stop.action, stop.symbols)
        self._watch.acknowledged(said.released)
        self._held, self._lease_ends = said, began + said.lease_seconds

    def _halted(self, task: "asyncio.Task[Any]") -> None:
        latch = _result(task)
        if isinstance(latch, Latch) and latch.gate_closed_at_ms is not None:
            self._latched(latch.id, latch.action)

    def _latched(self, latch_id: str, action: StopAction, symbols: Iterable[str] = ()) -> None:
        self._shut_now(f"stop:{latch_id}", gate_of(action), symbols)
        self._watch.must_hold(latch_id)

    def _shut_now(self, source: str, gate: Gate, symbols: Iterable[str] = ()) -> None:
        known = self._shut.get(source)
        if known is None or known.gate.restriction < gate.restriction:
            self._shut[source] = Shut(source, gate, self._now(), symbols=frozenset(symbols))
            self._evidence.shut.append(self._shut[source])


def _result(task: "asyncio.Task[Any]") -> object:
    return None if task.cancelled() or task.exception() is not None else task.result()
