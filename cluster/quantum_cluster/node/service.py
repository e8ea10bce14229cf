"""Registers the node, keeps it fresh, and runs the pods bound to it.

In    node facts, a client
Out   a Node that is Ready, its Lease, a worker per pod, service listeners, hosts files, volumes
Flow  EmbeddedCluster -> HERE -> everything beside this file
Why   the only place where informers, workers and the proxy meet
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import aiohttp

from quantum_cluster.informer import Informer
from quantum_cluster.kube_client import MERGE, UNREACHABLE, ApiError, KubeClient, Object
from quantum_cluster.node import registration
from quantum_cluster.node.context import NodeContext, NodeFacts
from quantum_cluster.node.fields import PodPlace
from quantum_cluster.node.pod_worker import PodWorker
from quantum_cluster.node.provisioner import STORAGE_CLASS, Provisioner
from quantum_cluster.node.services import ServiceProxy, named_services

log = logging.getLogger("quantum_cluster.node")
_RETRY_SECONDS: Final = 0.1
_LEASE_EVERY_SECONDS: Final = 10.0


class Node:
    """``run`` works until cancelled; ``registered`` is set once the Node object is Ready and every informer has listed."""

    def __init__(self, facts: NodeFacts, client: KubeClient) -> None:
        self.facts = facts
        self._services_changed = asyncio.Event()
        self.context = NodeContext(facts, client, on_readiness=self._services_changed.set)
        self.registered = asyncio.Event()
        self.workers: dict[str, PodWorker] = {}
        self._client = client
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._next_address = 0
        self._provisioner = Provisioner(client, facts.state.volumes)
        self._proxy = ServiceProxy((facts.api_host, facts.api_port))
        self._session: aiohttp.ClientSession | None = None
        self._stopping = False

    async def run(self) -> None:
        # A probe opens a connection of its own each time, as a kubelet's does.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as self._session, asyncio.TaskGroup() as group:
            informers = self._informers()
            for informer in informers:
                group.create_task(informer.run())
            group.create_task(self._provisioner.run())
            await self._insist(self._register)
            for informer in informers:
                await informer.synced.wait()
            pods = Informer(self._client, "/api/v1/pods", self._pod_changed, fieldSelector=f"spec.nodeName={self.facts.name}")
            group.create_task(pods.run())
            group.create_task(self._renew_lease())
            group.create_task(self._keep_services())
            await pods.synced.wait()
            self.registered.set()

    async def end_pods(self, grace_seconds: float) -> None:
        """End every process, leaving the API objects as they are."""
        self._stopping = True
        for worker in self.workers.values():
            worker.abandon(grace_seconds)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._proxy.close()

    def worker_named(self, key: str) -> PodWorker | None:
        """The worker of namespace/name; the oldest when one waits for another's end."""
        return next((each for each in self.workers.values() if each.key == key), None)

    def _informers(self) -> list[Informer]:
        context, client = self.context, self._client
        kinds = (
            ("configmaps", "config_maps", self._config_changed), ("secrets", "secrets", self._config_changed),
            ("services", "services", self._service_changed), ("persistentvolumeclaims", "claims", self._claim_changed),
            ("persistentvolumes", "volumes", self._volume_changed),
        )  # fmt: skip
        informers = []
        for path, attribute, changed in kinds:
            informer = Informer(client, f"/api/v1/{path}", changed)
            setattr(context, attribute, informer.items)
            informers.append(informer)
        return informers

    async def _register(self) -> None:
        await _create_or_keep(self._client, "/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)
        await _create_or_keep(self._client, "/api/v1/nodes", registration.node_object(self.facts))
        await self._client.patch(f"/api/v1/nodes/{self.facts.name}", {"spec": {"taints": None}}, MERGE)
        await self._client.patch(f"/api/v1/nodes/{self.facts.name}/status", registration.node_status(self.facts, datetime.now(UTC)), MERGE)
        await _create_or_keep(self._client, registration.LEASES, registration.lease(self.facts, datetime.now(UTC)))

    async def _insist(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except (ApiError, *UNREACHABLE) as error:
                log.info("%r", error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _renew_lease(self) -> None:
        async def renew() -> None:
            path = f"{registration.LEASES}/{self.facts.name}"
            await self._client.patch(path, registration.lease(self.facts, datetime.now(UTC)), MERGE)

        while True:
            await self._insist(renew)
            await asyncio.sleep(_LEASE_EVERY_SECONDS)

    def _pod_changed(self, kind: str, pod: Object) -> None:
        worker = self.workers.get(pod["metadata"]["uid"])
        if kind == "DELETED":
            if worker:
                worker.vanish()
        elif worker:
            worker.update(pod)
            self._services_changed.set()
        elif not self._stopping:
            self._adopt(pod)

    def _adopt(self, pod: Object) -> None:
        worker = PodWorker(pod, self._place(pod), self.context, self._probe_session)
        predecessors = [self._tasks[each.uid] for each in self.workers.values() if each.key == worker.key]
        self.workers[worker.uid] = worker
        worker.write_hosts(named_services(self.context.services.values(), list(self.workers.values())))
        task = asyncio.create_task(self._work(worker, predecessors), name=f"pod {worker.key}")
        self._tasks[worker.uid] = task
        if "deletionTimestamp" in pod["metadata"]:
            worker.update(pod)

    async def _work(self, worker: PodWorker, predecessors: list[asyncio.Task[None]]) -> None:
        """A pod waits for the end of every earlier one of its name: two must never run side by side."""
        try:
            if predecessors:
                await asyncio.wait(predecessors)
            await worker.run()
        except Exception:
            log.exception("pod %s failed", worker.key)
            raise
        finally:
            self.workers.pop(worker.uid, None)
            self._tasks.pop(worker.uid, None)
            self._services_changed.set()

    def _place(self, pod: Object) -> PodPlace:
        if pod["spec"].get("hostNetwork"):
            return PodPlace(self.facts.host_ip, self.facts.host_ip)
        taken = {each.place.pod_ip for each in self.workers.values()}
        while (address := self.facts.block.pod_address(self._next_address)) in taken:
            self._next_address += 1
        self._next_address += 1
        return PodPlace(address, self.facts.host_ip)

    @property
    def _probe_session(self) -> aiohttp.ClientSession:
        assert self._session is not None
        return self._session

    def _config_changed(self, _: str, item: Object) -> None:
        for worker in self.workers.values():
            if worker.pod["metadata"]["namespace"] == item["metadata"]["namespace"]:
                worker.refresh_volumes()
        self.context.changed.fire()

    def _service_changed(self, _kind: str, _item: Object) -> None:
        self._services_changed.set()

    def _claim_changed(self, kind: str, item: Object) -> None:
        self._provisioner.claim_changed(kind, item)
        self.context.changed.fire()

    def _volume_changed(self, kind: str, item: Object) -> None:
        self._provisioner.volume_changed(kind, item)
        self.context.changed.fire()

    async def _keep_services(self) -> None:
        """Listeners and hosts files follow services and readiness; changes that come together are one pass."""
        while True:
            self._services_changed.clear()
            services, workers = list(self.context.services.values()), list(self.workers.values())
            await self._proxy.refresh(services, workers)
            named = named_services(services, workers)
            for worker in workers:
                if worker.pod_dir.exists():
                    worker.write_hosts(named)
            await self._services_changed.wait()


async def _create_or_keep(client: KubeClient, path: str, body: Object) -> None:
    try:
        await client.create(path, body)
    except ApiError as error:
        if error.status != 409:
            raise
