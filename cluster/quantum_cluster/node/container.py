"""Runs one container: start, probe, notice its end, start again.

In    the container's spec, its pod's place and volumes, the restart policy
Out   a view of its state after every change; a process
Flow  pod worker -> HERE -> launcher, probes -> status
Why   everything about one process in one place; what is decided comes from the pure files beside it
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import aiohttp

from quantum_cluster.node.actions import Target, perform
from quantum_cluster.node.backoff import Backoff, restarts
from quantum_cluster.node.context import NodeContext, now_text
from quantum_cluster.node.environment import build_environment, command_line, service_variables
from quantum_cluster.node.fields import NotYetError, Object, PodPlace
from quantum_cluster.node.probes import ProbeSpec, ProbeState, step
from quantum_cluster.node.status import ContainerView, Running, Terminated, Waiting, terminated
from quantum_cluster.node.volumes import check_mount_path
from quantum_cluster.process import CLUSTER_ID_VARIABLE, CONTAINER_ID_VARIABLE, Child, ProcessRecord, signal_marked, spawn

log = logging.getLogger("quantum_cluster.container")

LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_RETRY_CONFIG_SECONDS: Final = 1.0
# Until a readiness or startup probe first succeeds it is tried more often than its period; these extra failures do not count.
_EAGER_FIRST_SECONDS: Final = 0.05
_EAGER_GROWTH: Final = 1.5


@dataclass(frozen=True)
class Surroundings:
    """What a container shares with its pod."""

    context: NodeContext
    pod: Object
    place: PodPlace
    pod_dir: Path
    log_dir: Path
    volumes: Mapping[str, Path]
    session: aiohttp.ClientSession
    changed: Callable[[], None]

    @property
    def pod_name(self) -> str:
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"


class Container:
    """One container of one pod.  ``run`` returns when it ended for good; cancelling ``run`` leaves the process to ``end``."""

    def __init__(self, spec: Object, around: Surroundings, policy: str, restart_count: int = 0) -> None:
        self.spec = spec
        self.view = ContainerView(spec["name"], spec.get("image", ""), restart_count=restart_count)
        self.target: Target | None = None
        self.started = asyncio.Event()
        self._around = around
        self._policy = policy
        self._child: Child | None = None
        self._mark = ""

    @property
    def log(self) -> Path:
        return self._around.log_dir / str(self.spec["name"]) / f"{self.view.restart_count}.log"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and not self._child.exited.done() else None

    async def run(self) -> None:
        backoff = Backoff()
        while True:
            await self._start()
            began = time.monotonic()
            code = await self._live()
            backoff = backoff.after(time.monotonic() - began)
            if not restarts(self._policy, code):
                return
            await self._back_off(backoff.delay_seconds)

    async def end(self, grace_seconds: float) -> None:
        """SIGTERM to the program, SIGKILL to all it left behind."""
        if self._child and not self._child.exited.done():
            await self._pre_stop(grace_seconds)
            await self._child.end(grace_seconds)
        if self._child:
            self._record_end(await asyncio.shield(self._child.exited))

    def signal(self, number: signal.Signals) -> None:
        if self._child:
            self._child.send(number)

    async def _start(self) -> None:
        while True:
            try:
                self._child = self._spawn()
            except NotYetError as missing:
                self._show(replace(self.view, state=Waiting(missing.reason, missing.message)))
                await self._around.context.changed.wait(_RETRY_CONFIG_SECONDS)
            else:
                return

    def _spawn(self) -> Child:
        around = self._around
        identity = uuid.uuid4().hex
        self._mark = f"{around.pod['metadata']['uid']}/{self.spec['name']}/{identity[:8]}"
        environment = self._environment()
        argv = command_line(self.spec, environment)
        launch = self._write_launch_file(argv, environment)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # The marks are in the launcher's environment too: whoever is found half-way is found.
        child = spawn([sys.executable, "-I", "-S", str(LAUNCHER), str(launch)], environment, self.log)
        self._record(child)
        self.target = Target(around.place.pod_ip, child.pid, environment, self._ports(), self.spec.get("workingDir") or str(self._scratch))
        self._show(replace(self.view, state=Running(now_text()), container_id=f"process://{identity}"))
        return child

    def _environment(self) -> dict[str, str]:
        around, facts = self._around, self._around.context.facts
        base = around.context.base_environment()
        if around.pod["spec"].get("enableServiceLinks", True):
            base |= service_variables(around.context.services_of(around.pod["metadata"]["namespace"]))
        base |= {"KUBERNETES_SERVICE_HOST": facts.api_host, "KUBERNETES_SERVICE_PORT": str(facts.api_port)}
        base |= {"KUBERNETES_SERVICE_PORT_HTTPS": str(facts.api_port), "HOSTNAME": self._hostname}
        variables = build_environment(self.spec, around.pod, around.place, around.context, base)
        return variables | {CLUSTER_ID_VARIABLE: facts.cluster_id, CONTAINER_ID_VARIABLE: self._mark}

    @property
    def _hostname(self) -> str:
        return str(self._around.pod["spec"].get("hostname") or self._around.pod["metadata"]["name"])

    @property
    def _scratch(self) -> Path:
        return self._around.pod_dir / "scratch" / str(self.spec["name"])

    def _write_launch_file(self, argv: list[str], environment: Mapping[str, str]) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        launch = self._around.pod_dir / f"launch-{self.spec['name']}.json"
        launch.write_text(
            json.dumps({
                "argv": argv, "env": environment, "cwd": self.spec.get("workingDir"), "scratch": str(self._scratch),
                "hostname": self._hostname[:64], "mounts": self._mounts(), "parent": os.getpid(),
            })
        )  # fmt: skip
        launch.chmod(0o600)
        return launch

    def _mounts(self) -> list[Object]:
        mounts: list[Object] = [{"source": str(self._around.pod_dir / "hosts"), "target": "/etc/hosts", "read_only": False}]
        for mount in sorted(self.spec.get("volumeMounts", []), key=lambda each: each["mountPath"].count("/")):
            check_mount_path(mount["mountPath"], os.path.exists)
            source = self._around.volumes[mount["name"]]
            if mount.get("subPath"):
                source = source / mount["subPath"]
                if not source.exists():
                    source.mkdir(parents=True)
            mounts.append({"source": str(source.resolve()), "target": mount["mountPath"], "read_only": bool(mount.get("readOnly"))})
        return mounts

    def _record(self, child: Child) -> None:
        meta = self._around.pod["metadata"]
        labels = {"kind": "container", "namespace": meta["namespace"], "pod": meta["name"], "container": self.spec["name"]}
        labels |= {"mark": self._mark, "cwd": self.spec.get("workingDir") or str(self._scratch)}
        ProcessRecord(self._record_name, child.pid, child.start_ticks, labels).write(self._around.context.facts.state.processes)

    @property
    def _record_name(self) -> str:
        return f"container-{self._around.pod['metadata']['uid']}-{self.spec['name']}"

    def _ports(self) -> dict[str, int]:
        return {each["name"]: int(each["containerPort"]) for each in self.spec.get("ports", []) if each.get("name")}

    async def _live(self) -> int:
        """Probe the running process until it ends."""
        assert self._child is not None
        probing = asyncio.create_task(self._probe_all(), name=f"probes of {self._around.pod_name}")
        try:
            code = await asyncio.shield(self._child.exited)
        finally:
            probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await probing
        self._record_end(code)
        return code

    def _record_end(self, code: int) -> None:
        if self._mark:
            signal_marked(CONTAINER_ID_VARIABLE, self._mark, signal.SIGKILL)
        (self._around.context.facts.state.processes / f"{self._record_name}.json").unlink(missing_ok=True)
        if isinstance(self.view.state, Running):
            how = terminated(code, self.view.state.started_at, now_text(), self.view.container_id)
            self._show(self.view.ended(how))

    async def _back_off(self, seconds: float) -> None:
        last = self.view.state if isinstance(self.view.state, Terminated) else None
        if seconds > 0:
            waiting = Waiting("CrashLoopBackOff", f"back-off {seconds:g}s restarting failed container={self.spec['name']}")
            self._show(replace(self.view, state=waiting, last=last))
            await asyncio.sleep(seconds)
        self._show(replace(self.view, state=Waiting(), last=last, restart_count=self.view.restart_count + 1))

    async def _probe_all(self) -> None:
        """Startup first; then the container counts as started, and liveness and readiness are asked side by side."""
        if "postStart" in self.spec.get("lifecycle", {}) and not await self._post_start():
            return
        if "startupProbe" in self.spec and not await self._probe_until_verdict(self.spec["startupProbe"]):
            await self._unhealthy("startup probe failed")
            return
        ready_at_once = "readinessProbe" not in self.spec
        self._show(replace(self.view, started=True, ready=ready_at_once))
        self.started.set()
        await asyncio.gather(self._keep_live(), self._keep_ready())

    async def _probe_until_verdict(self, probe: Object) -> bool:
        spec, state = ProbeSpec.read(probe), ProbeState(passing=False)
        async for ok in self._results(probe, spec, eager=True):
            state = step(state, spec, ok)
            if state.passing or state.failed:
                break
        return state.passing

    async def _keep_live(self) -> None:
        if "livenessProbe" not in self.spec:
            return
        spec, state = ProbeSpec.read(self.spec["livenessProbe"]), ProbeState(passing=True)
        async for ok in self._results(self.spec["livenessProbe"], spec, eager=False):
            state = step(state, spec, ok)
            if state.failed:
                await self._unhealthy("liveness probe failed")
                return

    async def _keep_ready(self) -> None:
        if "readinessProbe" not in self.spec:
            return
        spec, state = ProbeSpec.read(self.spec["readinessProbe"]), ProbeState(passing=False)
        async for ok in self._results(self.spec["readinessProbe"], spec, eager=True):
            state = step(state, spec, ok)
            if state.passing != self.view.ready:
                self._show(replace(self.view, ready=state.passing))

    async def _results(self, probe: Object, spec: ProbeSpec, eager: bool) -> AsyncIterator[bool]:
        """One result per period, and while ``eager`` and not yet successful also early successes in between."""
        await asyncio.sleep(spec.initial_delay_seconds)
        while True:
            due = time.monotonic() + spec.period_seconds
            ok = await self._probe_once(probe, spec)
            yield ok
            eager = eager and not ok
            pause = _EAGER_FIRST_SECONDS
            while eager and time.monotonic() + pause < due:
                await asyncio.sleep(pause)
                pause *= _EAGER_GROWTH
                if await self._probe_once(probe, spec):
                    eager = False
                    yield True
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _probe_once(self, probe: Object, spec: ProbeSpec) -> bool:
        assert self.target is not None
        return await perform(probe, self.target, self._around.session, spec.timeout_seconds) is None

    async def _unhealthy(self, why: str) -> None:
        """End the process; what follows is an ordinary exit."""
        log.info("%s, container %s: %s", self._around.pod_name, self.spec["name"], why)
        assert self._child is not None
        await self._child.end(float(self._around.pod["spec"].get("terminationGracePeriodSeconds", 30)))

    async def _post_start(self) -> bool:
        assert self.target is not None
        failure = await perform(self.spec["lifecycle"]["postStart"], self.target, self._around.session, 30.0)
        if failure is not None:
            await self._unhealthy(f"postStart failed: {failure}")
        return failure is None

    async def _pre_stop(self, grace_seconds: float) -> None:
        hook = self.spec.get("lifecycle", {}).get("preStop")
        if hook and self.target and grace_seconds > 0:
            await perform(hook, self.target, self._around.session, grace_seconds)

    def _show(self, view: ContainerView) -> None:
        if view != self.view:
            self.view = view
            self._around.changed()
