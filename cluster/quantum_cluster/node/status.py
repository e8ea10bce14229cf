"""Computes a pod's status from what its containers live through.  Pure.

In    the pod, a view of each container, addresses, the conditions as they were, the time
Out   the status to patch: phase, conditions, container statuses, addresses
Flow  containers -> HERE -> API server -> controllers, `kubectl get pods`
Why   StatefulSets, waits and humans act on exactly these fields
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from quantum_cluster.node.fields import Object, PodPlace


@dataclass(frozen=True)
class Waiting:
    reason: str = "ContainerCreating"
    message: str = ""

    def to_json(self) -> Object:
        return {"waiting": {"reason": self.reason, **({"message": self.message} if self.message else {})}}


@dataclass(frozen=True)
class Running:
    started_at: str

    def to_json(self) -> Object:
        return {"running": {"startedAt": self.started_at}}


@dataclass(frozen=True)
class Terminated:
    exit_code: int
    reason: str
    started_at: str
    finished_at: str
    container_id: str

    def to_json(self) -> Object:
        signal = {"signal": self.exit_code - 128} if self.exit_code > 128 else {}
        return {
            "terminated": {
                "exitCode": self.exit_code, "reason": self.reason, "startedAt": self.started_at, "finishedAt": self.finished_at,
                "containerID": self.container_id, **signal,
            }
        }  # fmt: skip


State = Waiting | Running | Terminated


@dataclass(frozen=True)
class ContainerView:
    """What is to be said about one container."""

    name: str
    image: str
    state: State = Waiting()
    last: Terminated | None = None
    restart_count: int = 0
    ready: bool = False
    started: bool = False
    container_id: str = ""

    @property
    def ever_ran(self) -> bool:
        return not isinstance(self.state, Waiting) or self.last is not None

    def ended(self, how: Terminated) -> "ContainerView":
        return replace(self, state=how, ready=False, started=False)

    def to_json(self) -> Object:
        return {
            "name": self.name, "image": self.image, "imageID": "", "containerID": self.container_id,
            "state": self.state.to_json(), "lastState": self.last.to_json() if self.last else {},
            "restartCount": self.restart_count, "ready": self.ready, "started": self.started,
        }  # fmt: skip


def terminated(return_code: int, started_at: str, finished_at: str, container_id: str) -> Terminated:
    """A return code as Popen gives it: negative for a signal, which the API states as 128 + signal."""
    code = 128 - return_code if return_code < 0 else return_code
    return Terminated(code, "Completed" if code == 0 else "Error", started_at, finished_at, container_id)


def phase(policy: str, init: Sequence[ContainerView], main: Sequence[ContainerView]) -> str:
    if policy == "Never" and any(_failed(view) for view in init):
        return "Failed"
    if not all(_completed(view) for view in init) or not all(view.ever_ran for view in main):
        return "Pending"
    if policy == "Always" or not all(isinstance(view.state, Terminated) for view in main):
        return "Running"
    if all(_completed(view) for view in main):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def pod_status(
    pod: Object, init: Sequence[ContainerView], main: Sequence[ContainerView], place: PodPlace, started_at: str, before: Object, now: str
) -> Object:
    """``before`` is the status last computed or read; a condition keeps its transition time while its status stays."""
    deleting = "deletionTimestamp" in pod["metadata"]
    now_phase = phase(pod["spec"].get("restartPolicy", "Always"), init, main)
    finished = now_phase in {"Succeeded", "Failed"}
    initialized = all(_completed(view) for view in init)
    ready = all(view.ready for view in main) and not finished and not deleting
    reason = _why_not_ready(now_phase, deleting)
    conditions = [
        _condition("PodReadyToStartContainers", True, "", before, now),
        _condition("Initialized", initialized, "PodCompleted" if now_phase == "Succeeded" else "ContainersNotInitialized", before, now),
        _condition("ContainersReady", ready, reason, before, now),
        _condition("Ready", ready and _gates_open(pod), reason if not ready else "ReadinessGatesNotReady", before, now),
    ]
    return {
        "phase": now_phase, "conditions": conditions, "startTime": started_at, "hostIP": place.host_ip, "hostIPs": [{"ip": place.host_ip}],
        "podIP": place.pod_ip, "podIPs": [{"ip": place.pod_ip}], "qosClass": pod.get("status", {}).get("qosClass", "BestEffort"),
        "observedGeneration": pod["metadata"].get("generation", 0),
        "containerStatuses": [view.to_json() for view in main],
        **({"initContainerStatuses": [view.to_json() for view in init]} if init else {}),
    }  # fmt: skip


def is_ready(status: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", []))


def _completed(view: ContainerView) -> bool:
    return isinstance(view.state, Terminated) and view.state.exit_code == 0


def _failed(view: ContainerView) -> bool:
    return isinstance(view.state, Terminated) and view.state.exit_code != 0


def _why_not_ready(now_phase: str, deleting: bool) -> str:
    if now_phase in {"Succeeded", "Failed"}:
        return "PodCompleted" if now_phase == "Succeeded" else "PodFailed"
    return "PodTerminating" if deleting else "ContainersNotReady"


def _gates_open(pod: Object) -> bool:
    stated = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions", [])}
    return all(stated.get(gate["conditionType"]) == "True" for gate in pod["spec"].get("readinessGates", []))


def _condition(kind: str, holds: bool, reason: str, before: Object, now: str) -> Object:
    status = "True" if holds else "False"
    earlier: dict[str, Any] = next((each for each in before.get("conditions", []) if each["type"] == kind), {})
    since = earlier.get("lastTransitionTime") if earlier.get("status") == status else now
    return {"type": kind, "status": status, "lastTransitionTime": since or now, "reason": None if holds else reason}
