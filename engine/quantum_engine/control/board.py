"""The engine's status and its version: what a long poll waits for.

In    snapshots of the stages, the permission's gate and reasons, touches ("something may have changed")
Out   EngineStatus as JSON bytes; waiters woken when the version grows
Flow  stages -> HERE -> GET /v1/status -> operator
Why   the version grows with material changes only, so a price never wakes the operator
"""

import asyncio
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Final

from quantum_api.engine_status import EngineStatus, GateReason
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.control.ports import Snapshot, Snapshots
from quantum_engine.permission import Permission
from quantum_engine.waiting import happens

_REFRESH_SECONDS: Final = 1.0
LONGEST_HOLD_SECONDS: Final = 0.05


class StatusBoard:
    """The newest status."""

    def __init__(self, engine: str, instance: str, permission: Permission, snapshots: Snapshots, clock: Clock) -> None:
        self._engine = engine
        self._instance = instance
        self._permission = permission
        self._snapshots = snapshots
        self._clock = clock
        self._started_at_ms = clock.wall_ms()
        self._version = 0
        self._material: Hashable = None
        self._grew = asyncio.Event()
        self._rendered: tuple[int, float, bytes] | None = None
        self._scheduled = False
        self._holds = 0
        self._closed = False

    @property
    def instance(self) -> str:
        return self._instance

    @property
    def version(self) -> int:
        return self._version

    def touch(self) -> None:
        """Something may have changed: look at the end of this turn of the event loop, or of the hold."""
        if not self._scheduled and not self._holds:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.publish)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While a document is taken, whose acknowledgement says more: look at its end, or when it takes long.

        Rendering a status costs a millisecond of the interpreter, which the journal's writer needs for the very commit that is waited for.
        """
        self._holds += 1
        late = asyncio.get_running_loop().call_later(LONGEST_HOLD_SECONDS, self.publish)
        try:
            yield
        finally:
            late.cancel()
            self._holds -= 1
            self.touch()

    def publish(self) -> int:
        """Look now; the version that says what is true now."""
        self._scheduled = False
        material = self._material_now(self._snapshots())
        if material != self._material:
            self._material = material
            self._version += 1
            self._rendered = None
            metrics.STATUS_VERSION.set(self._version)
            metrics.GATE.set(self._permission.gate.restriction)
            self._wake()
        return self._version

    async def after(self, since: int, instance: str | None, wait_seconds: float) -> bytes:
        """The status as soon as its version is above ``since``, at once for another instance, else when the wait is over."""
        deadline = self._clock.monotonic() + wait_seconds
        while instance in (None, self._instance) and self._version <= since and not self._closed:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                break
            if not await happens(self._grew, left):
                break
        return self.render()

    def render(self) -> bytes:
        """The status as JSON, at most a second old."""
        now = self._clock.monotonic()
        if self._rendered is None or now - self._rendered[1] >= _REFRESH_SECONDS:
            self._rendered = (self._version, now, self._status().model_dump_json(by_alias=True, exclude_none=True).encode())
        return self._rendered[2]

    def close(self) -> None:
        """Let every waiter go: the process ends."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._grew.set()
        self._grew = asyncio.Event()

    def _status(self) -> EngineStatus:
        now = self._snapshots()
        return EngineStatus(
            engine=self._engine,
            instance=self._instance,
            version=self._version,
            started_at_ms=self._started_at_ms,
            as_of_ms=self._clock.wall_ms(),
            gate=self._permission.gate,
            gate_reasons=[GateReason(source=r.source, gate=r.gate, detail=r.detail) for r in self._permission.restrictions],
            policy=now.policy,
            last_refusal=now.last_refusal,
            emergency=now.emergency,
            latches=list(now.latches),
            drawdown=now.drawdown,
            strategy=now.strategy,
            positions=list(now.positions),
            open_orders=now.open_orders,
            reconciled=now.reconciled,
            dependencies=dict(now.dependencies),
            crashes=list(now.crashes),
            refusals=dict(now.refusals),
        )

    def _material_now(self, now: Snapshot) -> Hashable:
        """What the operator must hear of.  A renewed lease, a price or a counter is not among it."""
        policy = now.policy
        held = policy and (policy.seen, policy.lease_valid, policy.key_id, tuple(policy.released), tuple(policy.sources))
        return (
            tuple((r.source, r.gate) for r in self._permission.restrictions),
            held,
            now.last_refusal,
            now.emergency,
            tuple(latch.model_dump_json() for latch in now.latches),
            (now.drawdown.warning, now.drawdown.breached, now.drawdown.equity_usdt is None),
            now.strategy,
            frozenset(position.symbol for position in now.positions),
            now.reconciled,
            tuple(sorted((name, state.partition(" ")[0]) for name, state in now.dependencies.items())),
        )
