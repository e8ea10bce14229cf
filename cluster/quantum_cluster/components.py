"""Says with which flags each component of the control plane starts.  Pure.

In    binaries' directory, addresses and ports, certificates
Out   argument lists
Flow  EmbeddedCluster -> HERE -> control_plane
Why   each flag that departs from a default has its reason beside it
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quantum_cluster.address_block import AddressBlock
from quantum_cluster.pki import Credential

ISSUER: Final = "https://kubernetes.default.svc.cluster.local"

# Endpoints and slices refuse loopback addresses, so the node's proxy reads pods instead.  Node lifecycle would evict pods after an
# outage of the API server that the node itself survived.  The rest serves clouds, certificates and features that nothing here uses.
_CONTROLLERS_OFF: Final = (
    "endpoints-controller", "endpointslice-controller", "endpointslice-mirroring-controller",
    "node-lifecycle-controller", "taint-eviction-controller", "device-taint-eviction-controller", "node-ipam-controller", "ttl-controller",
    "persistentvolume-attach-detach-controller", "persistentvolume-expander-controller", "ephemeral-volume-controller",
    "replicationcontroller-controller", "horizontal-pod-autoscaler-controller",
    "certificatesigningrequest-signing-controller", "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller", "podcertificaterequest-cleaner-controller",
    "resourceclaim-controller", "service-cidr-controller", "legacy-serviceaccount-token-cleaner-controller",
    "volumeattributesclass-protection-controller",
)  # fmt: skip


@dataclass(frozen=True)
class Ports:
    etcd_client: int
    etcd_peer: int
    apiserver: int
    kubelet: int


@dataclass(frozen=True)
class Credentials:
    """Certificates of the control plane; ``etcd_authority`` is apart, so that no cluster client can read the store."""

    authority: Path
    authority_key: Path
    etcd_authority: Path
    etcd: Credential
    etcd_client: Credential
    apiserver: Credential
    kubelet_client: Credential
    token_key: Path


@dataclass(frozen=True)
class Plan:
    """Everything the flags depend on."""

    bin_dir: Path
    block: AddressBlock
    ports: Ports
    certs: Credentials
    etcd_data: Path
    durable: bool

    @property
    def server(self) -> str:
        return f"https://{self.block.host}:{self.ports.apiserver}"


def etcd(plan: Plan) -> list[str]:
    client = f"https://{plan.block.host}:{plan.ports.etcd_client}"
    peer = f"https://{plan.block.host}:{plan.ports.etcd_peer}"
    certs = plan.certs
    return [
        f"{plan.bin_dir}/etcd", "--name=default", f"--data-dir={plan.etcd_data}", "--log-level=warn",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        "--client-cert-auth", f"--trusted-ca-file={certs.etcd_authority}",
        f"--cert-file={certs.etcd.cert}", f"--key-file={certs.etcd.key}",
        "--peer-client-cert-auth", f"--peer-trusted-ca-file={certs.etcd_authority}",
        f"--peer-cert-file={certs.etcd.cert}", f"--peer-key-file={certs.etcd.key}",
        "--heartbeat-interval=20", "--election-timeout=200",  # a single member need not wait for others
        *([] if plan.durable else ["--unsafe-no-fsync"]),
    ]  # fmt: skip


def apiserver(plan: Plan) -> list[str]:
    certs = plan.certs
    return [
        f"{plan.bin_dir}/kube-apiserver",
        f"--etcd-servers=https://{plan.block.host}:{plan.ports.etcd_client}", f"--etcd-cafile={certs.etcd_authority}",
        f"--etcd-certfile={certs.etcd_client.cert}", f"--etcd-keyfile={certs.etcd_client.key}",
        f"--bind-address={plan.block.host}", f"--secure-port={plan.ports.apiserver}",
        f"--advertise-address={plan.block.host}", "--endpoint-reconciler-type=none",  # Endpoints refuse loopback
        f"--tls-cert-file={certs.apiserver.cert}", f"--tls-private-key-file={certs.apiserver.key}",
        f"--client-ca-file={certs.authority}", "--authorization-mode=Node,RBAC",
        f"--service-account-issuer={ISSUER}", f"--service-account-signing-key-file={certs.token_key}",
        f"--service-account-key-file={certs.token_key}", f"--service-cluster-ip-range={plan.block.services}",
        f"--kubelet-client-certificate={certs.kubelet_client.cert}", f"--kubelet-client-key={certs.kubelet_client.key}",
        f"--kubelet-certificate-authority={certs.authority}", "--kubelet-preferred-address-types=InternalIP",
        "--enable-priority-and-fairness=false", "--profiling=false", "--allow-privileged=true",
    ]  # fmt: skip


def controller_manager(plan: Plan, kubeconfig: Path) -> list[str]:
    certs = plan.certs
    return [
        f"{plan.bin_dir}/kube-controller-manager", f"--kubeconfig={kubeconfig}",
        "--controllers=*," + ",".join(f"-{name}" for name in _CONTROLLERS_OFF),
        f"--service-account-private-key-file={certs.token_key}", f"--root-ca-file={certs.authority}",
        "--use-service-account-credentials=false", "--leader-elect=false", "--secure-port=0", "--profiling=false",
        "--kube-api-qps=200", "--kube-api-burst=400",
    ]  # fmt: skip


def scheduler(plan: Plan, kubeconfig: Path) -> list[str]:
    return [
        f"{plan.bin_dir}/kube-scheduler", f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0", "--profiling=false",
        "--kube-api-qps=200", "--kube-api-burst=400",
    ]  # fmt: skip
