"""An EmergencyStop is created -> the last of three gates is closed and in its journal; and a trip on an engine -> the condition.

Gate times are the engines' own stamps (milliseconds, same machine clock).  The watcher's connection stands before the stop is sent, and a
round begins when the release of the one before has died down: a stop comes to a fleet that trades, not to one that is being released.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

from benchmarks.apply_to_ack import POLICY
from benchmarks.bare_loop import connection
from benchmarks.figures import Row, milliseconds, percentile
from benchmarks.kube import Calls, Watched, has_condition, session
from quantum_demo.stack import Stack

ROUNDS = 60
WARM_UP_ROUNDS = 5
QUIET_SECONDS = 0.5
APPROVERS = ("alice", "bob")


async def measure(stack: Stack) -> list[Row]:
    """Stop and release, again and again."""
    server, context = connection(stack.cluster.kubeconfig)
    await stack.kubectl.must("apply", "-f", "-", stdin=json.dumps(POLICY))
    samples: list[float] = []
    async with AsyncExitStack() as exits:
        calls = Calls(await exits.enter_async_context(session(context)), server, stack.kubectl.namespace, "emergencystops")
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            seconds = await one_round(calls, f"bench-{number}")
            if number >= WARM_UP_ROUNDS:
                samples.append(seconds)
    found = []
    for label, share, budget_ms in (("p50", 0.50, 15), ("p99", 0.99, 60)):
        mine = percentile(samples, share)
        name = f"EmergencyStop created -> last of 3 gates closed, {label} of {len(samples)}"
        found.append(Row(name, milliseconds(mine), f"<= {budget_ms} ms", mine * 1000 <= budget_ms))
    return found


async def one_round(calls: Calls, name: str) -> float:
    """Seconds from sending the object to the latest of the engines' stamps."""
    watched = Watched(calls, name)
    task = asyncio.create_task(watched.run())
    await asyncio.sleep(QUIET_SECONDS)
    try:
        began = time.time()
        await calls.create(stop(name))
        await watched.until(lambda obj: has_condition(obj, "GateClosed"))
        closed = [datetime.fromisoformat(row["gateClosedAt"]).timestamp() for row in watched.seen["status"]["progress"]]
        await release(calls, watched, name)
    finally:
        task.cancel()
    return max(closed) - began


async def release(calls: Calls, watched: Watched, name: str) -> None:
    """Two people approve; the released object is deleted."""
    for person in APPROVERS:
        patch = [{"op": "add", "path": "/spec/approvals/-", "value": {"by": person}}]
        await calls.patch(name, patch, kind="json-patch", user=person)
    await watched.until(lambda obj: has_condition(obj, "Released"))
    await calls.delete(name)


def stop(name: str) -> dict[str, Any]:
    """A stop that closes gates only, so that rounds are short."""
    return {
        "apiVersion": "quantumtrader.io/v1alpha1",
        "kind": "EmergencyStop",
        "metadata": {"name": name},
        "spec": {"action": "HaltEntries", "reason": "benchmark"},
    }
