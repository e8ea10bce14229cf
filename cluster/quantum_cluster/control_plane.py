"""Runs etcd, kube-apiserver, kube-controller-manager and kube-scheduler, and lets a test kill or freeze each.

In    binaries, certificates, an address block, a state directory
Out   four supervised processes; handles to start, stop, kill, freeze and thaw them
Flow  EmbeddedCluster -> HERE -> node and every client
Why   what crashes is started again, what a test stopped on purpose stays stopped until the test says so
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quantum_cluster.paths import StateDir
from quantum_cluster.process import CLUSTER_ID_VARIABLE, Child, ProcessRecord, spawn

_RESTART_DELAY_SECONDS: Final = 0.5
_READY_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Supervision:
    """What every process of one cluster shares."""

    state: StateDir
    cluster_id: str


class ControlProcess:
    """One component.  It is restarted when it dies by itself, not when ``kill`` or ``stop`` ended it."""

    def __init__(self, name: str, argv: Sequence[str], shared: Supervision, ready: Callable[[], Awaitable[bool]] | None = None) -> None:
        self.name = name
        self._argv = ("setpriv", "--pdeathsig", "SIGKILL", "--", *argv)
        self._shared = shared
        self._ready = ready
        self._child: Child | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._wanted = False
        self._delay_seconds = _RESTART_DELAY_SECONDS
        self.spawned = asyncio.Event()

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and not self._child.exited.done() else None

    @property
    def log(self) -> Path:
        return self._shared.state.logs / f"{self.name}.log"

    async def start(self) -> None:
        """Start, or do nothing when it runs."""
        if self._watcher is None or self._watcher.done():
            self._wanted = True
            self._spawn()
            self._watcher = asyncio.create_task(self._watch(), name=f"watch {self.name}")

    def renew(self) -> None:
        """Replace the process at once, if one is wanted."""
        if self._wanted and self._child:
            self._delay_seconds = 0.0
            self._child.send(signal.SIGKILL)

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """End it politely; it stays down."""
        self._wanted = False
        if self._child:
            await self._child.end(grace_seconds)
        await self._gone()

    async def kill(self) -> None:
        """SIGKILL; it stays down until ``start``."""
        self._wanted = False
        if self._child:
            self._child.send(signal.SIGKILL)
            await asyncio.shield(self._child.exited)
        await self._gone()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def is_ready(self) -> bool:
        return self.pid is not None and (self._ready is None or await self._ready())

    async def until_ready(self) -> None:
        """Wait without a deadline; readiness is another process's, so nothing could wake us."""
        while not await self.is_ready():  # noqa: ASYNC110
            await asyncio.sleep(_READY_POLL_SECONDS)

    async def wait_ready(self, timeout_seconds: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not await self.is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} is not ready after {timeout_seconds:.0f} s; its log ends:\n{self.log_tail()}")
            await asyncio.sleep(_READY_POLL_SECONDS)

    def log_tail(self, size_bytes: int = 2000) -> str:
        return self.log.read_text(errors="replace")[-size_bytes:] if self.log.exists() else "(no log)"

    def _signal(self, number: signal.Signals) -> None:
        if self._child:
            self._child.send(number)

    def _spawn(self) -> None:
        environment = {**os.environ, CLUSTER_ID_VARIABLE: self._shared.cluster_id}
        self._child = spawn(self._argv, environment, self.log)
        record = ProcessRecord(self.name, self._child.pid, self._child.start_ticks, {"kind": "control-plane"})
        record.write(self._shared.state.processes)
        self.spawned.set()

    async def _watch(self) -> None:
        while self._wanted and self._child:
            await asyncio.shield(self._child.exited)
            if self._wanted:
                await asyncio.sleep(self._delay_seconds)
                self._delay_seconds = _RESTART_DELAY_SECONDS
            if self._wanted:
                self._spawn()

    async def _gone(self) -> None:
        if self._watcher:
            await self._watcher
        (self._shared.state.processes / f"{self.name}.json").unlink(missing_ok=True)
