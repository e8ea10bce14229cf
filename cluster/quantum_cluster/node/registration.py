"""Says what the node tells about itself; reads the machine's architecture.

In    node facts, the time
Out   the Node object, its status, its Lease
Flow  node service -> HERE -> scheduler, people
Why   the scheduler needs a Ready condition and room; requests are not enforced here, so room is ample
"""

import os
import platform
from datetime import datetime
from typing import Any, Final

from quantum_cluster.node.context import NodeFacts
from quantum_cluster.tool_versions import KUBERNETES_VERSION

Object = dict[str, Any]

LEASES: Final = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_ROOM: Final = {"cpu": "256", "memory": "1Ti", "ephemeral-storage": "1Ti", "pods": "2000"}
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def node_object(facts: NodeFacts) -> Object:
    labels = {"kubernetes.io/hostname": facts.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": _architecture()}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": facts.name, "labels": labels}}


def node_status(facts: NodeFacts, now: datetime) -> Object:
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [_condition("Ready", "True", "NodeReady", "runs pods as local processes", stamp)]
    for pressure in ("MemoryPressure", "DiskPressure", "PIDPressure"):
        conditions.append(_condition(pressure, "False", "NotMeasured", "not measured by this node", stamp))
    return {
        "status": {
            "capacity": _ROOM, "allocatable": _ROOM, "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": facts.host_ip}, {"type": "Hostname", "address": facts.name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": facts.kubelet_port}},
            # Lets the API server pass `kubectl exec` WebSockets through instead of translating them to SPDY (KEP-4006).
            "declaredFeatures": ["ExtendWebSocketsToKubelet"],
            "nodeInfo": {
                "kubeletVersion": KUBERNETES_VERSION, "containerRuntimeVersion": "process://1", "operatingSystem": "linux",
                "architecture": _architecture(), "kernelVersion": platform.release(), "osImage": "this machine", "machineID": "",
                "systemUUID": "", "bootID": "", "kubeProxyVersion": "",
            },
        }
    }  # fmt: skip


def lease(facts: NodeFacts, now: datetime) -> Object:
    spec = {"holderIdentity": facts.name, "leaseDurationSeconds": 40, "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    meta = {"name": facts.name, "namespace": "kube-node-lease"}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}


def _architecture() -> str:
    machine = os.uname().machine
    return _ARCHITECTURES.get(machine, machine)


def _condition(kind: str, status: str, reason: str, message: str, stamp: str) -> Object:
    return {
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastHeartbeatTime": stamp, "lastTransitionTime": stamp,
    }  # fmt: skip
