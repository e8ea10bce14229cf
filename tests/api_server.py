"""What every test on a real API server needs first: the three kinds, and a client that may do everything."""

import shutil

import yaml

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
    shutil.rmtree(cluster.env["KUBECACHEDIR"])


def admin_client(cluster: EmbeddedCluster) -> KubeClient:
    """Of the group system:masters."""
    pki = cluster.state.pki
    server = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return KubeClient(server, client_context(pki / "cluster-ca.crt", Credential(pki / "admin.crt", pki / "admin.key")))
