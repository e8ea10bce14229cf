"""A signal becomes an order: from `submit` to the first byte at the venue, which stamps it in a process of its own.

Between them lie the gate with every check on (a busy account), the write-ahead commit (SQLite, WAL, synchronous=FULL, this machine's disk),
the last looks at the gate, signing and the real client.  Beside it, in turns and in the same event loop: one bare commit of a row of the
same size, then one bare signed POST by the same HTTP library.
"""

import asyncio
import hashlib
import hmac
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import uvloop

from benchmarks.figures import Row, milliseconds, percentile
from benchmarks.gate import SYMBOLS, busy_account
from quantum_api.trading_policy import Limits
from quantum_engine import logs
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.domain import OrderIntent, OrderView, Side
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.exchanges.port import OrderUpdate
from quantum_engine.execution.gather import Gatherer
from quantum_engine.execution.service import Execution
from quantum_engine.verdicts import Accepted

ORDERS = 300
WARM_UP = 20
PAUSE_SECONDS = 0.012
"""The tightest policy rate there is: 100 orders per second."""
BUDGET_SECONDS = 0.5e-3
KEY, SECRET = "key", "secret" * 10
LIMITS = Limits(
    instruments=list(SYMBOLS), max_order_notional_usdt=10_000, max_position_notional_usdt=20_000, max_gross_exposure_usdt=60_000,
    max_orders_per_second=100, max_intents_per_minute=6_000,
)  # fmt: skip


async def measure() -> list[Row]:
    """In an event loop of the engine's own kind, in a thread of its own."""
    logs.configure("critical", engine="bench", instance="bench")
    orders, bare = await asyncio.to_thread(_in_the_engines_loop)
    p50, p99, floor = percentile(orders, 0.5), percentile(orders, 0.99), percentile(bare, 0.5)
    return [
        Row(f"signal -> order on the wire, p50 of {len(orders)}", milliseconds(p50), "<= 0.50 ms", p50 <= BUDGET_SECONDS),
        Row("signal -> order on the wire, p99", milliseconds(p99), "", None),
        Row("a bare commit, then a bare POST, p50", f"{milliseconds(floor)}, the order path is {p50 / floor:.2f}x of it", "", None),
    ]


def _in_the_engines_loop() -> tuple[list[float], list[float]]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_both())


async def _both() -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as directory, stub() as url:
        return await _in_turns(url, Path(directory))


async def _in_turns(url: str, directory: Path) -> tuple[list[float], list[float]]:
    async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": KEY}) as session, desk(url, directory) as engine:
        bare = Bare(session, url, directory / "bare.db")
        began: dict[str, int] = {}
        for number in range(ORDERS + WARM_UP):
            await asyncio.sleep(PAUSE_SECONDS / 2)
            began |= await engine.order(number)
            await asyncio.sleep(PAUSE_SECONDS / 2)
            began |= await bare.order(number)
        async with session.get(f"{url}/arrivals") as answer:
            arrived = await answer.json()
    times = {name: (arrived[name] - at) / 1e9 for name, at in began.items()}
    orders = [seconds for name, seconds in times.items() if not name.startswith("bare")]
    return orders[WARM_UP:], [seconds for name, seconds in times.items() if name.startswith("bare")][WARM_UP:]


class Desk:
    """The real execution of an engine whose account is busy."""

    def __init__(self, execution: Execution, world: Gatherer) -> None:
        self.execution, self.world = execution, world

    async def order(self, number: int) -> dict[str, int]:
        """Its client order id, and when the signal came."""
        intent = OrderIntent(f"signal-{number}", SYMBOLS[0], Side.BUY, Decimal("0.010"), reason="averages crossed")
        began = time.monotonic_ns()
        verdict = await self.execution.submit(intent)
        if not isinstance(verdict, Accepted) or verdict.order is None:
            raise TypeError(f"not taken: {verdict}")
        self.shown(verdict.order)
        return {verdict.client_order_id: began}

    def shown(self, order: OrderView) -> None:
        """As the user stream would: it is filled and rests no more."""
        self.world.holdings._take(OrderUpdate(order, None))  # type: ignore[attr-defined]  they are the engine's own Positions


@asynccontextmanager
async def desk(url: str, directory: Path, limits: Limits = LIMITS) -> AsyncIterator[Desk]:
    clock, world = SystemClock(), await busy_account()
    exchange = BinanceFutures(Endpoint(url, url), Credentials(KEY, SECRET), clock)
    journal = SqliteJournal(directory / "journal.db")
    await journal.open()
    execution = Execution(exchange, journal, world.clock, world.permission, lambda: limits, world.market, world.holdings, random_id)
    await execution.recover()
    yield Desk(execution, world)
    await exchange.close()
    await journal.close()


class Bare:
    """What any client must do that writes ahead: nothing but the commit and the request."""

    def __init__(self, session: aiohttp.ClientSession, url: str, path: Path) -> None:
        self._session, self._url = session, url
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE intent (key TEXT PRIMARY KEY, value BLOB)")

    async def order(self, number: int) -> dict[str, int]:
        name = f"bare-{number}"
        began = time.monotonic_ns()
        self._connection.execute("INSERT INTO intent VALUES (?, ?)", (name, b"x" * 400))
        query = urlencode(
            {
                "symbol": SYMBOLS[0], "side": "BUY", "type": "MARKET", "quantity": "0.01", "newClientOrderId": name,
                "newOrderRespType": "RESULT", "recvWindow": 5_000, "timestamp": time.time_ns() // 1_000_000,
            }
        )  # fmt: skip
        signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        async with self._session.post(f"{self._url}/fapi/v1/order?{query}&signature={signature}") as answer:
            await answer.read()
        return {name: began}


@contextmanager
def stub() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.wire_stub"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(5)
        process.stdout.close()
