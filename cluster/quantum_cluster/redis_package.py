"""Makes sure that a `redis-server` binary is on the machine, without leaving a server running.

In    PATH, the distribution's package manager when root
Out   the path of `redis-server`
Flow  `quantum-cluster tools` -> HERE -> pods that run redis-server
Why   Debian's package starts a system service when installed; a policy-rc.d that answers 101 forbids that during the install
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from quantum_cluster.tools import ToolError

_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_MISSING: Final = "redis-server is not on PATH: install your distribution's package (Debian and Ubuntu: apt-get install redis-server)"


def ensure_redis(say: Callable[[str], None] = print) -> Path:
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ToolError(_MISSING)
    say("installing the distribution's redis-server …")
    with _no_services_started():
        _apt("update")
        _apt("install", "-y", "--no-install-recommends", "redis-server")
    found = shutil.which("redis-server")
    if found is None:
        raise ToolError(_MISSING)
    return Path(found)


def _apt(*args: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *args], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ToolError(f"apt-get {args[0]} failed: {done.stderr.strip()[-2000:]}\n{_MISSING}")


@contextmanager
def _no_services_started() -> Iterator[None]:
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
