"""How many orders a second the simulated venue takes, on one core, beside a bare aiohttp handler under the same load.

The venue is its own process, pinned to one core; the load generator has the rest.  Prepared and signed requests go over eight kept-alive
connections of four accounts: a market order, a limit order that takes, a limit order that rests, and its cancel, which is not counted.
The figure that is held to a budget is orders per second of the venue's CPU time: it does not depend on what else the machine does.
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aiohttp import web

from benchmarks.figures import Row

REQUESTS_PER_CONNECTION = 2_400
WARM_UP = 200
CONNECTIONS = 8
ACCOUNTS = 4
ORDERS_PER_SECOND = 4_000
ORDERS_OF_FOUR_REQUESTS = 3
LISTENING_SECONDS = 20
LONGEST_LOAD_SECONDS = 120
LIMITS = {"QT_SIM_WEIGHT_LIMIT": "100000000", "QT_SIM_ORDERS_PER_TEN_SECONDS": "100000000", "QT_SIM_ORDERS_PER_MINUTE": "100000000"}
ANSWER = json.dumps({"orderId": 1, "symbol": "BTCUSDT", "filler": "x" * 440}).encode()


@dataclass(frozen=True)
class Rate:
    requests: int
    wall_seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.requests / self.wall_seconds

    @property
    def per_cpu_second(self) -> float:
        return self.requests / self.cpu_seconds


async def measure() -> list[Row]:
    async with served("venue") as (pid, port):
        venue = await loaded(pid, port)
    async with served("echo") as (pid, port):
        echo = await loaded(pid, port)
    share = ORDERS_OF_FOUR_REQUESTS / 4
    orders = venue.per_cpu_second * share
    requests = f"{venue.per_cpu_second:.0f} requests, a bare aiohttp handler {echo.per_cpu_second:.0f}"
    return [
        Row("venue: orders per second of its CPU", f"{orders:.0f} ({requests})", f">= {ORDERS_PER_SECOND}", orders >= ORDERS_PER_SECOND),
        Row("venue: orders per second as it was", f"{venue.per_second * share:.0f} (bare {echo.per_second:.0f} requests)", "", None),
    ]


@asynccontextmanager
async def served(what: str) -> AsyncIterator[tuple[int, int]]:
    """A server process on the first core, this one on the others; its pid and port."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as directory:
        for number in range(ACCOUNTS):
            account = {"apiKey": f"key-{number}", "apiSecret": f"secret-{number}", "balanceUsdt": "10000000"}
            (Path(directory) / f"account-{number}.json").write_text(json.dumps(account))
        environment = os.environ | LIMITS | {"QT_SIM_ACCOUNTS_DIR": directory, "QT_SIM_PORT": "0", "QT_SIM_CONTROL_PORT": "0"}
        module = ("quantum_simulator",) if what == "venue" else ("benchmarks.venue_rate",)
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", *module, env=environment, stderr=asyncio.subprocess.PIPE)
        try:
            os.sched_setaffinity(process.pid, cores[:1])
            os.sched_setaffinity(0, cores[1:] or cores)
            assert process.stderr is not None
            line = await asyncio.wait_for(process.stderr.readline(), LISTENING_SECONDS)
            yield process.pid, int(json.loads(line)["rest"].rpartition(":")[2])
        finally:
            os.sched_setaffinity(0, cores)
            process.terminate()
            await process.wait()


async def loaded(pid: int, port: int) -> Rate:
    """Warm it up, then time the whole load: wall time here, CPU time of the server."""
    await all_of(drive(port, list(requests(number, WARM_UP, "w"))) for number in range(CONNECTIONS))
    prepared = [list(requests(number, REQUESTS_PER_CONNECTION, "m")) for number in range(CONNECTIONS)]
    began, cpu = time.perf_counter(), cpu_seconds(pid)
    await all_of(drive(port, each) for each in prepared)
    return Rate(CONNECTIONS * REQUESTS_PER_CONNECTION, time.perf_counter() - began, cpu_seconds(pid) - cpu)


async def all_of(driven: Iterable[Coroutine[None, None, None]]) -> None:
    async with asyncio.timeout(LONGEST_LOAD_SECONDS), asyncio.TaskGroup() as group:
        for each in driven:
            group.create_task(each)


def requests(connection: int, count: int, prefix: str) -> Iterator[bytes]:
    """Signed now, good for a minute."""
    account = connection % ACCOUNTS
    for number in range(count):
        name = f"{prefix}-{connection}-{number // 4}"
        method, params = (
            ("POST", f"side=BUY&type=MARKET&quantity=0.002&newClientOrderId={name}-a"),
            ("POST", f"side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.002&price=86000&newClientOrderId={name}-b"),
            ("POST", f"side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.002&price=87000&newClientOrderId={name}-c"),
            ("DELETE", f"origClientOrderId={name}-c"),
        )[number % 4]
        query = f"symbol=BTCUSDT&{params}&recvWindow=60000&timestamp={time.time_ns() // 1_000_000}"
        signature = hmac.new(f"secret-{account}".encode(), query.encode(), hashlib.sha256).hexdigest()
        head = f"{method} /fapi/v1/order?{query}&signature={signature} HTTP/1.1\r\nHost: venue\r\nX-MBX-APIKEY: key-{account}\r\n\r\n"
        yield head.encode()


class Driver(asyncio.Protocol):
    """One connection: the next request when the answer to the last is complete."""

    def __init__(self, prepared: list[bytes]) -> None:
        self._left = iter(prepared)
        self._buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by birth
        self._next()

    def _next(self) -> None:
        request = next(self._left, None)
        if request is None:
            self.done.set_result(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self._buffer.decode()))
        elif len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]):
            self._buffer = b""
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server closed the connection"))


async def drive(port: int, prepared: list[bytes]) -> None:
    transport, driver = await asyncio.get_running_loop().create_connection(lambda: Driver(prepared), "127.0.0.1", port)
    try:
        await driver.done
    finally:
        transport.close()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def serve_echo() -> None:
    """The least that aiohttp can do: one JSON answer of an order's size to whatever comes."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(body=ANSWER, content_type="application/json")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"rest": f"http://127.0.0.1:{runner.addresses[0][1]}"}), file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve_echo())
