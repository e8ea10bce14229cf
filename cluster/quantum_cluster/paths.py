"""Says where a cluster keeps what it must remember, and writes its record whole.

In    a cluster name or a directory
Out   one path per purpose
Flow  command line, library -> HERE -> every other module
Why   `down` after a crash knows a cluster only by what lies under these names
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quantum-trader"


def state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "quantum-trader"


@dataclass(frozen=True)
class StateDir:
    """One cluster's directory."""

    root: Path

    @classmethod
    def named(cls, name: str) -> "StateDir":
        return cls(state_home() / name)

    def create(self) -> None:
        for path in (self.root, self.pki, self.etcd, self.logs, self.processes, self.pods, self.volumes):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def record(self) -> Path:
        return self.root / "cluster.json"

    def write_record(self, record: dict[str, Any]) -> None:
        """Whole or not at all: other processes read it at any moment."""
        partial = self.record.with_suffix(".partial")
        partial.write_text(json.dumps(record))
        partial.replace(self.record)

    @property
    def lock(self) -> Path:
        """Beside the directory, not in it: removing the state must not remove a lock somebody holds."""
        return self.root.with_name(f".{self.root.name}.lock")

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        return self.root / "etcd"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def processes(self) -> Path:
        return self.root / "processes"

    @property
    def pods(self) -> Path:
        return self.root / "pods"

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    @property
    def supervisor_log(self) -> Path:
        return self.root.with_name(f"{self.root.name}.supervisor.log")
