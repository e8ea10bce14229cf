"""`up` and `down` as a person uses them, beside another cluster, and after a crash."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quantum_cluster.process import CLUSTER_ID_VARIABLE

Run = Callable[..., subprocess.CompletedProcess[str]]

POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "spawner"},
    "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": "x", "command": ["sh", "-c", "setsid sleep 600 & sleep 600 & exec sleep 600"]}],
    },
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}

    def command(*args: str, input: str | None = None, program: str | None = None) -> subprocess.CompletedProcess[str]:  # noqa: A002
        argv = [program, *args] if program else [sys.executable, "-m", "quantum_cluster", *args, *_named(args)]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, input=input, check=False)

    yield command
    command("down")


def _named(args: tuple[str, ...]) -> list[str]:
    return [] if args[0] == "exec" else ["--name", "cli"]


def marked(cluster_id: str) -> list[str]:
    """Command lines of living processes that bear the cluster's mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"{CLUSTER_ID_VARIABLE}={cluster_id}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found


def test_up_exec_crash_and_down_leave_nothing_behind(run: Run, tmp_path: Path) -> None:
    """A supervisor that is SIGKILLed cannot clean up: `status` says so, `down` finds pods, their children and the control plane."""
    up = run("up", "--no-durable")
    assert "is up" in up.stdout, up.stderr
    assert "runs already" in run("up").stdout
    state = tmp_path / "quantum-trader" / "cli"
    record = json.loads((state / "cluster.json").read_text())
    kubectl = f"{record['bin_dir']}/kubectl"
    access = ("--kubeconfig", str(state / "kubeconfig"))
    run(*access, "apply", "-f", "-", program=kubectl, input=json.dumps(POD)).check_returncode()
    run(*access, "wait", "--for=condition=Ready", "pod/spawner", "--timeout=20s", program=kubectl).check_returncode()
    assert run("exec", "--name", "cli", "spawner", "--", "hostname").stdout.strip() == "spawner"
    assert "default/spawner/main" in run("status").stdout
    assert len([line for line in marked(record["cluster_id"]) if line.startswith("sleep")]) == 3

    supervisor = json.loads((state.parent / "cli.supervisor.json").read_text())["pid"]
    os.kill(supervisor, signal.SIGKILL)
    assert "lost its supervisor" in run("status").stdout
    run("down").check_returncode()
    assert marked(record["cluster_id"]) == []
    assert not state.exists()
    assert run("status").returncode == 1


def test_up_after_a_crash_cleans_up_and_kept_data_is_there_again(run: Run, tmp_path: Path) -> None:
    assert "is up" in run("up", "--no-durable").stdout
    state = tmp_path / "quantum-trader" / "cli"
    before = json.loads((state / "cluster.json").read_text())
    kubectl, access = f"{before['bin_dir']}/kubectl", ("--kubeconfig", str(state / "kubeconfig"))
    run(*access, "create", "configmap", "kept", program=kubectl).check_returncode()
    run(*access, "apply", "-f", "-", program=kubectl, input=json.dumps(POD)).check_returncode()
    run(*access, "wait", "--for=condition=Ready", "pod/spawner", "--timeout=20s", program=kubectl).check_returncode()
    os.kill(json.loads((state.parent / "cli.supervisor.json").read_text())["pid"], signal.SIGKILL)

    again = run("up", "--no-durable")
    assert "is up" in again.stdout, again.stderr + again.stdout
    assert marked(before["cluster_id"]) == []
    run(*access, "get", "configmap", "kept", program=kubectl).check_returncode()
    run(*access, "wait", "--for=condition=Ready", "pod/spawner", "--timeout=20s", program=kubectl).check_returncode()
    restarts = run(*access, "get", "pod", "spawner", "-o", "jsonpath={.status.containerStatuses[0].restartCount}", program=kubectl)
    assert restarts.stdout == "1"

    run("down", "--keep-data").check_returncode()
    assert (state / "etcd").is_dir()
