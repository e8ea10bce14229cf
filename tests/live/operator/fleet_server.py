"""Many fake engines in one process of its own, each on its own 127.x address: `python -m … NAMESPACE COUNT PORT JWKS_FILE`.

Prints one line when it listens, and for each line on stdin how many engines hold which epoch.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import uvloop
from tests.live.operator.fake_engine import FakeEngine, FakeServer

from quantum_api.policy_document import Jwks


def address(number: int) -> str:
    return f"127.71.{number // 250}.{number % 250 + 1}"


async def main(namespace: str, count: int, port: int, jwks: str) -> None:
    server, known = FakeServer(), Jwks.parse(jwks)
    engines = [FakeEngine(f"{namespace}/engine-{n}", jwks=known) for n in range(count)]
    for number, engine in enumerate(engines):
        await server.start(engine, address(number), port, key=number)
    print("listening", flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        limits = Counter(e.held.document.limits.max_orders_per_second for e in engines if e.held and e.held.document.limits)
        print(json.dumps({"limits": limits, "pushes": sum(len(e.history) for e in engines)}), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).read_text()))
