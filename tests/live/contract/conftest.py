"""One real API server with the three kinds, for the whole table."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tests.api_server import admin_client, install_kinds

from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import KubeClient


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster("contract", tmp_path_factory.mktemp("contract") / "state") as started:
        await install_kinds(started)
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(cluster: EmbeddedCluster) -> AsyncIterator[KubeClient]:
    async with admin_client(cluster) as client:
        yield client
