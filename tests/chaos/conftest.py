"""One whole system for all tests of this folder, put into a clean state before each.

``QT_CHAOS_LOGS`` names a directory in which the logs of all pods and of the control plane are left.
"""

import os
import shutil
from collections.abc import AsyncIterator, Generator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from tests.api_server import admin_client
from tests.chaos import laws
from tests.chaos.system import System
from tests.chaos.witness import Witness

from quantum_demo.stack import installed

FAILED = pytest.StashKey[bool]()
NOT_LOGS = shutil.ignore_patterns("etcd", "volumes", "pki", "kube-cache", "processes")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def started() -> AsyncIterator[System]:
    async with installed("chaos", durable=False) as stack:
        async with admin_client(stack.cluster) as api, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            async with await Witness.find(stack.kubectl) as venue:
                yield System(stack, api, venue, http)
                if kept := os.environ.get("QT_CHAOS_LOGS"):
                    shutil.copytree(stack.cluster.state.root, kept, dirs_exist_ok=True, ignore=NOT_LOGS)


@pytest_asyncio.fixture(loop_scope="session")
async def system(started: System, request: pytest.FixtureRequest) -> AsyncIterator[System]:
    """Every engine ACTIVE, nothing stopped, no fault.  After the test the venue's whole log must still keep the laws that hold always."""
    await started.calm()
    yield started
    if request.node.stash.get(FAILED, False):
        print(await started.described())
    log, accounts = await started.quiet_log()
    assert laws.no_client_order_id_twice(log) == []
    assert laws.fills_make_the_position(log, accounts) == []
