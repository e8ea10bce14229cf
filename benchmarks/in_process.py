"""What needs no cluster: a breaching price -> gate shut in memory -> latch in the journal, with every evaluator on.

The mark price of a held symbol falls; positions, risk stage, latch book and SQLite journal (WAL, synchronous=FULL) are the real ones, and
the window of loss velocity holds a minute of falling readings.  Shut is when the permission says EXIT_ONLY, and the next order is then
refused by the real gate.  Beside it: bare commits of a row as long as the latch with its two events, and, for one pass of the evaluators,
the floor of any such chain in this language.
"""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from benchmarks.figures import Row, microseconds, milliseconds, percentile
from benchmarks.gate import MARK, SYMBOLS, Market
from quantum_api.gate import Gate
from quantum_api.trading_policy import Limits
from quantum_engine import logs
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.domain import AccountView, EquityRead, OrderIntent, OrderView, PositionView, Side
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.keeper import LatchKeeper
from quantum_engine.emergency.pull import StopPuller
from quantum_engine.execution.gather import Gatherer
from quantum_engine.gate.chain import judge
from quantum_engine.permission import Permission
from quantum_engine.positions.service import Positions
from quantum_engine.risk.evaluators import EVALUATORS
from quantum_engine.risk.service import Risk
from quantum_engine.risk.snapshot import BUILT_IN, RiskSnapshot
from quantum_engine.verdicts import Refused

BREACHES = 300
PASSES = 20_000
READINGS = 600
MEMORY_BUDGET_SECONDS = 0.2e-3
JOURNAL_BUDGET_SECONDS = 5e-3
LIMITS = Limits(
    instruments=list(SYMBOLS), max_order_notional_usdt=10_000, max_position_notional_usdt=100_000, max_gross_exposure_usdt=200_000
)


class Venue:
    """100 000 USDT and one coin of each symbol, bought at the mark; answers the one comparison with which the books are filled."""

    def venue_ms(self) -> int:
        return 1_800_000_000_000

    async def account(self) -> AccountView:
        return AccountView(Decimal(100_000), Decimal(0), Decimal(100_000), 0)

    async def is_hedged(self) -> bool:
        return False

    async def positions(self, *, is_exit: bool) -> list[PositionView]:  # noqa: ARG002  the port names it
        return [PositionView(symbol, Decimal(1), MARK, MARK) for symbol in SYMBOLS]

    async def open_orders(self, *, is_exit: bool) -> list[OrderView]:  # noqa: ARG002  the port names it
        return []


class NoMirror:
    """There is no Redis here."""

    def keep_peak(self, row: bytes) -> None:
        """Nowhere to keep it."""


class Engine:
    """From the price to the latch, without a network."""

    def __init__(self, path: Path) -> None:
        self.clock, self.permission, self.journal, self.market = SystemClock(), Permission(), SqliteJournal(path), Market()
        self.book = LatchBook(self.permission, self.clock)
        self.keeper = LatchKeeper(self.book, self.journal, self.clock)
        puller = StopPuller("bench-0", self.book, self.clock, random_id)
        self.risk = Risk(self.journal, self.permission, self.clock, lambda: LIMITS, puller, NoMirror())
        self.positions = Positions(Venue(), self.market.quote, self.clock, self.permission)  # type: ignore[arg-type]  what is asked of it
        self.world = Gatherer(self.clock, self.permission, lambda: LIMITS, self.market, self.positions)
        self.positions.on_equity(self.risk.handle)

    async def open(self, exits: AsyncExitStack) -> None:
        exits.push_async_callback(self.journal.close)
        await self.journal.open()
        running = asyncio.create_task(self.keeper.run())
        exits.push_async_callback(ended, running)
        await self.positions.reconcile()
        for source in ("policy", "reconciliation"):
            self.permission.lift(source)
        now = self.clock.monotonic()
        for number in range(READINGS):
            reading = EquityRead(Decimal(100_000) - number, 1_800_000_000_000, now - (READINGS - number) / 10)
            self.risk.handle(reading)
        if self.permission.gate is not Gate.ACTIVE:
            raise RuntimeError("an account that has lost nothing must be open")

    async def breach(self) -> tuple[float, float]:
        """Seconds from the price to the shut gate, and to the stamp of the latch."""
        shut: list[float] = []
        self.permission.on_change(lambda: shut.append(time.perf_counter()) if self.permission.gate is Gate.EXIT_ONLY else None)
        quote = self.market.quote(SYMBOLS[0])
        if quote is None:
            raise RuntimeError("the market has no price")
        fallen = replace(quote, mark=MARK * 7 / 10)
        self.market.take(fallen)
        began = time.perf_counter()
        self.positions.on_quote(fallen)
        if not isinstance(judge(self.world.snapshot(OrderIntent("next", SYMBOLS[0], Side.BUY, Decimal("0.1")))), Refused):
            raise TypeError("the next order must be refused")
        if not await self.keeper.stored(self.book.latches[0].id, 5.0):
            raise RuntimeError("the latch did not reach the journal")
        return shut[0] - began, time.perf_counter() - began


async def measure() -> list[Row]:
    """Without the log lines of 300 stops."""
    logs.configure("critical", engine="bench", instance="bench")
    with tempfile.TemporaryDirectory() as directory:
        return [*await breach_rows(Path(directory)), *await evaluation_rows(Path(directory))]


async def breach_rows(directory: Path) -> list[Row]:
    memory, journal = [], []
    for number in range(BREACHES):
        async with AsyncExitStack() as exits:
            engine = Engine(directory / f"{number}.db")
            await engine.open(exits)
            in_memory, on_disk = await engine.breach()
        memory.append(in_memory)
        journal.append(on_disk)
    p_memory, p_journal = percentile(memory, 0.99), percentile(journal, 0.99)
    bare = percentile(bare_commits(directory / "bare.db"), 0.99)
    beside = f"{milliseconds(p_journal)} (a bare commit {milliseconds(bare)}, {p_journal / bare:.1f}x of it)"
    return [
        Row("breaching price -> gate shut in memory, p50", milliseconds(percentile(memory, 0.5)), "", None),
        Row(
            f"breaching price -> gate shut in memory, p99 of {BREACHES}", milliseconds(p_memory), "<= 0.2 ms",
            p_memory <= MEMORY_BUDGET_SECONDS,
        ),
        Row(f"breaching price -> latch in the journal, p99 of {BREACHES}", beside, "<= 5 ms", p_journal <= JOURNAL_BUDGET_SECONDS),
    ]  # fmt: skip


async def evaluation_rows(directory: Path) -> list[Row]:
    """World gathered each time, as at each event."""
    passes, floor = [], []
    async with AsyncExitStack() as exits:
        engine = Engine(directory / "calm.db")
        await engine.open(exits)
        for _ in range(PASSES):
            began = time.perf_counter()
            engine.risk.judge()
            between = time.perf_counter()
            _floor()
            passes.append(between - began)
            floor.append(time.perf_counter() - between)
        if engine.book.latches:
            raise RuntimeError("a calm account must trip nothing")
    p50, bare = percentile(passes, 0.5), percentile(floor, 0.5)
    return [
        Row(f"one pass of {len(EVALUATORS)} evaluators, world gathered, p50", microseconds(p50), "", None),
        Row("the floor (one struct, as many calls), p50", f"{microseconds(bare)}, the pass is {p50 / bare:.1f}x of it", "", None),
    ]


def _floor() -> None:
    seen = RiskSnapshot(BUILT_IN)
    for _ in EVALUATORS:
        if _trivial(seen) is not None:
            raise AssertionError


def _trivial(seen: RiskSnapshot) -> object:
    return None if seen.equity_usdt is None else seen


async def ended(task: "asyncio.Task[None]") -> None:
    """Cancel and wait."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def bare_commits(path: Path) -> list[float]:
    """SQLite alone: one row, WAL, synchronous=FULL."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE latch (key TEXT PRIMARY KEY, value BLOB)")
    samples = []
    for number in range(BREACHES):
        began = time.perf_counter()
        connection.execute("INSERT INTO latch VALUES (?, ?)", (str(number), b"x" * 1_400))
        samples.append(time.perf_counter() - began)
    connection.close()
    return samples
