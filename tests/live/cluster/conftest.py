"""One real cluster for all tests of this folder, and short ways to ask it things."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from quantum_cluster.embedded import EmbeddedCluster

Object = dict[str, Any]


class Kube:
    """A cluster and one namespace of it."""

    def __init__(self, cluster: EmbeddedCluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    async def __call__(self, *args: str, input: str | None = None) -> str:  # noqa: A002
        return (await self.cluster.kubectl("-n", self.namespace, *args, input=input)).check().stdout

    async def apply(self, *objects: Object) -> None:
        await self("apply", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    async def get(self, kind: str, name: str) -> Object:
        return json.loads(await self("get", kind, name, "-o", "json"))

    async def ready(self, *pods: str) -> bool:
        await self("wait", "--for=condition=Ready", *(f"pod/{pod}" for pod in pods), "--timeout=30s")
        return True

    async def inside(self, pod: str, *command: str) -> str:
        return await self("exec", pod, "--", *command)


async def eventually(check: Callable[[], Awaitable[Any]], what: str, within_seconds: float = 20.0) -> Any:
    """Wait until ``check`` gives something true; a RuntimeError from kubectl counts as not yet."""
    deadline = time.monotonic() + within_seconds
    while True:
        try:
            found = await check()
        except RuntimeError as error:
            found, what = None, f"{what} ({error})"
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within_seconds} s: {what}"
        await asyncio.sleep(0.05)


def pod(name: str, *command: str, labels: dict[str, str] | None = None, spec: Object | None = None, **container: Any) -> Object:
    base = {"name": "main", "image": "example/none:1", "command": list(command), **container}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}},
        "spec": {"terminationGracePeriodSeconds": 2, "containers": [base], **(spec or {})},
    }  # fmt: skip


POD_IP = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster("live", tmp_path_factory.mktemp("live") / "state") as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def kube(cluster: EmbeddedCluster, request: pytest.FixtureRequest) -> AsyncIterator[Kube]:
    """A namespace per test; it is deleted without waiting, so no test sees another's pods."""
    name = request.node.name.removeprefix("test_").replace("_", "-").lower()[:50].strip("-")
    (await cluster.kubectl("create", "namespace", name)).check()
    made = Kube(cluster, name)
    await eventually(lambda: made.get("serviceaccount", "default"), "the namespace's service account")
    yield made
    (await cluster.kubectl("delete", "namespace", name, "--wait=false")).check()
