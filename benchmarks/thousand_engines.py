"""One policy change to a thousand engines: the operator on a real API server, the engines simulated endpoints that verify and acknowledge.

The rig is the one of tests/live/operator, where the same is proven with looser bounds.
"""

import tempfile
from pathlib import Path

from tests.api_server import admin_client, install_kinds
from tests.live.operator.desk import Desk
from tests.live.operator.test_a_thousand_engines import ENGINES, make_pods, memory_mib, seconds_until_all_acknowledge, start_engines

from benchmarks.figures import Row
from quantum_cluster.embedded import EmbeddedCluster

ROUNDS = 5


async def measure() -> list[Row]:
    """Apply, then a few changes."""
    with tempfile.TemporaryDirectory() as directory:
        async with EmbeddedCluster("thousand", Path(directory) / "state", durable=True) as cluster:
            await install_kinds(cluster)
            async with admin_client(cluster) as client:
                return await on_a_desk(Desk(cluster, client, "default", Path(directory)), Path(directory))


async def on_a_desk(desk: Desk, directory: Path) -> list[Row]:
    """Times and peak memory."""
    operator = await desk.operator()
    engines = await start_engines(desk, directory)
    try:
        await make_pods(desk)
        await desk.policy()
        await seconds_until_all_acknowledge(desk)
        taken = []
        for number in range(ROUNDS):
            await desk.patch("TradingPolicy", "base", {"maxOrdersPerSecond": 20 + number})
            taken.append(await seconds_until_all_acknowledge(desk))
        if operator.process is None:
            raise RuntimeError("the operator is gone")
        peak_mib = memory_mib(operator.process.pid)
    finally:
        engines.terminate()
        await engines.wait()
        await desk.close()
    shown = ", ".join(f"{seconds:.2f}" for seconds in taken)
    median = sorted(taken)[len(taken) // 2]
    return [
        Row(f"one apply -> {ENGINES} engines acknowledged, median of {ROUNDS}", f"{median:.2f} s (all: {shown})", "<= 2 s", median <= 2.0),
        Row(f"operator memory with {ENGINES} engines, peak", f"{peak_mib} MiB", "<= 200 MiB", peak_mib <= 200),
    ]
