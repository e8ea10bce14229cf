"""Runs kopf inside our own event loop, and starts it again when it ends.

In    the feed for its events, credentials
Out   watch events; when the last one came, per resource
Flow  kopf -> handlers -> HERE -> world, reconciler
Why   kopf ends on what it cannot handle (a CRD that is gone, a refusal that lasts); the operator must outlive that.  ``kopf.run_tasks``
      would cancel every task of the loop on its way out, ours too, so its root tasks are waited for here.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import kopf

from quantum_operator import metrics
from quantum_operator.clock import Clock
from quantum_operator.handlers import events
from quantum_operator.logs import logger
from quantum_operator.objects import Raw
from quantum_operator.world import Change, Resource, World

_RESTART_SECONDS: Final = 0.5
_STOP_SECONDS: Final = 5.0
_DOUBTS: Final = 2
_log = logger("watch")


class Watching:
    """One task."""

    def __init__(
        self,
        namespace: str,
        world: World,
        changed: Callable[[Change], None],
        relist: Callable[[], None],
        login: Callable[[], Awaitable[kopf.ConnectionInfo]],
        clock: Clock,
    ) -> None:
        self._namespace = namespace
        self._world = world
        self._changed = changed
        self._relist = relist
        self._login = login
        self._clock = clock
        self._doubts: Counter[Resource] = Counter()
        self._restart = asyncio.Event()
        self.event_at: dict[Resource, float] = {}
        self.running = False
        self.on_started: Callable[[], None] = lambda: None

    def feed(self, resource: Resource, event: str | None, raw: Raw) -> None:
        """One event, in the order in which kopf hands it over."""
        self.event_at[resource] = self._clock.monotonic()
        self._doubts[resource] = 0
        change = self._world.observe(resource, event, raw)
        metrics.WATCH_EVENTS.labels(resource, change).inc()
        if event is None and change is not Change.NOTHING:
            self._relist()
        self._changed(change)

    def doubt(self, resource: Resource) -> None:
        """A LIST brought what the watch should have.  Once may be a race; twice without one event in between is a dead watch."""
        self._doubts[resource] += 1
        if self._doubts[resource] >= _DOUBTS:
            _log.error("watch_is_deaf", resource=str(resource))
            self._doubts[resource] = 0
            self._restart.set()

    async def run(self) -> None:
        while True:
            await self._run_once()
            metrics.WATCH_RESTARTS.inc()
            self._relist()
            await asyncio.sleep(_RESTART_SECONDS)

    async def _run_once(self) -> None:
        self._restart.clear()
        tasks = await kopf.spawn_tasks(
            registry=events.registry(self.feed, self._login), settings=events.settings(), namespaces=[self._namespace], standalone=True
        )
        self.on_started()
        self.running = True
        restart = asyncio.create_task(self._restart.wait(), name="restart wish")
        try:
            done, _ = await asyncio.wait({*tasks, restart}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {restart}:
                _log.warning("watch_ended", task=task.get_name(), error=repr(None if task.cancelled() else task.exception()))
        finally:
            self.running = False
            restart.cancel()
            await _stop(tasks)


async def _stop(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=_STOP_SECONDS)


def claim_signals(stop: Callable[[], None]) -> None:
    """kopf takes SIGTERM and SIGINT of the loop each time it starts: take them back."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
