"""From a trip to the first cancel at the venue, and to a flat account that was proven flat, beside the same calls without an engine.

The engine's stages (market, positions, execution, latches, the stop) run here with a real journal; the venue is a process of its own that
stamps what arrives.  The bare sequence is what a person's script would do: cancel all, close, look, signed by the same code, with nothing
written down and nothing decided.  Three positions, then three positions with 20 resting and 5 conditional orders.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import aiohttp

from benchmarks.figures import Row, milliseconds, percentile
from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import Limits, StopAction
from quantum_engine import logs
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.keeper import LatchKeeper
from quantum_engine.emergency.ports import Known
from quantum_engine.emergency.service import StopWorker
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.exchanges.binance_futures.signing import signed_query
from quantum_engine.execution.service import Execution
from quantum_engine.market.service import Market
from quantum_engine.permission import Permission
from quantum_engine.positions.service import Positions

TIMES = 25
HELD = {"BTCUSDT": Decimal("0.020"), "ETHUSDT": Decimal("0.500"), "SOLUSDT": Decimal("5.00")}
RESTING, CONDITIONAL = 20, 5
KEY = "key-alpha"
SIGNER = Credentials(KEY, "secret-alpha")
PATIENCE_SECONDS = 20.0
LIMITS = Limits(
    instruments=list(HELD), max_order_notional_usdt=10_000, max_position_notional_usdt=20_000, max_gross_exposure_usdt=60_000,
    stop_cooldown_seconds=0,
)  # fmt: skip


async def measure() -> list[Row]:
    """Both accounts, engine and bare in turns, so that a busy moment of the machine meets both."""
    logs.configure("critical", engine="bench", instance="bench")
    rows: list[Row] = []
    with venue_process() as venue, tempfile.TemporaryDirectory() as folder:
        async with engine_at(venue, Path(folder)) as engine, aiohttp.ClientSession(headers={"X-MBX-APIKEY": KEY}) as session:
            bare = Bare(venue, session)
            for resting, conditional, budget in ((0, 0, 0.25), (RESTING, CONDITIONAL, 1.0)):
                firsts, flats, bare_firsts, bare_flats = [], [], [], []
                for number in range(TIMES):
                    first, flat = await engine.flatten(f"{resting}-{number}", resting, conditional)
                    firsts.append(first)
                    flats.append(flat)
                    await engine.fill_account(resting, conditional)
                    first, flat = await bare.flatten()
                    bare_firsts.append(first)
                    bare_flats.append(flat)
                what = f"3 positions, {resting} resting, {conditional} conditional orders"
                rows += [
                    _row(f"trip -> first cancel at the venue, {what}", firsts, bare_firsts, 0.005),
                    _row(f"trip -> proven flat, {what}", flats, bare_flats, budget),
                ]
    return rows


def _row(name: str, engine: list[float], bare: list[float], budget_seconds: float) -> Row:
    worst, p50 = percentile(engine, 0.99), percentile(engine, 0.5)
    bare_p50 = percentile(bare, 0.5)
    beside = f"(bare p50 {milliseconds(bare_p50)}, ratio {p50 / bare_p50:.2f})"
    return Row(
        name,
        f"p50 {milliseconds(p50)}, worst of {TIMES} {milliseconds(worst)} {beside}",
        f"worst <= {budget_seconds * 1000:.0f} ms",
        worst <= budget_seconds,
    )


class VenueProcess:
    """Its addresses, and what arrived there."""

    def __init__(self, process: "Popen[str]") -> None:
        self._process = process
        addresses = self._line()
        self.rest_url: str = addresses["rest"]
        self.stream_url: str = addresses["stream"]

    def arrived(self) -> list[tuple[float, str]]:
        """Since it was asked last."""
        assert self._process.stdin is not None, "opened with pipes"
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [(at, request) for at, request in self._line()]

    def first_cancel(self) -> float:
        """When it came, monotonic seconds."""
        return next(at for at, request in self.arrived() if request.startswith("DELETE "))

    def _line(self) -> Any:
        assert self._process.stdout is not None, "opened with pipes"
        return json.loads(self._process.stdout.readline())


@contextmanager
def venue_process() -> Iterator[VenueProcess]:
    process = Popen([sys.executable, "-m", "benchmarks.stamping_venue"], stdin=PIPE, stdout=PIPE, text=True)
    try:
        yield VenueProcess(process)
    finally:
        process.kill()
        process.wait()


class Engine:
    """The stages that a stop needs."""

    def __init__(self, venue: VenueProcess, journal: SqliteJournal) -> None:
        self.venue, clock, permission = venue, SystemClock(), Permission()
        permission.lift("policy")
        self.clock = clock
        self.client = BinanceFutures(Endpoint(venue.rest_url, venue.stream_url), SIGNER, clock)
        self.market = Market(self.client, clock, permission)
        self.positions = Positions(self.client, self.market.quote, clock, permission)
        self.execution = Execution(self.client, journal, clock, permission, lambda: LIMITS, self.market, self.positions, random_id)
        self.book = LatchBook(permission, clock)
        self.keeper = LatchKeeper(self.book, journal, clock)
        self.worker = StopWorker(
            self.book, self.keeper, self.client, self.execution.submit, lambda: LIMITS, clock, random_id,
            Known(self.positions, self.execution.rules),
        )  # fmt: skip
        self.positions.on_change(self.worker.look_again)
        self.market.on_quote(self.positions.on_quote)
        self.market.set_symbols(frozenset(HELD))

    async def flatten(self, name: str, resting: int, conditional: int) -> tuple[float, float]:
        """Seconds from the trip to the first cancel's arrival, and to the latch that says flat."""
        await self.fill_account(resting, conditional)
        self.venue.arrived()
        latch = Latch(
            id=name, action=StopAction.FLATTEN, origin=LatchOrigin.MANUAL, trigger="Manual", reason="benchmark",
            tripped_at_ms=self.clock.wall_ms(),
        )  # fmt: skip
        flat = asyncio.Event()
        self.book.on_change(lambda: flat.set() if _is_flat(self.book.get(name)) else None)
        began = time.monotonic()
        self.book.trip(latch)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await flat.wait()
        ended = time.monotonic()
        first = self.venue.first_cancel()
        self.book.release([name])
        return first - began, ended - began

    async def fill_account(self, resting: int, conditional: int) -> None:
        """Until the engine's books show it all."""
        await self._until(lambda: not self.book.latches and self.positions.reconciled and not self.positions.positions)
        for symbol, quantity in HELD.items():
            await self.client.place(OrderIntent(random_id(), symbol, Side.BUY, quantity), random_id())
        for number in range(resting):
            symbol = list(HELD)[number % len(HELD)]
            await self.client.place(await self._far_below(symbol), random_id())
        for number in range(conditional):
            symbol = list(HELD)[number % len(HELD)]
            params = {
                "algoType": "CONDITIONAL", "symbol": symbol, "side": "SELL", "type": "STOP_MARKET", "quantity": str(HELD[symbol]),
                "triggerPrice": str((await self.client.premium(symbol) / 2).quantize(Decimal(1))), "reduceOnly": "true",
            }  # fmt: skip
            await self.client.transport.signed("POST", "/fapi/v1/algoOrder", params)
        await self._until(lambda: len(self.positions.positions) == len(HELD) and len(self.positions.open_orders) == resting + conditional)

    async def _far_below(self, symbol: str) -> OrderIntent:
        price = (await self.client.premium(symbol) * Decimal("0.97")).quantize(Decimal(1))
        return replace(OrderIntent(random_id(), symbol, Side.BUY, HELD[symbol]), price=price)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110  a benchmark's preparation, not its measurement
                await asyncio.sleep(0.002)


def _is_flat(latch: Latch | None) -> bool:
    return latch is not None and latch.positions_flat_at_ms is not None and latch.cooldown_until_ms is not None


@asynccontextmanager
async def engine_at(venue: VenueProcess, folder: Path) -> AsyncIterator[Engine]:
    journal = SqliteJournal(folder / "journal.db")
    await journal.open()
    engine = Engine(venue, journal)
    await engine.execution.recover()
    stages = (engine.market, engine.positions, engine.execution, engine.keeper, engine.worker)
    tasks = [asyncio.create_task(stage.run()) for stage in stages]
    try:
        yield engine
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await engine.client.close()
        await journal.close()


class Bare:
    """Signed calls and nothing else."""

    def __init__(self, venue: VenueProcess, session: aiohttp.ClientSession) -> None:
        self._venue, self._session = venue, session

    async def flatten(self) -> tuple[float, float]:
        held = {row["symbol"]: Decimal(row["positionAmt"]) for row in await self._call("GET", "/fapi/v3/positionRisk")}
        self._venue.arrived()
        began = time.monotonic()
        paths = ("/fapi/v1/allOpenOrders", "/fapi/v1/algoOpenOrders")
        await asyncio.gather(*(self._call("DELETE", path, symbol=symbol) for symbol in held for path in paths))
        await asyncio.gather(*(self._close(symbol, quantity) for symbol, quantity in held.items()))
        seen = await asyncio.gather(
            *(self._call("GET", path) for path in ("/fapi/v3/positionRisk", "/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"))
        )
        ended = time.monotonic()
        if any(Decimal(row.get("positionAmt", "1")) for rows in seen for row in rows):
            raise RuntimeError(f"the bare sequence left something: {seen}")
        return self._venue.first_cancel() - began, ended - began

    async def _close(self, symbol: str, quantity: Decimal) -> None:
        await self._call("POST", "/fapi/v1/order", symbol=symbol, side="SELL", type="MARKET", quantity=str(quantity), reduceOnly="true")

    async def _call(self, method: str, path: str, **params: str) -> Any:
        query = signed_query(params, SIGNER, time.time_ns() // 1_000_000, 5_000)
        async with self._session.request(method, f"{self._venue.rest_url}{path}?{query}") as answer:
            if answer.status != 200:
                raise RuntimeError(await answer.text())
            return json.loads(await answer.read())
