"""One whole system for all tests of this folder, put into a clean state around each."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio
from tests.chaos import laws
from tests.chaos.system import System, admin_client
from tests.chaos.witness import Witness

from quantum_demo.stack import installed


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def started() -> AsyncIterator[System]:
    async with installed("chaos", durable=False) as stack:
        async with admin_client(stack.cluster) as api, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            async with await Witness.find(stack.kubectl) as venue:
                yield System(stack, api, venue, http)


@pytest_asyncio.fixture(loop_scope="session")
async def system(started: System) -> AsyncIterator[System]:
    """Every engine ACTIVE, nothing stopped, no fault.  After the test the venue's whole log must still keep the laws that hold always."""
    await started.calm()
    yield started
    log = await started.venue.log()
    assert laws.no_client_order_id_twice(log) == []
    assert laws.fills_make_the_position(log, await started.venue.accounts()) == []
