"""A stop is pulled on an engine -> EmergencyStopActive is True on the policy, as a separate watcher sees it.

The pull is `POST /v1/halt`; from the latch on it takes the same way as the breaker's.  Also the operator's memory with three engines.
"""

import asyncio
import base64
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.apply_to_ack import POLICY
from benchmarks.bare_loop import connection
from benchmarks.figures import Row, milliseconds, percentile
from benchmarks.kube import Calls, Watched, has_condition, session
from benchmarks.stop_to_gates import release
from quantum_demo.fleet import engine_pods
from quantum_demo.stack import Stack
from quantum_demo.waiting import until

ROUNDS = 40
WARM_UP_ROUNDS = 3


async def measure(stack: Stack) -> list[Row]:
    """Halt one engine after the other, release it again."""
    server, context = connection(stack.cluster.kubeconfig)
    await stack.kubectl.must("apply", "-f", "-", stdin=json.dumps(POLICY))
    secret = await stack.kubectl.get("secret", "quantum-trader-halt")
    token = base64.b64decode(secret["data"]["token"]).decode()
    addresses = [pod["status"]["podIP"] for pod in await engine_pods(stack.kubectl)]
    samples = []
    async with AsyncExitStack() as exits:
        http = await exits.enter_async_context(session(context))
        engines = await exits.enter_async_context(aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}))
        policies = Calls(http, server, stack.kubectl.namespace, "tradingpolicies")
        stops = Calls(http, server, stack.kubectl.namespace, "emergencystops")
        policy = Watched(policies, "bench")
        exits.callback(asyncio.create_task(policy.run()).cancel)
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            await policy.until(lambda obj: has_condition(obj, "EmergencyStopActive", "False"))
            began = time.perf_counter()
            await halt(engines, addresses[number % len(addresses)])
            seconds = await policy.until(lambda obj: has_condition(obj, "EmergencyStopActive")) - began
            await release_all(stack, stops)
            if number >= WARM_UP_ROUNDS:
                samples.append(seconds)
    p99 = percentile(samples, 0.99)
    memory_mib = operator_memory_mib(stack)
    return [
        Row(f"trip -> condition visible, p50 of {len(samples)}", milliseconds(percentile(samples, 0.5)), "", None),
        Row(f"trip -> condition visible, p99 of {len(samples)}", milliseconds(p99), "<= 250 ms", p99 <= 0.25),
        Row("operator memory with 3 engines, peak", f"{memory_mib} MiB", "", None),
    ]


async def halt(engines: aiohttp.ClientSession, address: str) -> None:
    """Pull the stop on one engine; no positions, so HaltEntries is done at once."""
    async with engines.post(f"http://{address}:8080/v1/halt", json={"reason": "benchmark", "action": "HaltEntries"}) as answer:
        if answer.status not in (200, 202):
            raise RuntimeError(f"halt: {answer.status} {await answer.text()}")


async def release_all(stack: Stack, stops: Calls) -> None:
    """The object appears, two people approve, it goes."""

    async def appeared() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = (await stack.kubectl.get("emergencystops"))["items"]
        return items or None

    items, _ = await until(appeared, "the stop's object", within_seconds=20)
    for item in items:
        watched = Watched(stops, item["metadata"]["name"])
        task = asyncio.create_task(watched.run())
        try:
            await release(stops, watched, item["metadata"]["name"])
        finally:
            task.cancel()


def operator_memory_mib(stack: Stack) -> int:
    """Largest resident size of the operator's process so far."""
    pid = next(pid for key, pid in stack.cluster.pods.pids().items() if "operator" in key)
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024
