"""One real API server with the three kinds for this folder; a namespace per test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from tests.live.operator.desk import Desk

from quantum_api.crd import manifest
from quantum_api.kinds import KINDS
from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import KubeClient, client_context
from quantum_cluster.pki import Credential


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster("operator", tmp_path_factory.mktemp("operator") / "state") as started:
        manifests = "---\n".join(yaml.safe_dump(manifest(kind)) for kind in KINDS)
        (await started.kubectl("apply", "--server-side", "-f", "-", input=manifests)).check()
        names = [f"crd/{manifest(kind)['metadata']['name']}" for kind in KINDS]
        (await started.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)).check()
        shutil.rmtree(started.env["KUBECACHEDIR"])  # discovery from before the kinds existed
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(cluster: EmbeddedCluster) -> AsyncIterator[KubeClient]:
    pki = cluster.state.pki
    context = client_context(pki / "cluster-ca.crt", Credential(pki / "admin.crt", pki / "admin.key"))
    server = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    async with KubeClient(server, context) as client:
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
