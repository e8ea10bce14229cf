"""The chart's kinds, guards and roles on one real API server for this folder."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.api_server import discover_kinds
from tests.live.admission.desk import GRANTS, NAMESPACE, WALT, WITH_ORIGIN, Desk, an_object

from quantum_api import names
from quantum_cluster.embedded import Completed, EmbeddedCluster

CHART = Path(__file__).resolve().parents[3] / "charts" / "quantum-trader"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with EmbeddedCluster("admission", tmp_path_factory.mktemp("admission") / "state") as cluster:
        started = Desk(cluster)
        await _install(started)
        yield started


async def _install(desk: Desk) -> None:
    kinds = sorted(path.stem for path in (CHART / "files" / "crds").glob("*.yaml"))
    (await desk.cluster.kubectl("create", "namespace", NAMESPACE)).check()
    (await _apply(desk, "templates/crds.yaml")).check()
    waited = await desk("wait", "--for=condition=Established", "--timeout=30s", *(f"crd/{kind}.{names.GROUP}" for kind in kinds))
    waited.check()
    await discover_kinds(desk.cluster)
    guards = sorted(f"templates/admission/{path.name}" for path in (CHART / "templates" / "admission").glob("*.yaml"))
    (await _apply(desk, *guards, "templates/rbac/roles.yaml", "templates/operator/rbac.yaml")).check()
    (await desk("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": GRANTS})).check()
    (await desk("create", "clusterrolebinding", "gitops", "--clusterrole=cluster-admin", "--serviceaccount=gitops:controller")).check()
    await _guards_are_up(desk)


async def _apply(desk: Desk, *templates: str) -> Completed:
    chosen = [part for template in templates for part in ("-s", template)]
    arguments = ("template", "quantum-trader", str(CHART), "-n", NAMESPACE, "-f", str(CHART / "values-embedded.yaml"))
    rendered = (await desk.cluster.run("helm", *arguments, *chosen)).check().stdout
    return await desk.cluster.kubectl("-n", NAMESPACE, "apply", "--server-side", "-f", "-", input=rendered)


async def _guards_are_up(desk: Desk) -> None:
    """A new policy is in force when the API server's informer has seen it, shortly after it was written."""
    deadline = time.monotonic() + 30
    stop = await desk.stop()
    policy = await desk.policy()
    tries = {
        "release": lambda: desk.patch("estop", stop, {"approvals": [{"by": "nobody"}]}),
        "origin": lambda: desk("create", "--dry-run=server", "-f", "-", given=an_object("EmergencyStop", WITH_ORIGIN)),
        "keep": lambda: desk("delete", "estop", stop, "--dry-run=server"),
        "keep-kinds": lambda: desk("delete", "crd", f"emergencystops.{names.GROUP}", "--dry-run=server"),
        "loosen": lambda: desk("delete", "tp", policy, "--dry-run=server", who=WALT),
    }
    for guard, attempt in tries.items():
        while f"'quantum-trader-{guard}'" not in (said := await attempt()).stderr:
            assert time.monotonic() < deadline, f"guard {guard} does not come up: {said}"
            await asyncio.sleep(0.1)
