"""The consumer process of benchmarks/bus.py: writes how many nanoseconds after its publication each event arrived.

Usage: bus_reader.py bus|bare URL FILE COUNT
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import redis.asyncio as aioredis

from quantum_api.bus_envelope import Envelope
from quantum_bus.consumer import Consumer
from quantum_bus.redis_feed import RedisFeed


class MemoryInbox:
    """Marks in memory: what a display needs."""

    def __init__(self) -> None:
        self.lags: list[int] = []
        self._mark: bytes | None = None

    async def mark(self, source: str) -> bytes | None:  # noqa: ARG002  the port names it
        return self._mark

    async def apply(self, source: str, events: Sequence[Envelope], before: bytes | None, after: bytes) -> None:  # noqa: ARG002
        now = time.monotonic_ns()
        self.lags += [now - event.payload["t"] for event in events]
        self._mark = after


async def bus(url: str, count: int) -> list[int]:
    inbox = MemoryInbox()
    feed = RedisFeed(url, "bench", "reader-0", ["bench/engine-0"])
    consumer = Consumer(feed, inbox, lambda *_: None)
    print("reading", flush=True)
    while len(inbox.lags) < count:
        await consumer.step()
    await feed.close()
    return inbox.lags


async def bare(url: str, count: int) -> list[int]:
    client = aioredis.from_url(url)
    await client.xgroup_create("bare", "bench", id="$", mkstream=True)
    print("reading", flush=True)
    lags: list[int] = []
    while len(lags) < count:
        for _, entries in await client.xreadgroup("bench", "reader-0", {"bare": ">"}, count=1_000, block=1_000):
            now = time.monotonic_ns()
            lags += [now - int(fields[b"t"]) for _, fields in entries]
            await client.xack("bare", "bench", *(entry_id for entry_id, _ in entries))
    await client.aclose()
    return lags


def main() -> None:
    kind, url, file, count = sys.argv[1:]
    lags = asyncio.run((bus if kind == "bus" else bare)(url, int(count)))
    Path(file).write_text(json.dumps(lags))


if __name__ == "__main__":
    main()
