"""One real API server with the three kinds, for the whole table."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from quantum_api.crd import manifest
from quantum_api.kinds import KINDS
from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import KubeClient, client_context
from quantum_cluster.pki import Credential


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster("contract", tmp_path_factory.mktemp("contract") / "state") as started:
        manifests = "---\n".join(yaml.safe_dump(manifest(kind)) for kind in KINDS)
        (await started.kubectl("apply", "--server-side", "-f", "-", input=manifests)).check()
        names = [f"crd/{manifest(kind)['metadata']['name']}" for kind in KINDS]
        (await started.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)).check()
        shutil.rmtree(started.env["KUBECACHEDIR"])  # discovery from before the kinds existed
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(cluster: EmbeddedCluster) -> AsyncIterator[KubeClient]:
    pki: Path = cluster.state.pki
    context = client_context(pki / "cluster-ca.crt", Credential(pki / "admin.crt", pki / "admin.key"))
    async with KubeClient(json.loads(cluster.state.record.read_text())["server"], context) as client:
        yield client
