"""What every test on a real API server needs first: the three kinds, and a client that may do everything."""

import asyncio
import shutil
import time

import yaml

from quantum_api import names as api
from quantum_api.crd import manifest
from quantum_api.kinds import KINDS
from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import KubeClient, client_context
from quantum_cluster.pki import Credential


async def install_kinds(cluster: EmbeddedCluster) -> None:
    """Apply the CRDs and wait until they are served; forget the discovery from before they existed."""
    manifests = "---\n".join(yaml.safe_dump(manifest(kind)) for kind in KINDS)
    (await cluster.kubectl("apply", "--server-side", "-f", "-", input=manifests)).check()
    names = [f"crd/{manifest(kind)['metadata']['name']}" for kind in KINDS]
    (await cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)).check()
    await discover_kinds(cluster)


async def discover_kinds(cluster: EmbeddedCluster) -> None:
    """Until the kinds are listed: what kubectl discovers between "served" and "listed" it keeps for minutes, and knows no short name."""
    wanted = {manifest(kind)["metadata"]["name"] for kind in KINDS}
    deadline, said = time.monotonic() + 30, ""
    while not wanted <= set(said.split()):
        assert time.monotonic() < deadline, f"the API server does not list {sorted(wanted - set(said.split()))}"
        await asyncio.sleep(0.05)
        shutil.rmtree(cluster.env["KUBECACHEDIR"], ignore_errors=True)
        said = (await cluster.kubectl("api-resources", f"--api-group={api.GROUP}", "-o", "name")).stdout


def admin_client(cluster: EmbeddedCluster) -> KubeClient:
    """Of the group system:masters."""
    pki = cluster.state.pki
    server = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return KubeClient(server, client_context(pki / "cluster-ca.crt", Credential(pki / "admin.crt", pki / "admin.key")))
