"""A namespace with fake engines and an operator process, and short ways to act on it."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.live.operator.fake_engine import FakeEngine, FakeServer

from quantum_api.kinds import KINDS
from quantum_api.policy_document import Jwks
from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import KubeClient

Object = dict[str, Any]
_PLURALS = {kind.kind: kind.plural for kind in KINDS}
GROUP = "/apis/quantumtrader.io/v1alpha1"
LIMITS = {
    "instruments": ["BTCUSDT", "ETHUSDT"],
    "maxOrderNotionalUsdt": 1000,
    "maxPositionNotionalUsdt": 5000,
    "maxGrossExposureUsdt": 10_000,
}


async def eventually(check: Callable[[], Awaitable[Any] | Any], what: str, within_seconds: float = 15.0) -> Any:
    """Wait until ``check`` gives something true."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within_seconds} s: {what}"
        await asyncio.sleep(0.02)


class OperatorProcess:
    """The real command, with its log in a file."""

    def __init__(self, env: dict[str, str], log: Path, **settings: str) -> None:
        self._env = env | {f"QT_OPERATOR_{name.upper()}": value for name, value in settings.items()}
        self.log = log
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as sink:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "quantum_operator", "run", env=self._env, stdout=sink, stderr=sink
            )

    async def command(self, name: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "quantum_operator", name, env=self._env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        return out.decode()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.process is not None
        await self.process.wait()

    async def end(self) -> int:
        if self.process is None or self.process.returncode is not None:
            return 0 if self.process is None else self.process.returncode or 0
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 15)


class Desk:
    """One namespace."""

    def __init__(self, cluster: EmbeddedCluster, api: KubeClient, namespace: str, logs: Path) -> None:
        self.cluster = cluster
        self.api = api
        self.namespace = namespace
        self.server = FakeServer()
        self.engines: dict[str, FakeEngine] = {}
        self.ports: dict[str, int] = {}
        self.operators: list[OperatorProcess] = []
        self.kubeconfig = str(cluster.kubeconfig)
        self._logs = logs

    async def operator(self, **settings: str) -> OperatorProcess:
        env = {**os.environ, "KUBECONFIG": self.kubeconfig}
        base = {"namespace": self.namespace, "http_host": "127.0.0.1", "http_port": "0", "relist_seconds": "20"}
        made = OperatorProcess(env, self._logs / f"operator-{len(self.operators)}.log", **{**base, **settings})
        self.operators.append(made)
        await made.start()
        return made

    async def close(self) -> None:
        for operator in self.operators:
            await operator.end()
        await self.server.close()

    async def engine(self, name: str, **labels: str) -> FakeEngine:
        """A pod that never schedules, whose status points at a fake engine."""
        engine = FakeEngine(f"{self.namespace}/{name}")
        self.engines[name] = engine
        self.ports[name] = await self.server.start(engine)
        await self.pod(name, self.ports[name], **labels)
        await self._share_jwks()
        return engine

    async def pod(self, name: str, port: int, ip: str = "127.0.0.1", **labels: str) -> None:
        marked = {"app.kubernetes.io/component": "engine", "statefulset.kubernetes.io/pod-name": name, **labels}
        container = {"name": "engine", "image": "none", "command": ["none"], "ports": [{"name": "control", "containerPort": port}]}
        spec = {"containers": [container], "schedulerName": "none", "terminationGracePeriodSeconds": 0}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": marked}, "spec": spec}
        await self.api.create(self.core("pods"), body)
        status = {"status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}}
        await self.api.patch(f"{self.core('pods')}/{name}/status", status)

    async def jwks(self) -> str | None:
        found = await self.api.get(self.core("configmaps"))
        return next((c["data"]["jwks.json"] for c in found["items"] if c["metadata"]["name"] == "quantum-trader-jwks"), None)

    async def share_jwks(self) -> None:
        """What the kubelet does for a real engine: bring the ConfigMap into its file."""
        await eventually(self.jwks, "the operator publishes its JWKS")
        await self._share_jwks()

    async def _share_jwks(self) -> None:
        text = await self.jwks()
        for engine in self.engines.values():
            engine.jwks = Jwks.parse(text) if text else engine.jwks

    def core(self, plural: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{plural}"

    def path(self, kind: str, name: str = "") -> str:
        return f"{GROUP}/namespaces/{self.namespace}/{_PLURALS[kind]}" + (f"/{name}" if name else "")

    async def create(self, kind: str, name: str, spec: Object) -> Object:
        body = {"apiVersion": "quantumtrader.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        return await self.api.create(self.path(kind), body)

    async def policy(self, name: str = "base", **over: Any) -> Object:
        return await self.create("TradingPolicy", name, {**LIMITS, **over})

    async def stop(self, name: str = "stop", action: str = "Flatten", **over: Any) -> Object:
        return await self.create("EmergencyStop", name, {"action": action, "reason": "test", **over})

    async def patch(self, kind: str, name: str, spec: Object) -> Object:
        return await self.api.patch(self.path(kind, name), {"spec": spec})

    async def get(self, kind: str, name: str) -> Object:
        return await self.api.get(self.path(kind, name))

    async def all(self, kind: str) -> list[Object]:
        return (await self.api.get(self.path(kind)))["items"]

    async def condition(self, kind: str, name: str, type_: str) -> Object:
        found = await self.get(kind, name)
        now = found["metadata"]["generation"]
        rows = [c for c in found.get("status", {}).get("conditions", []) if c["type"] == type_ and c["observedGeneration"] == now]
        return rows[0] if rows else {"status": None, "reason": None}

    async def until(self, kind: str, name: str, type_: str, status: str = "True", within_seconds: float = 15.0) -> Object:
        async def there() -> Object | None:
            found = await self.condition(kind, name, type_)
            return found if found["status"] == status else None

        return await eventually(there, f"{kind} {name}: {type_} is {status}", within_seconds)

    async def events(self, name: str) -> list[str]:
        found = await self.api.get(self.core("events"))
        return [e["reason"] for e in found["items"] if e["involvedObject"]["name"] == name]

    async def kubectl(self, *args: str, input: str | None = None) -> str:  # noqa: A002
        return (await self.cluster.kubectl("-n", self.namespace, *args, input=input)).check().stdout


def dump(value: Any) -> str:
    return json.dumps(value, indent=1)
