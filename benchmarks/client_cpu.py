"""Client CPU of one signed order round trip: a bare call, ours, python-binance, in the same run against the same stub.

CPU time of this process (the venue is another one), per order, one at a time and 20 at once; rounds of the three take turns, and each
figure is its best round, so that a busy machine changes all three or none.

The bare call is what a careful person would write without any of our duties: aiohttp, urlencode, HMAC, msgspec.  Ours is
BinanceFutures.place, with guard (breaker, rate mirror), may_leave at the door, outcome and translation.  Where python-binance is not
installed its rows say so.
"""

import asyncio
import hashlib
import hmac
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlencode

import aiohttp
import msgspec

from benchmarks.figures import Row, microseconds
from quantum_engine.clock import SystemClock
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.exchanges.binance_futures.rate.mirror import Limits

ORDERS: Final = 400
ROUNDS: Final = 7
AT_ONCE: Final = 20
KEY, SECRET = "k" * 64, "s" * 64
CLIENT_ID: Final = "qt-0123456789abcdef0123456789abcdef"
OVER_BARE, OVER_PEER = 1.3, 0.65
Call = Callable[[], Awaitable[object]]


async def measure() -> list[Row]:
    async with AsyncExitStack() as exits:
        url = await exits.enter_async_context(stub())
        calls = {"bare": await exits.enter_async_context(bare(url)), "ours": await exits.enter_async_context(ours(url))}
        if find_spec("binance") is not None:
            calls["python-binance"] = await exits.enter_async_context(python_binance(url))
        return [row for at_once in (1, AT_ONCE) for row in rows(await best(calls, at_once), at_once)]


def rows(cpu: dict[str, float], at_once: int) -> list[Row]:
    """Ratios are what is held to; the absolute figures say on what machine."""
    how = "one at a time" if at_once == 1 else f"{at_once} at once"
    beside = ", ".join(f"{name} {microseconds(seconds)}" for name, seconds in cpu.items())
    over_bare = cpu["ours"] / cpu["bare"]
    found = [
        Row(f"client CPU of a signed order, {how}: ours / bare", f"{over_bare:.2f} ({beside})", f"<= {OVER_BARE}", over_bare <= OVER_BARE)
    ]
    name = f"client CPU of a signed order, {how}: ours / python-binance"
    if "python-binance" not in cpu:
        return [*found, Row(name, "skipped: python-binance is not installed", f"<= {OVER_PEER}", None)]
    over_peer = cpu["ours"] / cpu["python-binance"]
    return [*found, Row(name, f"{over_peer:.2f}", f"<= {OVER_PEER}", over_peer <= OVER_PEER)]


async def best(calls: dict[str, Call], at_once: int) -> dict[str, float]:
    """Seconds of CPU per order, the least of all rounds."""
    least = dict.fromkeys(calls, float("inf"))
    for number in range(ROUNDS + 1):
        for name, call in calls.items():
            seconds = await cpu_of(call, at_once)
            if number:  # the first warms up
                least[name] = min(least[name], seconds)
    return least


async def cpu_of(call: Call, at_once: int) -> float:
    async def some() -> None:
        for _ in range(ORDERS // at_once):
            await call()

    began = time.process_time()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return (time.process_time() - began) / ORDERS


@asynccontextmanager
async def stub() -> AsyncIterator[str]:
    """Ends when its input does."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.stub_venue", stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Call]:
    async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": KEY}, connector=aiohttp.TCPConnector(limit=64)) as session:

        async def call() -> object:
            params = {
                "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.010", "newClientOrderId": CLIENT_ID,
                "newOrderRespType": "RESULT", "price": "30005.0", "timeInForce": "GTC", "recvWindow": 5_000,
                "timestamp": time.time_ns() // 1_000_000,
            }  # fmt: skip
            query = urlencode(params)
            signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
            async with session.post(f"{url}/fapi/v1/order?{query}&signature={signature}") as response:
                return msgspec.json.decode(await response.read())

        yield call


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Call]:
    client = BinanceFutures(Endpoint(url, "ws://127.0.0.1:1"), Credentials(KEY, SECRET), SystemClock())
    client.transport.guard.take_limits(Limits(10**9, 10**9, 10**9))
    intent = OrderIntent("i", "BTCUSDT", Side.BUY, Decimal("0.010"), Decimal("30005.0"))
    try:
        yield lambda: client.place(intent, CLIENT_ID, lambda: True)
    finally:
        await client.close()


@asynccontextmanager
async def python_binance(url: str) -> AsyncIterator[Call]:
    """Unmodified, only pointed at the stub."""
    from binance import AsyncClient

    client = AsyncClient(KEY, SECRET)
    client.FUTURES_URL = f"{url}/fapi"
    try:
        yield lambda: client.futures_create_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.010", newClientOrderId=CLIENT_ID, newOrderRespType="RESULT",
            price="30005.0", timeInForce="GTC",
        )  # fmt: skip
    finally:
        await client.close_connection()
