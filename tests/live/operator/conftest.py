"""One real API server with the three kinds for this folder; a namespace per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.api_server import admin_client, install_kinds
from tests.live.operator.desk import Desk

from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import KubeClient


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster("operator", tmp_path_factory.mktemp("operator") / "state") as started:
        await install_kinds(started)
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(cluster: EmbeddedCluster) -> AsyncIterator[KubeClient]:
    async with admin_client(cluster) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def desk(cluster: EmbeddedCluster, api: KubeClient, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    name = request.node.name.removeprefix("test_").replace("_", "-").lower()[:50].strip("-")
    await api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    made = Desk(cluster, api, name, tmp_path)
    try:
        yield made
    finally:
        await made.close()
        (await cluster.kubectl("delete", "namespace", name, "--wait=false")).check()
