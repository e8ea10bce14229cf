"""What a pod's status says about its containers."""

from dataclasses import replace
from typing import Any

import pytest

from quantum_cluster.node.fields import PodPlace
from quantum_cluster.node.status import ContainerView, Running, Terminated, Waiting, phase, pod_status, terminated

PLACE = PodPlace("127.64.1.7", "127.64.0.1")
NEW = ContainerView("c", "image:1")
RUNNING = replace(NEW, state=Running("t0"), ready=True, started=True)
DONE = replace(NEW, state=Terminated(0, "Completed", "t0", "t1", "id"))
FAILED = replace(NEW, state=Terminated(1, "Error", "t0", "t1", "id"))
CRASHING = replace(NEW, state=Waiting("CrashLoopBackOff"), last=Terminated(1, "Error", "t0", "t1", "id"))


def pod(**meta: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "n", "uid": "u", **meta}, "spec": {"restartPolicy": "Always", "containers": []}}


def condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(each for each in status["conditions"] if each["type"] == kind)


@pytest.mark.parametrize(
    ("policy", "init", "main", "expected"),
    [
        ("Always", [], [NEW], "Pending"),
        ("Always", [], [RUNNING], "Running"),
        ("Always", [], [RUNNING, NEW], "Pending"),
        ("Always", [], [CRASHING], "Running"),
        ("Always", [], [DONE], "Running"),
        ("Always", [NEW], [NEW], "Pending"),
        ("Always", [FAILED], [NEW], "Pending"),
        ("Never", [FAILED], [NEW], "Failed"),
        ("Never", [], [DONE], "Succeeded"),
        ("Never", [], [DONE, FAILED], "Failed"),
        ("Never", [], [DONE, RUNNING], "Running"),
        ("OnFailure", [], [DONE], "Succeeded"),
        ("OnFailure", [], [FAILED], "Running"),
    ],
)
def test_the_phase_is_a_kubelets(policy: str, init: list[ContainerView], main: list[ContainerView], expected: str) -> None:
    assert phase(policy, init, main) == expected


def test_a_pod_is_ready_only_with_every_container() -> None:
    status = pod_status(pod(), [], [RUNNING, replace(RUNNING, ready=False)], PLACE, "t0", {}, "t1")
    assert condition(status, "Ready")["status"] == "False"
    assert condition(status, "ContainersReady")["reason"] == "ContainersNotReady"


def test_a_pod_that_is_being_deleted_is_not_ready() -> None:
    """Services must stop sending to it before its process is gone."""
    status = pod_status(pod(deletionTimestamp="t1"), [], [RUNNING], PLACE, "t0", {}, "t1")
    assert condition(status, "Ready")["status"] == "False"


def test_a_condition_keeps_its_transition_time_while_it_does_not_change() -> None:
    first = pod_status(pod(), [], [RUNNING], PLACE, "t0", {}, "t1")
    second = pod_status(pod(), [], [RUNNING], PLACE, "t0", first, "t2")
    third = pod_status(pod(), [], [replace(RUNNING, ready=False)], PLACE, "t0", second, "t3")
    times = [condition(each, "Ready")["lastTransitionTime"] for each in (first, second, third)]
    assert times == ["t1", "t1", "t3"]


def test_a_signal_is_stated_as_128_and_its_number() -> None:
    ended = terminated(-9, "t0", "t1", "id")
    assert (ended.exit_code, ended.reason) == (137, "Error")
    assert ended.to_json()["terminated"]["signal"] == 9


def test_a_closed_readiness_gate_keeps_the_pod_unready() -> None:
    gated = pod()
    gated["spec"]["readinessGates"] = [{"conditionType": "example/open"}]
    assert condition(pod_status(gated, [], [RUNNING], PLACE, "t0", {}, "t1"), "Ready")["status"] == "False"
    gated["status"] = {"conditions": [{"type": "example/open", "status": "True"}]}
    assert condition(pod_status(gated, [], [RUNNING], PLACE, "t0", {}, "t1"), "Ready")["status"] == "True"
