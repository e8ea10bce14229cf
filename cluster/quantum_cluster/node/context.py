"""What every part of the node shares: who it is, where things lie, what it knows.

In    the cluster's boot facts; informers
Out   look-ups of configuration, services and volumes; a pulse when any of them changed
Flow  node service -> HERE -> pod workers, containers, proxy
Why   a container that waits for a missing Secret must wake when the Secret comes, not a second later
"""

import asyncio
import base64
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from quantum_cluster.address_block import AddressBlock
from quantum_cluster.kube_client import KubeClient, Object
from quantum_cluster.paths import StateDir

_PASSED_ON: Final = ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE")


class Pulse:
    """Wakes everybody who waits now."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def fire(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None

    async def wait(self, timeout_seconds: float) -> None:
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._next], timeout=timeout_seconds)


@dataclass(frozen=True)
class NodeFacts:
    """Fixed for the life of a node."""

    name: str
    cluster_id: str
    state: StateDir
    block: AddressBlock
    api_host: str
    api_port: int
    kubelet_port: int
    authority: Path

    @property
    def host_ip(self) -> str:
        return self.block.host


@dataclass
class NodeContext:
    """Facts, client, and the node's view of the cluster's objects."""

    facts: NodeFacts
    client: KubeClient
    config_maps: Mapping[str, Object] = field(default_factory=dict)
    secrets: Mapping[str, Object] = field(default_factory=dict)
    services: Mapping[str, Object] = field(default_factory=dict)
    claims: Mapping[str, Object] = field(default_factory=dict)
    volumes: Mapping[str, Object] = field(default_factory=dict)
    changed: Pulse = field(default_factory=Pulse)
    on_readiness: Callable[[], None] = lambda: None

    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        found = self.config_maps.get(f"{namespace}/{name}")
        if found is None:
            return None
        text = {key: value.encode() for key, value in found.get("data", {}).items()}
        return text | {key: base64.b64decode(value) for key, value in found.get("binaryData", {}).items()}

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        found = self.secrets.get(f"{namespace}/{name}")
        return None if found is None else {key: base64.b64decode(value) for key, value in found.get("data", {}).items()}

    def services_of(self, namespace: str) -> list[Object]:
        return [each for each in self.services.values() if each["metadata"]["namespace"] == namespace]

    def base_environment(self) -> dict[str, str]:
        """What an image would have brought: a PATH that finds this Python's commands first."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**passed, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])}


def now_text() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
