"""A policy is patched -> every engine's acknowledgement is visible in status to a separate watcher; beside the bare loop, in turns.

Both paths end with a status patch that one watcher sees.  Ours adds what a trader needs: resolution, signature, verification, fsync on
each engine, kopf, conditions.  The engines are the real processes of the embedded cluster.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.bare_loop import connection
from benchmarks.figures import Row, milliseconds, percentile
from benchmarks.kube import Calls, Watched, has_condition, session
from quantum_demo.stack import Stack

ROUNDS = 200
WARM_UP_ROUNDS = 20
BARE_NAMESPACE = "bare"
POLICY = {
    "apiVersion": "quantumtrader.io/v1alpha1",
    "kind": "TradingPolicy",
    "metadata": {"name": "bench"},
    "spec": {
        "instruments": ["BTCUSDT"],
        "maxOrderNotionalUsdt": 1000,
        "maxPositionNotionalUsdt": 1000,
        "maxGrossExposureUsdt": 1000,
        "stopCooldownSeconds": 0,
    },
}


def patched(obj: dict[str, Any]) -> bool:
    """The bare loop's answer."""
    return bool(obj.get("status", {}).get("observedGeneration") == obj["metadata"]["generation"])


async def one_round(calls: Calls, watched: Watched, answered: Callable[[dict[str, Any]], bool], value: int) -> float:
    """Seconds from sending the patch to seeing its answer."""
    began = time.perf_counter()
    generation = (await calls.patch("bench", {"spec": {"maxOrdersPerSecond": value}}))["metadata"]["generation"]
    return await watched.until(lambda obj: obj["metadata"]["generation"] == generation and answered(obj)) - began


async def start_bare(stack: Stack, exits: AsyncExitStack) -> None:
    """Three trivial servers, and once they listen the loop, as processes of their own."""
    ports = (47_101, 47_102, 47_103)
    for port in ports:
        await start_process(exits, "serve", "127.0.0.1", str(port))
    for port in ports:
        await listening(port)
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    await start_process(exits, "loop", str(stack.cluster.kubeconfig), BARE_NAMESPACE, "bench", *urls)


async def start_process(exits: AsyncExitStack, *arguments: str) -> None:
    """One part of the baseline; ends with the benchmark."""
    argv = [sys.executable, "-m", "benchmarks.bare_loop", *arguments]
    process = await asyncio.create_subprocess_exec(*argv, cwd=Path(__file__).parents[1])

    async def end() -> None:
        if process.returncode is None:
            process.terminate()
        await process.wait()

    exits.push_async_callback(end)


async def listening(port: int) -> None:
    """Until the port answers."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def measure(stack: Stack) -> list[Row]:
    """Product and baseline in turns, on one machine, in one run."""
    server, context = connection(stack.cluster.kubeconfig)
    await stack.kubectl.must("apply", "-f", "-", stdin=json.dumps(POLICY))
    await stack.kubectl.must("create", "namespace", BARE_NAMESPACE)
    await stack.kubectl.must("apply", "-n", BARE_NAMESPACE, "-f", "-", stdin=json.dumps(POLICY))
    samples: dict[str, list[float]] = {"ours": [], "bare": []}
    async with AsyncExitStack() as exits:
        http = await exits.enter_async_context(session(context))
        paths = []
        for name, namespace, answered in (
            ("ours", stack.kubectl.namespace, lambda obj: has_condition(obj, "EnginesAcknowledged")),
            ("bare", BARE_NAMESPACE, patched),
        ):
            calls = Calls(http, server, namespace, "tradingpolicies")
            watched = Watched(calls, "bench")
            exits.callback(asyncio.create_task(watched.run()).cancel)
            paths.append((name, calls, watched, answered))
        await start_bare(stack, exits)
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            for name, calls, watched, answered in paths:
                seconds = await one_round(calls, watched, answered, 9 + number % 2)
                if number >= WARM_UP_ROUNDS:
                    samples[name].append(seconds)
    return rows(samples["ours"], samples["bare"])


def rows(ours: list[float], bare: list[float]) -> list[Row]:
    """Both percentiles beside the baseline's."""
    found = []
    for label, share, budget in (("p50", 0.50, 2.0), ("p99", 0.99, 3.0)):
        mine, base = percentile(ours, share), percentile(bare, share)
        value = f"{milliseconds(mine)} (bare {milliseconds(base)}, ratio {mine / base:.2f})"
        name = f"policy patched -> 3 acks in status, {label} of {len(ours)}"
        found.append(Row(name, value, f"ratio <= {budget:g}", mine <= budget * base))
    return found
