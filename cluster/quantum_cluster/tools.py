"""Finds or builds the binaries of a cluster: etcd, the Kubernetes control plane, kubectl and helm.

In    cluster/tools/go.mod and go.sum, PATH, KUBEBUILDER_ASSETS
Out   one directory that holds all of them, under the cache
Flow  `quantum-cluster tools`, EmbeddedCluster -> HERE -> control plane, kubectl
Why   the Go module proxy is reachable where container registries and download sites are not
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from quantum_cluster.paths import cache_home
from quantum_cluster.tool_versions import TOOLS, Tool, fits, go_is_new_enough, linker_flags

MODULES: Final = Path(__file__).resolve().parents[1] / "tools"
_VERSION_TIMEOUT_SECONDS: Final = 20.0

Say = Callable[[str], None]


class ToolError(Exception):
    """A tool cannot be had; the message says what to install or set."""


def ensure_tools(say: Say = print) -> Path:
    """Return the directory that holds every tool, building what is neither cached nor found."""
    bin_dir = cache_home() / "tools" / _modules_hash() / "bin"
    if not _missing(bin_dir):
        return bin_dir
    bin_dir.mkdir(parents=True, exist_ok=True)
    with _exclusive(bin_dir.parent / "lock", say):
        _remove_partials(bin_dir)
        for tool in _missing(bin_dir):
            found = _found_on_machine(tool)
            if found:
                _link(found, bin_dir / tool.name)
                say(f"using {found} for {tool.name}")
            else:
                _build(tool, bin_dir, say)
    return bin_dir


def _missing(bin_dir: Path) -> list[Tool]:
    return [tool for tool in TOOLS if not _usable(tool, bin_dir / tool.name)]


def _usable(tool: Tool, path: Path) -> bool:
    """A built binary is pinned by the directory's name; a link must fit anew, its target may have been upgraded."""
    if path.is_symlink():
        return path.exists() and _version_fits(tool, path)
    return path.is_file()


def _found_on_machine(tool: Tool) -> Path | None:
    places = [os.environ.get("KUBEBUILDER_ASSETS"), *os.environ.get("PATH", "").split(os.pathsep)]
    for place in filter(None, places):
        path = Path(place) / tool.name
        if os.access(path, os.X_OK) and _version_fits(tool, path):
            return path.resolve()
    return None


def _version_fits(tool: Tool, path: Path) -> bool:
    try:
        done = subprocess.run([path, *tool.version_args], capture_output=True, text=True, check=False, timeout=_VERSION_TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and fits(tool, done.stdout + done.stderr)


def _build(tool: Tool, bin_dir: Path, say: Say) -> None:
    directory = MODULES / tool.module_dir
    go = _go(directory)
    partial = bin_dir / f".{tool.name}.partial"
    say(f"building {tool.name} ({tool.package}) …")
    began = time.monotonic()
    done = subprocess.run(
        [go, "build", "-trimpath", "-ldflags", linker_flags(tool), "-o", partial, tool.package],
        cwd=directory, env=_go_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise ToolError(
            f"go build of {tool.name} failed; check that the Go module proxy is reachable (go env GOPROXY):\n{done.stderr[-4000:]}"
        )
    partial.replace(bin_dir / tool.name)
    say(f"built {tool.name} in {time.monotonic() - began:.0f} s")


def _go(directory: Path) -> str:
    if not (directory / "go.mod").is_file():
        raise ToolError(f"{directory}/go.mod is not there: run from a checkout, or put the binaries on PATH or under KUBEBUILDER_ASSETS")
    needed = next(line.split()[1] for line in (directory / "go.mod").read_text().splitlines() if line.startswith("go "))
    fix = f"install Go {needed} or newer (https://go.dev/dl), or put the binaries on PATH or under KUBEBUILDER_ASSETS"
    go = shutil.which("go")
    if go is None:
        raise ToolError(f"Go is not on PATH: {fix}")
    version = subprocess.run([go, "env", "GOVERSION"], cwd=directory, env=_go_environment(), capture_output=True, text=True, check=False)
    if version.returncode != 0 or not go_is_new_enough(version.stdout, needed):
        raise ToolError(f"{go} is {version.stdout.strip() or 'unusable'}, too old: {fix}")
    return go


def _go_environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"}


def _link(target: Path, link: Path) -> None:
    partial = link.with_name(f".{link.name}.partial")
    partial.symlink_to(target)
    partial.replace(link)


def _remove_partials(bin_dir: Path) -> None:
    for partial in bin_dir.glob(".*.partial"):
        partial.unlink()


def _modules_hash() -> str:
    digest = hashlib.sha256()
    for directory in (MODULES, MODULES / "helm"):
        for name in ("go.mod", "go.sum"):
            path = directory / name
            digest.update(path.read_bytes() if path.is_file() else b"")
    for tool in TOOLS:
        digest.update(linker_flags(tool).encode())
    return digest.hexdigest()[:16]


@contextmanager
def _exclusive(path: Path, say: Say) -> Iterator[None]:
    """Hold a file lock: two builders would do the same work twice."""
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build of the same tools …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
