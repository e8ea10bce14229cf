"""Wires the operator and runs it until a signal or a part that may not end does.

In    Settings
Out   a running operator
Flow  __main__ -> HERE
Why   crash-only: everything is read again at the start, so ending at any moment is the same as never having been there
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web

from quantum_operator.clock import Clock, SystemClock
from quantum_operator.errors import OperatorError
from quantum_operator.event_poster import EventPoster
from quantum_operator.key_store import KeyStore
from quantum_operator.kube import Kube, kopf_connection, load_configuration
from quantum_operator.logs import logger
from quantum_operator.mirror import NoMirror, RedisMirror
from quantum_operator.probes import Check, age_check, application
from quantum_operator.reconciler import Outlets, Reconciler
from quantum_operator.relist import Relister
from quantum_operator.settings import Settings
from quantum_operator.sight import look_every_seconds
from quantum_operator.signing import Signer
from quantum_operator.status_writer import StatusWriter
from quantum_operator.stop_creator import StopCreator
from quantum_operator.watching import Watching, claim_signals
from quantum_operator.world import Resource, World

_PASS_AGE_SECONDS: Final = 30.0
_LIST_AGE_FACTOR: Final = 3
_KEY_RETRY_SECONDS: Final = 1.0
_log = logger("app")


class Operator:
    """All parts of one operator.  ``run`` ends after ``stop`` or when a part fails."""

    def __init__(self, settings: Settings, kube: Kube, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stopping = asyncio.Event()
        self._events = EventPoster(kube)
        self._statuses = StatusWriter(kube, self._events, clock)
        self._stops = StopCreator(kube)
        self._mirror = RedisMirror(settings.redis_url) if settings.redis_url else NoMirror()
        self._keys = KeyStore(kube, settings.signing_secret, settings.jwks_configmap, settings.key_grace_seconds, clock)
        self._signer = Signer(clock)
        world = World()
        self._relister = Relister(kube, world, settings.relist_seconds, clock)
        outlets = Outlets(self._statuses, self._stops, self._mirror, behind=self._relister.request)
        self._reconciler = Reconciler(world, self._signer, outlets, clock, settings.required_approvals)
        changed = self._reconciler.world_changed
        self._watching = Watching(settings.namespace, world, changed, self._relister.request, kopf_connection, clock)
        self._reconciler.confirmed_at_ms = lambda: self._relister.confirmed_at_ms
        self._relister.look_every_seconds = lambda: look_every_seconds(settings.relist_seconds, self._reconciler.shortest_lease_seconds)
        self._relister.on_change, self._relister.on_correction = changed, self._watching.doubt

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Until ``stop``.  Raises what a part died of."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._reconciler.fleet)
            stack.push_async_callback(self._statuses.close)
            stack.push_async_callback(self._stops.close)
            await self._serve_http(stack)
            claim_signals(self.stop)
            parts = [
                asyncio.create_task(part)
                for part in (self._reconciler.run(), self._relister.run(), self._run_keys(), self._watch(), self._events.run())
            ]
            if isinstance(self._mirror, RedisMirror):
                parts.append(asyncio.create_task(self._mirror.run(), name="mirror"))
            stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
            done, _ = await asyncio.wait({*parts, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*parts, stopping):
                task.cancel()
            await asyncio.gather(*parts, stopping, return_exceptions=True)
            for task in done - {stopping}:
                task.result()

    async def _watch(self) -> None:
        """Only after the first LISTs: they prove that the CRDs are served, which kopf looks up once."""
        await self._relister.first_done.wait()
        self._watching.on_started = lambda: claim_signals(self.stop)
        await self._watching.run()

    async def _run_keys(self) -> None:
        while True:
            try:
                ring = await self._keys.refresh()
            except OperatorError as error:
                _log.error("signing_keys_unavailable", error=str(error))
                await asyncio.sleep(_KEY_RETRY_SECONDS)
                continue
            if self._signer.ring != ring:
                self._signer.ring = ring
                self._reconciler.key_changed()
            await asyncio.sleep(self._settings.relist_seconds)

    async def _serve_http(self, stack: AsyncExitStack) -> None:
        runner = web.AppRunner(application(self._live, self._ready), access_log=None, handle_signals=False)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, self._settings.http_host, self._settings.http_port).start()
        _log.info("http_serving", addresses=[str(address) for address in runner.addresses])

    def _live(self) -> list[Check]:
        return [age_check("last reconcile pass", self._reconciler.last_pass_at, self._clock.monotonic(), _PASS_AGE_SECONDS)]

    def _ready(self) -> list[Check]:
        now, limit = self._clock.monotonic(), self._settings.relist_seconds * _LIST_AGE_FACTOR + _KEY_RETRY_SECONDS
        lists = [age_check(f"last LIST of {r}", self._relister.listed_at.get(r), now, limit) for r in Resource]
        seen = [age_check(f"last watch event of {r}", self._watching.event_at.get(r), now, None) for r in Resource]
        ring = self._signer.ring
        return [
            *lists,
            *seen,
            Check("watches are running", self._watching.running, f"since start: {self._watching.running}"),
            Check("signing key", ring is not None, ring.active_id if ring else "not read yet"),
            *self._live(),
        ]


async def run(settings: Settings, started: Callable[[Operator], None] = lambda _: None) -> None:
    """Run one operator until it is told to stop."""
    async with Kube(await load_configuration(), settings.namespace) as kube:
        operator = Operator(settings, kube, SystemClock())
        started(operator)
        _log.info("operator_starting", namespace=settings.namespace, required_approvals=settings.required_approvals)
        await operator.run()
        _log.info("operator_stopped")


async def rotate_key(settings: Settings) -> str:
    """Add a signing key; answers its id."""
    async with Kube(await load_configuration(), settings.namespace) as kube:
        keys = KeyStore(kube, settings.signing_secret, settings.jwks_configmap, settings.key_grace_seconds, SystemClock())
        ring = await keys.rotate()
        return ring.pending[0].id
