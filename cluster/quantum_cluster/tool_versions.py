"""Decides whether a binary found on the machine may be used instead of a built one.  Pure.

In    the tool's name and what its version command printed
Out   whether it fits, and the version read
Flow  PATH, KUBEBUILDER_ASSETS -> HERE -> tools
Why   a control plane of mixed minors fails late and oddly; kubectl is supported within one minor of its server
"""

import re
from dataclasses import dataclass
from typing import Final

KUBERNETES_VERSION: Final = "v1.36.3"
HELM_VERSION: Final = "v4.3.1"

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Fit:
    """Versions that will do: a major, and minors if only some fit."""

    major: int
    minors: range | None = None

    def accepts(self, version: tuple[int, int, int]) -> bool:
        return version[0] == self.major and (self.minors is None or version[1] in self.minors)


@dataclass(frozen=True)
class Tool:
    """One binary: the Go package that makes it and the versions that may stand in for it."""

    name: str
    package: str
    version_args: tuple[str, ...]
    fit: Fit
    module_dir: str = "."


_KUBERNETES: Final = Fit(1, range(36, 37))

TOOLS: Final[tuple[Tool, ...]] = (
    Tool("etcd", "go.etcd.io/etcd/server/v3", ("--version",), Fit(3, range(6, 7))),
    Tool("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", ("--version",), _KUBERNETES),
    Tool("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", ("--version",), _KUBERNETES),
    Tool("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", ("--version",), _KUBERNETES),
    # https://kubernetes.io/releases/version-skew-policy/#kubectl
    Tool("kubectl", "k8s.io/kubernetes/cmd/kubectl", ("version", "--client"), Fit(1, range(35, 38))),
    Tool("helm", "helm.sh/helm/v4/cmd/helm", ("version", "--short"), Fit(4), module_dir="helm"),
)


def parse_version(output: str) -> tuple[int, int, int] | None:
    """The first x.y.z in what a version command printed."""
    found = _VERSION.search(output)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def fits(tool: Tool, version_output: str) -> bool:
    version = parse_version(version_output)
    return version is not None and tool.fit.accepts(version)


def go_is_new_enough(go_version: str, needed: str) -> bool:
    """Compare ``go1.26.8`` with the ``go`` line of a go.mod, ``1.26.0``."""
    return _numbers(go_version) >= _numbers(needed)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def linker_flags(tool: Tool) -> str:
    """Version stamps: without them a server built from modules reports v0.0.0-master and clients refuse to talk to it."""
    flags = ["-s", "-w"]
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    stamps = {
        "gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor,
        "gitTreeState": "clean", "gitCommit": "unknown", "buildDate": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        flags += [f"-X {package}.{key}={value}" for key, value in stamps.items()]
    if tool.name == "helm":
        flags.append(f"-X helm.sh/helm/v4/internal/version.version={HELM_VERSION}")
    return " ".join(flags)
