"""Prepares a cluster's directory: addresses, ports, certificates, kubeconfig files.

In    a state directory, a claimed address block, the binaries
Out   the Plan that the components' flags are made from
Flow  EmbeddedCluster -> HERE -> components
Why   a kept cluster must come back at the same addresses with the same authority, or its data refers to nothing
"""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from quantum_cluster.address_block import AddressBlock, Claim, claim_block, free_port
from quantum_cluster.components import Credentials, Plan, Ports
from quantum_cluster.paths import StateDir
from quantum_cluster.pki import Authority, Credential, token_key, write_kubeconfig


@dataclass(frozen=True)
class Boot:
    """A cluster ready to be started."""

    name: str
    cluster_id: str
    claim: Claim
    plan: Plan
    admin: Credential
    node: Credential
    component_kubeconfigs: dict[str, Path]

    @property
    def node_name(self) -> str:
        return f"{self.name}-node"


def prepare(name: str, state: StateDir, bin_dir: Path, durable: bool) -> Boot:
    kept = json.loads(state.record.read_text()) if state.record.exists() else {}
    state.create()
    claim = claim_block(kept.get("block"))
    block = claim.block
    ports = _ports(block)
    cluster_ca = Authority(state.pki, "cluster-ca")
    node = cluster_ca.issue("node", "quantum-cluster:node", ["system:masters"], [block.host, f"{name}-node"])
    admin = cluster_ca.issue("admin", "quantum-cluster:admin", ["system:masters"])
    plan = Plan(bin_dir, block, ports, _credentials(state.pki, cluster_ca, block), state.etcd, durable)
    files = _component_kubeconfigs(state, cluster_ca, plan, name)
    write_kubeconfig(state.kubeconfig, name, plan.server, cluster_ca.cert_path, admin)
    cluster_id = uuid.uuid4().hex
    state.write_record({"name": name, "cluster_id": cluster_id, "block": block.number, "server": plan.server})
    return Boot(name, cluster_id, claim, plan, admin, node, files)


def _ports(block: AddressBlock) -> Ports:
    host = block.host
    return Ports(free_port(host, 2379), free_port(host, 2380), free_port(host, 6443), free_port(host, 10250))


def _credentials(directory: Path, cluster_ca: Authority, block: AddressBlock) -> Credentials:
    etcd_ca = Authority(directory, "etcd-ca")
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"]
    return Credentials(
        authority=cluster_ca.cert_path,
        authority_key=cluster_ca.key_path,
        etcd_authority=etcd_ca.cert_path,
        etcd=etcd_ca.issue("etcd", "etcd", serves=[block.host]),
        etcd_client=etcd_ca.issue("etcd-client", "kube-apiserver"),
        apiserver=cluster_ca.issue("apiserver", "kube-apiserver", serves=[*names, block.host, block.kubernetes_service]),
        kubelet_client=cluster_ca.issue("apiserver-kubelet", "kube-apiserver-kubelet-client", ["system:masters"]),
        token_key=token_key(directory),
    )


def _component_kubeconfigs(state: StateDir, cluster_ca: Authority, plan: Plan, name: str) -> dict[str, Path]:
    # The controller manager runs every controller under one credential (--use-service-account-credentials=false), which the
    # default role does not cover; the scheduler starts before the default roles exist, and a refused list costs it seconds of back-off.
    who = {
        "kube-controller-manager": cluster_ca.issue("controller-manager", "system:kube-controller-manager", ["system:masters"]),
        "kube-scheduler": cluster_ca.issue("scheduler", "system:kube-scheduler", ["system:masters"]),
    }
    files = {component: state.pki / f"{component}.kubeconfig" for component in who}
    for component, credential in who.items():
        write_kubeconfig(files[component], name, plan.server, cluster_ca.cert_path, credential)
    return files
