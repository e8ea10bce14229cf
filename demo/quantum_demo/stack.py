"""The whole system in one `async with`: cluster, chart, operator, engines, venue.  For demo, benchmarks and tests."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from quantum_cluster.embedded import EmbeddedCluster
from quantum_demo.fleet import install, ready_control_plane, ready_engines
from quantum_demo.kubectl import Kubectl

DEFAULT_ENGINES = 3


@dataclass(frozen=True)
class Stack:
    """A running system."""

    cluster: EmbeddedCluster
    kubectl: Kubectl


@asynccontextmanager
async def bare_cluster(name: str, *, durable: bool = True) -> AsyncIterator[Stack]:
    """A cluster with nothing installed, in a directory that goes with it."""
    with tempfile.TemporaryDirectory(prefix=f"quantum-{name}-") as directory:
        async with EmbeddedCluster(name=name, state_dir=Path(directory), durable=durable) as cluster:
            yield Stack(cluster, Kubectl(cluster.bin_dir, cluster.kubeconfig))


@asynccontextmanager
async def installed(name: str, *values: str, engines: int = DEFAULT_ENGINES, durable: bool = True) -> AsyncIterator[Stack]:
    """A cluster with the chart installed and every pod Ready.  ``values`` as helm's --set."""
    async with bare_cluster(name, durable=durable) as stack:
        settings = [part for value in (f"engines.replicas={engines}", *values) for part in ("--set", value)]
        await install(stack.kubectl, *settings)
        await ready_engines(stack.kubectl, engines)
        await ready_control_plane(stack.kubectl)
        yield stack
