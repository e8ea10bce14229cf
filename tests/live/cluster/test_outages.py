"""Parts of the control plane die; pods do not."""

import asyncio
import os
import signal
import time

import pytest

from quantum_cluster.embedded import EmbeddedCluster

from .conftest import Kube, eventually, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLEEP = ("python", "-c", "import time; time.sleep(600)")


async def test_a_killed_api_server_leaves_pods_running_and_the_node_goes_on(kube: Kube, cluster: EmbeddedCluster) -> None:
    """The node does what a kubelet does: it keeps what it runs, restarts what crashes, and reports when it can."""
    await kube.apply(pod("steady", *SLEEP), pod("crashed", *SLEEP))
    await kube.ready("steady", "crashed")
    steady, crashed = cluster.pods.pid("steady", kube.namespace), cluster.pods.pid("crashed", kube.namespace)
    await cluster.apiserver.kill()
    cluster.pods.kill("crashed", kube.namespace)

    async def restarted() -> bool:
        return cluster.pods.pids().get(f"{kube.namespace}/crashed/main", crashed) != crashed

    await eventually(restarted, "a restart without an API server", within_seconds=5)
    await cluster.apiserver.start()
    await cluster.apiserver.wait_ready()
    assert cluster.pods.pid("steady", kube.namespace) == steady

    async def reported() -> bool:
        return (await kube.get("pod", "crashed"))["status"]["containerStatuses"][0]["restartCount"] == 1

    await eventually(reported, "the restart is reported afterwards", within_seconds=10)
    assert (await kube.get("pod", "steady"))["status"]["containerStatuses"][0]["restartCount"] == 0
    await kube("delete", "pod", "steady", "--timeout=20s")
    await kube.apply(pod("newcomer", *SLEEP))
    await eventually(lambda: kube.ready("newcomer"), "a new pod", within_seconds=30)


async def test_a_frozen_api_server_answers_nobody_until_it_is_thawed(kube: Kube, cluster: EmbeddedCluster) -> None:
    cluster.apiserver.freeze()
    try:
        frozen = await cluster.kubectl("get", "ns", "--request-timeout=1s")
        assert frozen.returncode != 0
    finally:
        cluster.apiserver.thaw()
    await cluster.apiserver.wait_ready(10)
    (await cluster.kubectl("get", "ns")).check()


async def test_a_killed_etcd_comes_back_with_what_it_had(kube: Kube, cluster: EmbeddedCluster) -> None:
    await kube("create", "configmap", "kept", "--from-literal=a=b")
    await cluster.etcd.kill()
    try:
        await eventually(lambda: _unready(cluster), "the API server says that it is not ready")
    finally:
        await cluster.etcd.start()
        await cluster.etcd.wait_ready()
    assert (await eventually(lambda: kube.get("configmap", "kept"), "reads work again"))["data"] == {"a": "b"}


async def _unready(cluster: EmbeddedCluster) -> bool:
    return not await cluster.apiserver.is_ready()


async def test_what_crashes_is_started_again_and_what_a_test_stopped_is_not(cluster: EmbeddedCluster) -> None:
    before = cluster.scheduler.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)

    async def another() -> bool:
        return cluster.scheduler.pid not in {None, before}

    await eventually(another, "the scheduler is back")
    await cluster.scheduler.kill()
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert cluster.scheduler.pid is None
        await asyncio.sleep(0.1)
    await cluster.scheduler.start()
