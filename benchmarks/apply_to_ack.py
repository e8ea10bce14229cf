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

import aiohttp

from benchmarks.bare_loop import PATH, connection, watch
from benchmarks.figures import Row, milliseconds, percentile
from quantum_demo.stack import Stack, installed

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


class Watched:
    """One object as a watcher sees it; waits for a generation to be answered."""

    def __init__(self, session: aiohttp.ClientSession, url: str, answered: Callable[[dict[str, Any]], bool]) -> None:
        self._session, self._url, self._answered = session, url, answered
        self._seen: dict[int, float] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        async for obj in watch(self._session, self._url, "bench"):
            now = time.perf_counter()
            if self._answered(obj):
                self._seen.setdefault(obj["metadata"]["generation"], now)
                self._news.set()

    async def round(self, value: int) -> float:
        """Seconds from sending the patch to seeing its answer."""
        body = json.dumps({"spec": {"maxOrdersPerSecond": value}})
        began = time.perf_counter()
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self._session.patch(f"{self._url}/bench", data=body, headers=headers) as answer:
            generation = (await answer.json())["metadata"]["generation"]
        async with asyncio.timeout(20):
            while generation not in self._seen:
                self._news.clear()
                await self._news.wait()
        return self._seen[generation] - began


def acknowledged(obj: dict[str, Any]) -> bool:
    """Every selected engine enforces this generation."""
    found = [c for c in obj.get("status", {}).get("conditions", []) if c["type"] == "EnginesAcknowledged"]
    return bool(found) and found[0]["status"] == "True" and found[0]["observedGeneration"] == obj["metadata"]["generation"]


def patched(obj: dict[str, Any]) -> bool:
    """The bare loop's answer."""
    return obj.get("status", {}).get("observedGeneration") == obj["metadata"]["generation"]


async def start_bare(stack: Stack, exits: AsyncExitStack) -> None:
    """Three trivial servers and the loop, as processes of their own."""
    urls = [f"http://127.0.0.1:{port}" for port in (47_101, 47_102, 47_103)]
    commands = [["serve", "127.0.0.1", url.rsplit(":", 1)[-1]] for url in urls]
    commands.append(["loop", str(stack.cluster.kubeconfig), BARE_NAMESPACE, "bench", *urls])
    for command in commands:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.bare_loop", *command, cwd=Path(__file__).parents[1]
        )
        exits.push_async_callback(process.wait)
        exits.callback(process.terminate)


async def measure(stack: Stack) -> list[Row]:
    """Product and baseline in turns, on one machine, in one run."""
    server, context = connection(stack.cluster.kubeconfig)
    await stack.kubectl.must("apply", "-f", "-", stdin=json.dumps(POLICY))
    await stack.kubectl.must("create", "namespace", BARE_NAMESPACE)
    await stack.kubectl.must("apply", "-f", "-", "-n", BARE_NAMESPACE, stdin=json.dumps(POLICY))
    async with AsyncExitStack() as exits:
        session = await exits.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=aiohttp.ClientTimeout(total=None))
        )
        ours = Watched(session, server + PATH.format(namespace=stack.kubectl.namespace), acknowledged)
        bare = Watched(session, server + PATH.format(namespace=BARE_NAMESPACE), patched)
        watchers = [asyncio.create_task(w.run()) for w in (ours, bare)]
        exits.callback(lambda: [w.cancel() for w in watchers])
        await start_bare(stack, exits)
        samples: dict[str, list[float]] = {"ours": [], "bare": []}
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            for name, path in (("ours", ours), ("bare", bare)):
                seconds = await path.round(10 + number % 2)
                if number >= WARM_UP_ROUNDS:
                    samples[name].append(seconds)
    return rows(samples["ours"], samples["bare"])


def rows(ours: list[float], bare: list[float]) -> list[Row]:
    found = []
    for label, share, budget in (("p50", 0.50, 2.0), ("p99", 0.99, 3.0)):
        mine, base = percentile(ours, share), percentile(bare, share)
        value = f"{milliseconds(mine)} (bare {milliseconds(base)}, ratio {mine / base:.2f})"
        found.append(
            Row(f"policy patched -> 3 acks in status, {label} of {len(ours)}", value, f"ratio <= {budget:g}", mine <= budget * base)
        )
    return found


async def run() -> list[Row]:
    async with installed("bench") as stack:
        return await measure(stack)
