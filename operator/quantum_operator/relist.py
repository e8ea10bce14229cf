"""LISTs every resource: once before anything is pushed, then again and again.

In    Kube, a wish to list now
Out   the world replaced by what the API server has; how long ago that was
Flow  start, clock, doubts -> HERE -> world -> reconciler
Why   a watch that was down does not report what was deleted meanwhile; only a LIST does
"""

import asyncio
from collections.abc import Callable
from typing import Final

from quantum_operator import metrics
from quantum_operator.clock import Clock
from quantum_operator.errors import OperatorError
from quantum_operator.kube import Kube
from quantum_operator.logs import logger
from quantum_operator.world import Change, Resource, World

_FIRST_DELAY_SECONDS: Final = 0.2
_LAST_DELAY_SECONDS: Final = 5.0
_SHORTEST_INTERVAL_SECONDS: Final = 0.5
_log = logger("relist")


class Relister:
    """One task."""

    def __init__(self, kube: Kube, world: World, interval_seconds: float, clock: Clock) -> None:
        self._kube = kube
        self._world = world
        self._interval = interval_seconds
        self._clock = clock
        self._wish = asyncio.Event()
        self.first_done = asyncio.Event()
        self.listed_at: dict[Resource, float] = {}
        self.confirmed_at_ms = 0
        """Wall time at which the last complete look at the three kinds began."""
        self.look_every_seconds: Callable[[], float] = lambda: interval_seconds
        self.on_change: Callable[[Change], None] = lambda _: None
        self.on_correction: Callable[[Resource], None] = lambda _: None

    def request(self) -> None:
        """List again soon: something may have been missed."""
        self._wish.set()

    async def run(self) -> None:
        delay = _FIRST_DELAY_SECONDS
        while True:
            wished = self._wish.is_set()
            self._wish.clear()
            began_ms = self._clock.wall_ms()
            results = await asyncio.gather(*(self._list(resource) for resource in self._due(wished)))
            if not all(results):
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LAST_DELAY_SECONDS)
                continue
            self.confirmed_at_ms = began_ms
            delay = _FIRST_DELAY_SECONDS
            self.first_done.set()
            await asyncio.sleep(_SHORTEST_INTERVAL_SECONDS)
            await self._next()

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(self.look_every_seconds()):
                await self._wish.wait()
        except TimeoutError:
            return

    def _due(self, wished: bool) -> list[Resource]:
        """The kinds each time, for what they say leases rest on; the pods, which may be many, less often."""
        pods_at = self.listed_at.get(Resource.ENGINES)
        pods_are_due = wished or pods_at is None or self._clock.monotonic() - pods_at >= self._interval
        return [resource for resource in Resource if pods_are_due or resource is not Resource.ENGINES]

    async def _list(self, resource: Resource) -> bool:
        first = resource not in self.listed_at
        try:
            version, items = await self._kube.list(resource)
        except OperatorError as error:
            metrics.LISTS.labels(resource, "failed").inc()
            _log.warning("list_failed", resource=str(resource), error=str(error))
            return False
        metrics.LISTS.labels(resource, "ok").inc()
        change = self._world.replace(resource, version, items)
        self.listed_at[resource] = self._clock.monotonic()
        if change is Change.MEANING and not first:
            metrics.LIST_CORRECTIONS.labels(resource).inc()
            self.on_correction(resource)
        self.on_change(change)
        return True
