"""The one level-triggered loop: whatever happened, compute everything from what is known now, and do what differs.

In    marks: the world moved, an engine said something, time has come
Out   links told to push, statuses and missing stops offered to their writers
Flow  world, engine links, clock -> HERE -> engine links, status writer, stop creator
Why   no trigger carries meaning, so none can be lost: killed at any moment, the next start computes the same

A pass never waits.  Statuses are held back while documents are on their way that will be answered in a moment, so one change of a policy
is one status write with the last acknowledgement in it; a fleet that takes longer is shown its progress after 0.1, 0.2, 0.4 … seconds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from quantum_api.refusals import DocumentRefusal
from quantum_operator import metrics
from quantum_operator.clock import Clock
from quantum_operator.conditions import conditions
from quantum_operator.fleet import Fleet
from quantum_operator.mirror import Mirror
from quantum_operator.pushing import push_reason, renewal_at_ms
from quantum_operator.resolve import LEASE_WITHOUT_POLICY_SECONDS, Resolved, resolve_selected, select
from quantum_operator.signing import Issued, Signer
from quantum_operator.status_writer import StatusWriter
from quantum_operator.stop_creator import StopCreator
from quantum_operator.stops import missing_stops
from quantum_operator.world import Change, Snapshot, World

_SETTLE_TICKS: Final = 10
"""Loop iterations given to the framework's per-object workers to hand over all events that one read brought.

Within one read they overtake one another (measured: by one iteration), and a vector must not claim an event whose elder is on its way.
"""
_HOLD_SECONDS: Final = 0.1
_LONGEST_HOLD_SECONDS: Final = 0.8
_FIRST_HOLD_SECONDS: Final = 2.0
_SPACING: Final = 4.0
"""Computing statuses may take at most a fifth of the time."""
_BEAT_SECONDS: Final = 5.0
_BLIND_POLL_MS: Final = 250
"""A renewal that is due waits for the next look at the objects."""


@dataclass(frozen=True)
class Outlets:
    """Where the results of a pass go."""

    statuses: StatusWriter
    stops: StopCreator
    mirror: Mirror
    behind: Callable[[], None]
    """Called when an engine has seen more of the world than we have."""


class Reconciler:
    """Single task; everything else only marks."""

    def __init__(self, world: World, signer: Signer, outlets: Outlets, clock: Clock, required_approvals: int) -> None:
        self._world = world
        self._signer = signer
        self._out = outlets
        self._clock = clock
        self._required_approvals = required_approvals
        self.fleet = Fleet(self.issue, self.engine_changed, clock)
        self._marked = asyncio.Event()
        self._world_change = Change.MEANING
        self._engines: set[str] = set()
        self._snapshot: Snapshot | None = None
        self._wanted: dict[str, Resolved] = {}
        self._due_ms: dict[str, int] = {}
        self._statuses_due = False
        self._was_busy = False
        self._hold_until = clock.monotonic() + _FIRST_HOLD_SECONDS
        self._hold_seconds = _HOLD_SECONDS
        self._space_until = 0.0
        self._wake_at = 0.0
        self.last_pass_at = clock.monotonic()
        self.confirmed_at_ms: Callable[[], int] = lambda: 0
        """Wall time at which the last complete look at all objects began."""

    @property
    def shortest_lease_seconds(self) -> int:
        return min((wanted.lease_seconds for wanted in self._wanted.values()), default=LEASE_WITHOUT_POLICY_SECONDS)

    def world_changed(self, change: Change) -> None:
        """A watch or a LIST brought something."""
        if change is Change.MEANING or (change is Change.STATUS and self._world_change is Change.NOTHING):
            self._world_change = change
        if change is not Change.NOTHING:
            self._marked.set()

    def engine_changed(self, name: str) -> None:
        """A link's report changed."""
        self._engines.add(name)
        self._marked.set()

    def key_changed(self) -> None:
        """There is a key to sign with.  Documents of the old one stay good until their renewal."""
        self._marked.set()

    async def run(self) -> None:
        while True:
            await self._wait()
            if self._world_change is not Change.NOTHING:
                for _ in range(_SETTLE_TICKS):
                    await asyncio.sleep(0)
            began = self._clock.monotonic()
            self._pass()
            self.last_pass_at = self._clock.monotonic()
            metrics.RECONCILES.inc()
            metrics.RECONCILE_SECONDS.observe(self.last_pass_at - began)

    def issue(self, name: str) -> Issued | None:
        """The document for this engine as of now; None when there is nothing to say to it."""
        snapshot, resolved = self._snapshot, self._wanted.get(name)
        link = self.fleet.links.get(name)
        if snapshot is None or resolved is None or link is None or name not in snapshot.engines:
            return None
        held = link.report.held
        issued = self._signer.issue(
            link.engine.id, resolved, snapshot.seen_for(name), held.issued_at_ms if held else 0, self.confirmed_at_ms()
        )
        if issued is not None:
            self._out.mirror.put(issued.document, issued.token)
        return issued

    async def _wait(self) -> None:
        if self._marked.is_set():
            return
        due = max(0.0, (min(self._due_ms.values()) - self._clock.wall_ms()) / 1000) if self._due_ms else _BEAT_SECONDS
        wake = self._wake_at - self._clock.monotonic() if self._wake_at else _BEAT_SECONDS
        try:
            async with asyncio.timeout(min(_BEAT_SECONDS, due, wake)):
                await self._marked.wait()
        except TimeoutError:
            return

    def _pass(self) -> None:
        self._marked.clear()
        self._wake_at = 0.0
        if not self._world.complete or self._signer.ring is None:
            return
        now_ms = self._clock.wall_ms()
        dirty = {name for name, due in self._due_ms.items() if due <= now_ms} | self._engines
        self._engines = set()
        if self._snapshot is None or self._world_change is not Change.NOTHING:
            dirty |= self._take_world()
        snapshot = self._snapshot
        if snapshot is None:
            return
        for name in dirty & snapshot.engines.keys():
            self._serve(snapshot, name, now_ms)
        self._statuses_due = self._statuses_due or bool(dirty)
        self._write_statuses(snapshot)

    def _take_world(self) -> set[str]:
        """Take a new snapshot; resolve again only if something changed in meaning.  Answers which engines to look at."""
        change, self._world_change = self._world_change, Change.NOTHING
        snapshot = self._snapshot = self._world.snapshot()
        self._statuses_due = True
        if change is not Change.MEANING:
            return set()
        for gone in self.fleet.follow(snapshot.engines):
            self._signer.forget(gone)
            self._out.mirror.forget(gone)
            self._due_ms.pop(gone, None)
        shortest = self.shortest_lease_seconds
        self._wanted = self._resolve_all(snapshot)
        if self.shortest_lease_seconds < shortest:
            self._out.behind()
        return set(snapshot.engines)

    def _resolve_all(self, snapshot: Snapshot) -> dict[str, Resolved]:
        """Engines with the same selection share one result: a fleet usually has a handful."""
        made: dict[tuple[int, ...], Resolved] = {}
        wanted: dict[str, Resolved] = {}
        for name, engine in snapshot.engines.items():
            selected = select(snapshot, engine)
            alike = tuple(id(known) for group in selected for known in group)
            if alike not in made:
                made[alike] = resolve_selected(selected, self._required_approvals)
            before = self._wanted.get(name)
            wanted[name] = before if before == made[alike] else made[alike]
        return wanted

    def _serve(self, snapshot: Snapshot, name: str, now_ms: int) -> None:
        """Push to one engine if it needs it; make objects for its latches; note when to look again."""
        link, wanted = self.fleet.links[name], self._wanted[name]
        report = link.report
        reason = push_reason(wanted, snapshot.required_of(name), report, link.sent, link.engine.id, now_ms, self.confirmed_at_ms())
        if reason is not None and not snapshot.engines[name].terminal:
            link.want(reason, fresh=wanted is not link.offered)
            link.offered = wanted
        for missing in missing_stops(link.engine, report, snapshot.stops, snapshot.seen):
            self._out.stops.offer(missing)
        if report.refusal is not None and report.refusal.reason is DocumentRefusal.STALE_EPOCH:
            self._out.behind()
        self._due_ms.pop(name, None)
        if report.held is not None and reason is None:
            self._due_ms[name] = max(renewal_at_ms(report.held, link.engine.id), now_ms + _BLIND_POLL_MS)
        elif report.held is not None and report.lease_runs(now_ms):
            self._due_ms[name] = report.held.expires_at_ms

    def _write_statuses(self, snapshot: Snapshot) -> None:
        now, busy = self._clock.monotonic(), self.fleet.busy or self.fleet.silent
        finished, self._was_busy = self._was_busy and not busy, busy
        if busy and self._hold_until == 0.0:
            self._hold_seconds = _HOLD_SECONDS
            self._hold_until = now + self._hold_seconds
        if not self._statuses_due:
            return
        wait_until = self._hold_until if busy else (0.0 if finished else self._space_until)
        if now < wait_until:
            self._wake_at = wait_until
            return
        self._hold_seconds = min(self._hold_seconds * 2, _LONGEST_HOLD_SECONDS)
        self._hold_until = now + self._hold_seconds if busy else 0.0
        self._statuses_due = False
        self._offer_statuses(snapshot)
        spent = self._clock.monotonic() - now
        self._space_until = now + spent * (1 + _SPACING)

    def _offer_statuses(self, snapshot: Snapshot) -> None:
        now_ms, writer = self._clock.wall_ms(), self._out.statuses
        known = {each.key: each for each in snapshot.objects}
        standing = {key: writer.standing(each, *snapshot.statuses[key]) for key, each in known.items()}
        for key, status in conditions(snapshot, standing, self.fleet.reports, now_ms, self._required_approvals).items():
            writer.offer(known[key], status.wire(), standing[key])
        writer.forget_all_but(set(known))
        self.fleet.measure(now_ms)
