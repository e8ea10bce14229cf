"""Which binaries of the machine may stand in for built ones."""

import pytest

from quantum_cluster.tool_versions import TOOLS, fits, go_is_new_enough, linker_flags

BY_NAME = {tool.name: tool for tool in TOOLS}


@pytest.mark.parametrize(
    ("name", "printed", "fit"),
    [
        ("kube-apiserver", "Kubernetes v1.36.3", True),
        ("kube-apiserver", "Kubernetes v1.36.0", True),
        ("kube-apiserver", "Kubernetes v1.35.9", False),
        ("kube-apiserver", "Kubernetes v1.37.0", False),
        ("kube-scheduler", "Kubernetes v2.36.0", False),
        ("kubectl", "Client Version: v1.32.4\nKustomize Version: v5.5.0", False),
        ("kubectl", "Client Version: v1.35.1\nKustomize Version: v5.7.1", True),
        ("kubectl", "Client Version: v1.37.0", True),
        ("kubectl", "Client Version: v1.38.0", False),
        ("etcd", "etcd Version: 3.6.8\nGit SHA: Not provided", True),
        ("etcd", "etcd Version: 3.5.21", False),
        ("helm", "v4.3.1+g0b1b2c3", True),
        ("helm", "v3.19.0+g3d8990f", False),
        ("etcd", "no version here", False),
    ],
)
def test_only_a_fitting_version_is_used_instead_of_a_build(name: str, printed: str, fit: bool) -> None:
    assert fits(BY_NAME[name], printed) is fit


@pytest.mark.parametrize(
    ("have", "enough"), [("go1.26.8", True), ("go1.26.0", True), ("go1.27", True), ("go1.25.12", False), ("go1.9", False), ("", False)]
)
def test_an_old_go_is_told_from_a_new_one(have: str, enough: bool) -> None:
    assert go_is_new_enough(have, "1.26.0") is enough


def test_a_server_built_from_modules_states_its_version() -> None:
    """Without the stamp it would say v0.0.0-master and clients would refuse it."""
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in linker_flags(BY_NAME["kube-apiserver"])
    assert "-X k8s.io/client-go/pkg/version.gitMinor=36" in linker_flags(BY_NAME["kubectl"])
