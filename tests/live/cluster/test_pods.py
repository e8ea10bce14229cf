"""Pods live as on any node: started, probed, restarted, ended."""

import asyncio
import json
import signal
import time

import pytest

from quantum_cluster.embedded import EmbeddedCluster

from .conftest import POD_IP, Kube, eventually, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLEEP = ("python", "-c", "import time; time.sleep(600)")


def stateful_set(replicas: int) -> dict:
    container = {
        "name": "web", "image": "example/web:1", "command": ["python", "-m", "http.server", "--bind", "$(POD_IP)", "8080"], "env": [POD_IP],
        "workingDir": "/run/data", "volumeMounts": [{"name": "data", "mountPath": "/run/data"}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
    }  # fmt: skip
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
        "spec": {
            "serviceName": "web", "replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "podManagementPolicy": "Parallel",
            "template": {
                "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 2},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
        },
    }  # fmt: skip


async def main_container(kube: Kube, name: str) -> dict:
    return (await kube.get("pod", name))["status"]["containerStatuses"][0]


async def test_a_stateful_set_of_three_becomes_ready_each_at_its_own_address(kube: Kube) -> None:
    await kube.apply(stateful_set(3))
    await kube("rollout", "status", "statefulset/web", "--timeout=30s")
    statuses = [(await kube.get("pod", f"web-{index}"))["status"] for index in range(3)]
    assert len({status["podIP"] for status in statuses}) == 3
    assert {status["phase"] for status in statuses} == {"Running"}
    assert statuses[0]["containerStatuses"][0]["image"] == "example/web:1"


async def test_a_deleted_pod_is_replaced_and_keeps_its_claims_data(kube: Kube, cluster: EmbeddedCluster) -> None:
    await kube.apply(stateful_set(1))
    await eventually(lambda: kube.ready("web-0"), "web-0 exists")
    await kube.inside("web-0", "sh", "-c", "echo kept > /run/data/file")
    before, pid = (await kube.get("pod", "web-0"))["metadata"]["uid"], cluster.pods.pid("web-0", kube.namespace)
    began = time.monotonic()
    await kube("delete", "pod", "web-0", "--wait=false")

    async def replaced() -> bool:
        pids = cluster.pods.pids()
        return pids.get(f"{kube.namespace}/web-0/web", pid) != pid

    await eventually(replaced, "a new process")
    took = time.monotonic() - began
    await eventually(lambda: kube.ready("web-0"), "web-0 ready")
    assert (await kube.get("pod", "web-0"))["metadata"]["uid"] != before
    assert (await kube.inside("web-0", "cat", "/run/data/file")).strip() == "kept"
    assert took < 3, f"the replacement's process took {took:.2f} s"


async def test_a_claims_data_goes_with_the_claim(kube: Kube, cluster: EmbeddedCluster) -> None:
    await kube.apply(stateful_set(1))
    await eventually(lambda: kube.ready("web-0"), "web-0 ready")
    volume = (await kube.get("pvc", "data-web-0"))["spec"]["volumeName"]
    assert (cluster.state.volumes / volume).is_dir()
    await kube("delete", "statefulset/web", "pvc/data-web-0")
    await eventually(lambda: _absent(cluster.state.volumes / volume), "the directory is gone")


async def _absent(path) -> bool:
    return not path.exists()


async def test_a_killed_process_is_restarted_and_counted(kube: Kube, cluster: EmbeddedCluster) -> None:
    await kube.apply(pod("victim", *SLEEP))
    await kube.ready("victim")
    cluster.pods.kill("victim", kube.namespace)

    async def counted() -> dict | None:
        status = await main_container(kube, "victim")
        return status if status["restartCount"] == 1 and "running" in status["state"] else None

    status = await eventually(counted, "one restart")
    assert (await kube.get("pod", "victim"))["status"]["phase"] == "Running"
    assert status["lastState"]["terminated"]["exitCode"] == 128 + signal.SIGKILL


async def test_a_crash_loop_is_slowed_down_and_says_so(kube: Kube) -> None:
    await kube.apply(pod("crasher", "sh", "-c", "exit 3"))

    async def backing_off() -> dict | None:
        status = await main_container(kube, "crasher")
        return status if status["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff" else None

    status = await eventually(backing_off, "CrashLoopBackOff")
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert not status["ready"]


async def test_a_failing_liveness_probe_restarts_the_container(kube: Kube) -> None:
    probe = {"exec": {"command": ["test", "-e", "/run/box/alive"]}, "periodSeconds": 1, "failureThreshold": 1}
    box = {"volumes": [{"name": "box", "emptyDir": {}}]}
    await kube.apply(
        pod("sick", "sh", "-c", "touch /run/box/alive; exec sleep 600", spec=box, livenessProbe={**probe, "initialDelaySeconds": 1},
            volumeMounts=[{"name": "box", "mountPath": "/run/box"}])
    )  # fmt: skip
    await kube.ready("sick")
    assert (await main_container(kube, "sick"))["restartCount"] == 0
    await kube.inside("sick", "rm", "/run/box/alive")

    async def restarted() -> bool:
        return (await main_container(kube, "sick"))["restartCount"] >= 1

    await eventually(restarted, "a restart by the probe")


async def test_readiness_follows_its_probe_both_ways(kube: Kube) -> None:
    probe = {"exec": {"command": ["test", "-e", "ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    await kube.apply(pod("shy", *SLEEP, readinessProbe=probe))
    await eventually(lambda: kube.inside("shy", "sh", "-c", "touch ready; echo done"), "the pod runs")
    await kube.ready("shy")
    await kube.inside("shy", "rm", "ready")
    await kube("wait", "--for=condition=Ready=False", "pod/shy", "--timeout=10s")


async def test_init_containers_finish_before_the_main_one_starts(kube: Kube) -> None:
    mount = {"volumeMounts": [{"name": "box", "mountPath": "/run/box"}]}
    init = [{"name": f"i{n}", "image": "x", "command": ["sh", "-c", f"echo {n} >> /run/box/order"], **mount} for n in (1, 2)]
    spec = {"restartPolicy": "Never", "initContainers": init, "volumes": [{"name": "box", "emptyDir": {}}]}
    await kube.apply(pod("orderly", "cat", "/run/box/order", spec=spec, **mount))
    await kube("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/orderly", "--timeout=20s")
    assert await kube("logs", "orderly") == "1\n2\n"


async def test_a_pod_gets_time_to_end_and_not_more(kube: Kube, cluster: EmbeddedCluster) -> None:
    """Deleting is SIGTERM, then after the grace period SIGKILL for everything the pod started."""
    stubborn = "trap '' TERM; setsid sleep 600 & while :; do sleep 0.1; done"
    await kube.apply(pod("stubborn", "sh", "-c", stubborn, spec={"terminationGracePeriodSeconds": 1}))
    await kube.ready("stubborn")
    began = time.monotonic()
    await kube("delete", "pod", "stubborn", "--timeout=10s")
    assert 1.0 <= time.monotonic() - began < 5.0
    assert f"{kube.namespace}/stubborn/main" not in cluster.pods.pids()


async def test_a_polite_program_ends_by_itself(kube: Kube) -> None:
    program = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up', flush=True); time.sleep(600)"
    await kube.apply(pod("polite", "python", "-c", program, spec={"terminationGracePeriodSeconds": 30}))
    await eventually(lambda: kube("logs", "polite"), "the handler is set")
    began = time.monotonic()
    await kube("delete", "pod", "polite")
    assert time.monotonic() - began < 5


async def test_a_mount_path_that_the_machine_lacks_is_named_in_the_status(kube: Kube) -> None:
    spec = {"volumes": [{"name": "box", "emptyDir": {}}]}
    await kube.apply(pod("lost", *SLEEP, spec=spec, volumeMounts=[{"name": "box", "mountPath": "/no-such-place"}]))

    async def message() -> str:
        return (await main_container(kube, "lost"))["state"].get("waiting", {}).get("message", "")

    assert "mountPath /no-such-place does not exist" in await eventually(message, "a waiting message")


async def test_logs_can_be_followed_and_exec_passes_input_and_exit_codes(kube: Kube, cluster: EmbeddedCluster) -> None:
    await kube.apply(pod("talker", "sh", "-c", "echo one; echo two; sleep 0.5; echo three", spec={"restartPolicy": "Never"}))
    await eventually(lambda: kube("logs", "talker"), "first lines")
    assert (await kube("logs", "-f", "talker")).split() == ["one", "two", "three"]
    assert (await kube("logs", "--tail=1", "talker")).split() == ["three"]
    await kube.apply(pod("listener", *SLEEP))
    await kube.ready("listener")
    assert await kube("exec", "-i", "listener", "--", "cat", input="through and back") == "through and back"
    failed = await cluster.kubectl("-n", kube.namespace, "exec", "listener", "--", "sh", "-c", "echo no >&2; exit 7")
    assert (failed.returncode, failed.stderr.splitlines()[0]) == (7, "no")


async def test_a_pod_waits_for_its_secret_and_starts_when_it_comes(kube: Kube) -> None:
    await kube.apply(pod("patient", *SLEEP, env=[{"name": "K", "valueFrom": {"secretKeyRef": {"name": "late", "key": "k"}}}]))

    async def waiting() -> bool:
        state = (await main_container(kube, "patient"))["state"]
        return state.get("waiting", {}).get("reason") == "CreateContainerConfigError"

    await eventually(waiting, "CreateContainerConfigError")
    await kube("create", "secret", "generic", "late", "--from-literal=k=v")
    await kube.ready("patient")
    assert (await kube.inside("patient", "sh", "-c", "echo $K")).strip() == "v"


async def test_a_changed_config_map_reaches_the_mounted_file(kube: Kube) -> None:
    await kube("create", "configmap", "settings", "--from-literal=level=1")
    spec = {"volumes": [{"name": "settings", "configMap": {"name": "settings"}}]}
    await kube.apply(pod("reader", *SLEEP, spec=spec, volumeMounts=[{"name": "settings", "mountPath": "/run/settings", "readOnly": True}]))
    await kube.ready("reader")
    assert await kube.inside("reader", "cat", "/run/settings/level") == "1"
    await kube("patch", "configmap", "settings", "--patch", json.dumps({"data": {"level": "2"}}))

    async def seen() -> bool:
        return await kube.inside("reader", "cat", "/run/settings/level") == "2"

    await eventually(seen, "the new value", within_seconds=5)
    with pytest.raises(RuntimeError, match="Read-only file system"):
        await kube.inside("reader", "sh", "-c", "echo x > /run/settings/other")


async def test_a_pod_reads_what_its_service_account_may_read(kube: Kube) -> None:
    """In-cluster client libraries work unmodified: address, authority, token and namespace lie where they look."""
    await kube("create", "secret", "generic", "door", "--from-literal=key=open")
    await kube("create", "role", "reader", "--verb=list", "--resource=configmaps")
    await kube("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={kube.namespace}:default")
    program = (
        "import kubernetes as k; k.config.load_incluster_config(); api = k.client.CoreV1Api();"
        "ns = open('/var/run/secrets/kubernetes.io/serviceaccount/namespace').read();"
        "print(sorted(c.metadata.name for c in api.list_namespaced_config_map(ns).items), open('/run/door/key').read());\n"
        "try: api.list_namespaced_secret(ns)\n"
        "except k.client.ApiException as e: print(e.status)"
    )
    spec = {"restartPolicy": "Never", "volumes": [{"name": "door", "secret": {"secretName": "door"}}]}
    await kube.apply(pod("insider", "python", "-c", program, spec=spec, volumeMounts=[{"name": "door", "mountPath": "/run/door"}]))
    await kube("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/insider", "--timeout=40s")
    assert (await kube("logs", "insider")).splitlines() == ["['kube-root-ca.crt'] open", "403"]


async def test_a_frozen_pod_can_be_thawed(kube: Kube, cluster: EmbeddedCluster) -> None:
    await kube.apply(pod("ticker", "sh", "-c", "while :; do echo tick; sleep 0.05; done"))
    await eventually(lambda: kube("logs", "ticker"), "ticks")
    cluster.pods.freeze("ticker", kube.namespace)
    still = await kube("logs", "ticker")
    await asyncio.sleep(0.3)
    assert await kube("logs", "ticker") == still
    cluster.pods.thaw("ticker", kube.namespace)

    async def more() -> bool:
        return len(await kube("logs", "ticker")) > len(still)

    await eventually(more, "more ticks")
