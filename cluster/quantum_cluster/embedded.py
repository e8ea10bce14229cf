"""The cluster as an object: start it, use it, break its parts on purpose, end it.

In    a name, where to keep state, whether etcd must survive a power cut
Out   kubeconfig, kubectl, handles on the API server, etcd and pods
Flow  tests, demonstration, supervisor -> HERE -> control plane, node
Why   one class whether it runs beside a test or in the background: what is tested is what people use
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quantum_cluster import components
from quantum_cluster.boot import Boot, prepare
from quantum_cluster.cleanup import end_remains
from quantum_cluster.control_plane import ControlProcess, Supervision
from quantum_cluster.kube_client import UNREACHABLE, ApiError, KubeClient, client_context
from quantum_cluster.node.context import NodeFacts
from quantum_cluster.node.server import KubeletServer
from quantum_cluster.node.service import Node
from quantum_cluster.paths import StateDir
from quantum_cluster.pods import RunningPods
from quantum_cluster.tools import ensure_tools

log = logging.getLogger("quantum_cluster")

_POLL_SECONDS: Final = 0.03
_USABLE_WITHIN_SECONDS: Final = 90.0
_POD_GRACE_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Completed:
    """What a command did."""

    args: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def check(self) -> "Completed":
        if self.returncode != 0:
            raise RuntimeError(f"{' '.join(self.args)} exited with {self.returncode}: {self.stderr.strip() or self.stdout.strip()}")
        return self


class EmbeddedCluster:
    """``async with`` starts it and ends it.  ``durable=False`` lets etcd skip fsync: faster, and safe unless the machine itself dies."""

    def __init__(
        self, name: str = "embedded", state_dir: Path | None = None, durable: bool = False, keep_data: bool = False,
        say: Callable[[str], None] = log.info,
    ) -> None:  # fmt: skip
        self.name = name
        self.state = StateDir(state_dir) if state_dir else StateDir.named(name)
        self.laps_seconds: dict[str, float] = {}
        self._durable = durable
        self._keep_data = keep_data
        self._say = say
        self._stack = contextlib.AsyncExitStack()
        self._began = 0.0

    @property
    def kubeconfig(self) -> Path:
        return self.state.kubeconfig

    @property
    def env(self) -> dict[str, str]:
        """This process's environment, with kubectl and helm pointed at the cluster."""
        mine = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.state.root / "kube-cache")}
        return {**os.environ, **mine, "PATH": f"{self.bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}

    async def __aenter__(self) -> "EmbeddedCluster":
        self._began = time.monotonic()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def kubectl(
        self,
        *args: str,
        as_user: str | None = None,
        as_groups: Sequence[str] = (),
        input: str | None = None,  # noqa: A002
    ) -> Completed:
        """Run kubectl; impersonates when asked.  A failure is an answer, not an exception: see ``Completed.check``."""
        who = ["--as", as_user] if as_user else []
        for group in as_groups:
            who += ["--as-group", group]
        return await self.run("kubectl", *who, *args, input=input)

    async def run(self, program: str, *args: str, input: str | None = None) -> Completed:  # noqa: A002
        """Run a program with this cluster's environment, for example helm."""
        found = shutil.which(program, path=self.env["PATH"]) or program
        process = await asyncio.create_subprocess_exec(
            found, *args, env=self.env, stdin=asyncio.subprocess.PIPE if input is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(None if input is None else input.encode())
        return Completed((program, *args), process.returncode or 0, out.decode(), err.decode())

    def _lap(self, what: str) -> None:
        self.laps_seconds[what] = round(time.monotonic() - self._began, 2)
        self._say(f"{self.laps_seconds[what]:6.2f} s  {what}")

    async def _start(self) -> None:
        end_remains(self.state)
        self.bin_dir = await asyncio.to_thread(ensure_tools, self._say)
        boot = prepare(self.name, self.state, self.bin_dir, self._durable)
        self.pods = RunningPods(self.state)
        self._stack.callback(self._forget)
        self._stack.callback(boot.claim.release)
        self._lap("tools, certificates and addresses")
        context = client_context(boot.plan.certs.authority, boot.node)
        self._client = await self._stack.enter_async_context(KubeClient(boot.plan.server, context))
        await self._start_control_plane(boot)
        await self._start_node(boot)
        await self._until("/api/v1/namespaces/default/serviceaccounts/default")
        await self._until("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
        self._lap("default namespace usable")
        await self.apiserver.wait_ready()
        self._lap("API server says readyz")
        self._mark_usable()

    async def _start_control_plane(self, boot: Boot) -> None:
        shared = Supervision(self.state, boot.cluster_id)
        plan, files = boot.plan, boot.component_kubeconfigs
        self.etcd = ControlProcess("etcd", components.etcd(plan), shared, self._etcd_answers)
        self.apiserver = ControlProcess("kube-apiserver", components.apiserver(plan), shared, self._readyz)
        manager, scheduler = "kube-controller-manager", "kube-scheduler"
        self.controller_manager = ControlProcess(manager, components.controller_manager(plan, files[manager]), shared)
        self.scheduler = ControlProcess(scheduler, components.scheduler(plan, files[scheduler]), shared)
        for process in (self.etcd, self.apiserver):
            self._stack.push_async_callback(process.stop, 2.0)
            await process.start()
        await self._until("/version")
        self._lap("API server answers")
        for process in (self.controller_manager, self.scheduler):
            self._stack.push_async_callback(process.kill)
            await process.start()
        self.apiserver.spawned.clear()
        renewing = asyncio.create_task(self._renew_controllers(), name="renew controllers")
        self._stack.callback(renewing.cancel)

    async def _start_node(self, boot: Boot) -> None:
        plan = boot.plan
        facts = NodeFacts(
            boot.node_name, boot.cluster_id, self.state, plan.block, plan.block.host, plan.ports.apiserver, plan.ports.kubelet,
            plan.certs.authority,
        )  # fmt: skip
        self.node = Node(facts, self._client)
        server = KubeletServer(plan.block.host, plan.ports.kubelet, plan.certs.authority, boot.node, self.node.worker_named)
        await self._stack.enter_async_context(server)
        self._node_task = asyncio.create_task(self.node.run(), name="node")
        self._stack.push_async_callback(self._end_node)
        registered = asyncio.create_task(self.node.registered.wait())
        await asyncio.wait([registered, self._node_task], timeout=_USABLE_WITHIN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        registered.cancel()
        if self._node_task.done():
            await self._node_task
        if not self.node.registered.is_set():
            raise TimeoutError(f"the node did not register; the API server's log ends:\n{self.apiserver.log_tail()}")
        self._lap("node Ready")

    async def _renew_controllers(self) -> None:
        """Restart the controllers after each restart of the API server: their watches would come back only after up to 30 s of back-off."""
        while True:
            await self.apiserver.spawned.wait()
            self.apiserver.spawned.clear()
            await self.apiserver.until_ready()
            for process in (self.scheduler, self.controller_manager):
                process.renew()

    async def _end_node(self) -> None:
        await self.node.end_pods(_POD_GRACE_SECONDS)
        self._node_task.cancel()
        await asyncio.gather(self._node_task, return_exceptions=True)

    async def _readyz(self) -> bool:
        try:
            return await self._client.text("/readyz") == "ok"
        except UNREACHABLE:
            return False

    async def _etcd_answers(self) -> bool:
        """Through the API server when that runs, for the certificates to talk to etcd are the API server's."""
        if self.apiserver.pid is None:
            return True
        try:
            return await self._client.text("/readyz/etcd") == "ok"
        except UNREACHABLE:
            return False

    async def _until(self, path: str) -> None:
        deadline = time.monotonic() + _USABLE_WITHIN_SECONDS
        while True:
            try:
                await self._client.get(path)
            except (ApiError, *UNREACHABLE) as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"no {path}: {error}; the API server's log ends:\n{self.apiserver.log_tail()}") from error
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return

    def _mark_usable(self) -> None:
        record = json.loads(self.state.record.read_text())
        record |= {"usable": True, "bin_dir": str(self.bin_dir), "laps_seconds": self.laps_seconds}
        self.state.write_record(record)

    def _forget(self) -> None:
        end_remains(self.state)
        if not self._keep_data:
            shutil.rmtree(self.state.root, ignore_errors=True)
