"""Runs one pod from binding to deletion.

In    the pod as the API server has it now
Out   its containers, volumes, hosts file, status; its deletion when it is over
Flow  node service -> HERE -> containers, status writer
Why   one task per pod: a pod that hangs in one step holds nobody else up
"""

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import aiohttp

from quantum_cluster.kube_client import Object
from quantum_cluster.node.container import Container, Surroundings
from quantum_cluster.node.context import NodeContext, now_text
from quantum_cluster.node.fields import NotYetError, PodPlace
from quantum_cluster.node.hosts import Backend, NamedService, render_hosts
from quantum_cluster.node.status import ContainerView, Waiting, is_ready, pod_status
from quantum_cluster.node.status_writer import StatusWriter
from quantum_cluster.node.tokens import Tokens, renewed, request_tokens
from quantum_cluster.node.volume_writer import lay_out

log = logging.getLogger("quantum_cluster.pod")
_RETRY_SECONDS: Final = 1.0


class PodWorker:
    """``update`` tells the worker what the API server says; ``run`` returns when the pod is gone."""

    def __init__(self, pod: Object, place: PodPlace, context: NodeContext, session: aiohttp.ClientSession) -> None:
        self.pod = pod
        self.place = place
        self.status: Object = pod.get("status", {})
        self.containers: list[Container] = []
        self._init: list[Container] = []
        self._context = context
        self._session = session
        self._started_at = now_text()
        self._volumes: dict[str, Path] = {}
        self._tokens = Tokens({}, float("inf"))
        self._waiting: Waiting = Waiting()
        self._ending = asyncio.Event()
        self._forced = False
        self._kept = False
        self._grace_limit_seconds = float("inf")
        self._writer = StatusWriter(context.client, pod, lambda: self.status)
        self._services: list[NamedService] = []

    @property
    def key(self) -> str:
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    @property
    def every_container(self) -> list[Container]:
        return [*self._init, *self.containers]

    @property
    def ready(self) -> bool:
        return is_ready(self.status) and bool(self.containers)

    @property
    def pod_dir(self) -> Path:
        return self._context.facts.state.pods / self.uid

    @property
    def log_dir(self) -> Path:
        return self._context.facts.state.logs / "pods" / f"{self.key.replace('/', '_')}_{self.uid}"

    def as_backend(self) -> Backend:
        return Backend(self.place.pod_ip, self.pod["spec"].get("hostname"))

    def update(self, pod: Object) -> None:
        self.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            self._ending.set()
        self._changed()

    def vanish(self) -> None:
        """The object was force-deleted: somebody may already count on the processes being gone."""
        self._forced = True
        self._ending.set()

    def abandon(self, grace_seconds: float) -> None:
        """The node stops: end the processes, leave the object as it is."""
        self._kept = True
        self._grace_limit_seconds = grace_seconds
        self._ending.set()

    def write_hosts(self, services: list[NamedService]) -> None:
        """Write in place: the file is bound into the pod, a new one would not be seen there."""
        self._services = services
        path = self.pod_dir / "hosts"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = render_hosts(self.pod, self.place.pod_ip, services).encode()
        if not path.exists() or path.read_bytes() != content:
            with path.open("r+b" if path.exists() else "wb") as handle:
                handle.write(content)
                handle.truncate()

    def refresh_volumes(self) -> None:
        """Bring mounted configmaps, secrets and tokens up to date; what went missing stays as it was."""
        for volume in self.pod["spec"].get("volumes", []):
            if volume["name"] in self._volumes:
                with contextlib.suppress(NotYetError):
                    self._lay_out(volume)

    async def run(self) -> None:
        writing = asyncio.create_task(self._writer.run(), name=f"status of {self.key}")
        living = asyncio.create_task(self._live(), name=f"life of {self.key}")
        living.add_done_callback(_say_if_failed)
        try:
            await self._ending.wait()
        finally:
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await living
            self._changed()
            await asyncio.gather(*(each.end(self._grace_seconds) for each in self.every_container))
            writing.cancel()
        if not self._kept:
            await self._finish()

    @property
    def _grace_seconds(self) -> float:
        meta, spec = self.pod["metadata"], self.pod["spec"]
        asked = float(meta.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds", 30)))
        return 0.0 if self._forced else min(asked, self._grace_limit_seconds)

    async def _finish(self) -> None:
        """Tell what became of the containers, then give the name free."""
        self._compute()
        if not self._forced:
            await self._writer.flush()
            await self._writer.delete()
        shutil.rmtree(self.pod_dir, ignore_errors=True)

    async def _live(self) -> None:
        if self.status.get("phase") in {"Succeeded", "Failed"}:
            return
        self._make_containers()
        self._changed()
        await self._when_prepared()
        running: list[asyncio.Task[None]] = []
        for container in self._init:
            if container.spec.get("restartPolicy") == "Always":
                running.append(asyncio.create_task(container.run()))
                await container.started.wait()
            else:
                await container.run()
                if self.status["phase"] == "Failed":
                    return
        await self._gather([*(each.run() for each in self.containers), self._renew_tokens()], running)

    async def _gather(self, lives: list[Coroutine[Any, Any, None]], others: list[asyncio.Task[None]]) -> None:
        tasks = [*others, *(asyncio.create_task(each) for each in lives)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _make_containers(self) -> None:
        spec, policy = self.pod["spec"], self.pod["spec"].get("restartPolicy", "Always")
        around = Surroundings(self._context, self.pod, self.place, self.pod_dir, self.log_dir, self._volumes, self._session, self._changed)
        before = {each["name"]: each for each in self.status.get("containerStatuses", [])}
        init_policy = "Never" if policy == "Never" else "OnFailure"
        self._init = [Container(each, around, each.get("restartPolicy", init_policy)) for each in spec.get("initContainers", [])]
        self.containers = [Container(each, around, policy, _restarts_before(before.get(each["name"]))) for each in spec["containers"]]

    async def _when_prepared(self) -> None:
        """Prepare again and again until nothing is missing, showing what is."""
        while True:
            try:
                await self._prepare()
            except NotYetError as missing:
                self._wait_for(Waiting(missing.reason, missing.message))
                await self._context.changed.wait(_RETRY_SECONDS)
            else:
                self._wait_for(Waiting())
                return

    async def _prepare(self) -> None:
        self.pod_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write_hosts(self._services)
        if self._tokens.renew_at <= time.monotonic() or not self._tokens.by_audience:
            self._tokens = await request_tokens(self._context.client, self.pod)
        for volume in self.pod["spec"].get("volumes", []):
            self._lay_out(volume)

    def _lay_out(self, volume: Object) -> None:
        path = lay_out(volume, self.pod, self.place, self._context, self.pod_dir, self._tokens.by_audience)
        self._volumes[volume["name"]] = path

    async def _renew_tokens(self) -> None:
        while self._tokens.renew_at != float("inf"):
            self._tokens = await renewed(self._context.client, self.pod, self._tokens)
            self.refresh_volumes()

    def _wait_for(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._changed()

    def _changed(self) -> None:
        was_ready = self.ready
        self._compute()
        self._writer.mark()
        if self.ready != was_ready:
            self._context.on_readiness()

    def _compute(self) -> None:
        if not self.containers:
            return
        init, main = [self._view(each) for each in self._init], [self._view(each) for each in self.containers]
        self.status = pod_status(self.pod, init, main, self.place, self._started_at, self.status, now_text())

    def _view(self, container: Container) -> ContainerView:
        """Until the pod is prepared, every container waits for what the pod waits for."""
        view = container.view
        return ContainerView(view.name, view.image, self._waiting, restart_count=view.restart_count) if view.state == Waiting() else view


def _restarts_before(status: Object | None) -> int:
    """A pod that ran under an earlier node process goes on counting."""
    return status["restartCount"] + 1 if status and status.get("containerID") else 0


def _say_if_failed(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("%s failed", task.get_name(), exc_info=task.exception())
