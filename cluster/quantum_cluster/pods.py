"""Finds the processes of running pods, from this process or any other.

In    the records in a cluster's directory
Out   pids; signals sent to exactly the process that was recorded
Flow  tests, `quantum-cluster exec` -> HERE
Why   a test must be able to kill an engine in the middle of a step, without Kubernetes in between
"""

import signal

from quantum_cluster.paths import StateDir
from quantum_cluster.process import ProcessRecord, read_records, signal_recorded, start_ticks


class NoSuchPodError(Exception):
    """No process of such a pod runs here."""


class RunningPods:
    """Pods of one cluster, by name."""

    def __init__(self, state: StateDir) -> None:
        self._state = state

    def records(self) -> list[ProcessRecord]:
        found = (record for record in read_records(self._state.processes) if record.labels.get("kind") == "container")
        return [record for record in found if start_ticks(record.pid) == record.start_ticks]

    def record(self, pod: str, namespace: str = "default", container: str | None = None) -> ProcessRecord:
        """The pod's process: of its first container, unless one is named."""
        for record in self.records():
            labels = record.labels
            if labels["pod"] == pod and labels["namespace"] == namespace and container in {None, labels["container"]}:
                return record
        raise NoSuchPodError(f"no process of pod {namespace}/{pod} runs here: look with `kubectl get pods -A`")

    def pids(self) -> dict[str, int]:
        """namespace/pod/container to pid."""
        keys = ("namespace", "pod", "container")
        return {"/".join(record.labels[key] for key in keys): record.pid for record in self.records()}

    def pid(self, pod: str, namespace: str = "default", container: str | None = None) -> int:
        return self.record(pod, namespace, container).pid

    def signal(self, number: signal.Signals, pod: str, namespace: str = "default", container: str | None = None) -> None:
        signal_recorded(self.record(pod, namespace, container), number)

    def kill(self, pod: str, namespace: str = "default", container: str | None = None) -> None:
        self.signal(signal.SIGKILL, pod, namespace, container)

    def freeze(self, pod: str, namespace: str = "default", container: str | None = None) -> None:
        self.signal(signal.SIGSTOP, pod, namespace, container)

    def thaw(self, pod: str, namespace: str = "default", container: str | None = None) -> None:
        self.signal(signal.SIGCONT, pod, namespace, container)
