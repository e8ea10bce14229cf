"""What needs no cluster: a breaching equity event -> gate closed in memory -> latch in the journal.

The breach runs through the real breaker, latch book and SQLite journal (WAL, synchronous=FULL) on this machine's disk, beside one bare
commit of the same row.
"""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

from benchmarks.figures import Row, milliseconds, percentile
from quantum_engine import logs
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.domain import EquityRead
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.pull import StopPuller
from quantum_engine.emergency.service import LatchKeeper
from quantum_engine.permission import Permission
from quantum_engine.risk.service import Risk

BREACHES = 300


async def measure() -> list[Row]:
    """Without the log lines of 300 stops."""
    logs.configure("critical", engine="bench", instance="bench")
    return await breach_rows()


async def breach_rows() -> list[Row]:
    """Event -> memory is when the permission changed; event -> journal is when the latch bears its stamp."""
    memory, journal = [], []
    with tempfile.TemporaryDirectory() as directory:
        for number in range(BREACHES):
            in_memory, on_disk = await one_breach(Path(directory) / f"{number}.db")
            memory.append(in_memory)
            journal.append(on_disk)
        bare = bare_commits(Path(directory) / "bare.db")
    p_memory, p_journal = percentile(memory, 0.99), percentile(journal, 0.99)
    beside = f"{milliseconds(p_journal)} (a bare commit {milliseconds(percentile(bare, 0.99))})"
    return [
        Row(f"breaching event -> gate closed in memory, p99 of {BREACHES}", milliseconds(p_memory), "<= 1 ms", p_memory <= 1e-3),
        Row(f"breaching event -> latch in the journal, p99 of {BREACHES}", beside, "<= 10 ms", p_journal <= 10e-3),
    ]


async def one_breach(path: Path) -> tuple[float, float]:
    """A fresh engine's breaker, an equity of 1 000, then 800."""
    clock, permission, journal = SystemClock(), Permission(), SqliteJournal(path)
    book = LatchBook(permission, clock)
    keeper = LatchKeeper(book, journal, clock)
    risk = Risk(journal, permission, clock, lambda: None, StopPuller("bench-0", book, clock, random_id), NoMirror())
    async with AsyncExitStack() as exits:
        exits.push_async_callback(journal.close)
        await journal.open()
        running = asyncio.create_task(keeper.run())
        exits.push_async_callback(ended, running)
        risk.handle(EquityRead(Decimal(1_000), clock.wall_ms(), clock.monotonic()))
        await asyncio.sleep(0)
        closed: list[float] = []
        permission.on_change(lambda: closed.append(time.perf_counter()))
        breach = EquityRead(Decimal(800), clock.wall_ms(), clock.monotonic())
        began = time.perf_counter()
        risk.handle(breach)
        if not book.latches:
            raise RuntimeError("the breach did not latch")
        if not await keeper.stored(book.latches[0].id, 5.0):
            raise RuntimeError("the latch did not reach the journal")
        return closed[0] - began, time.perf_counter() - began


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
        connection.execute("INSERT INTO latch VALUES (?, ?)", (str(number), b"x" * 400))
        samples.append(time.perf_counter() - began)
    connection.close()
    return samples


class NoMirror:
    """There is no Redis here."""

    def keep_peak(self, row: bytes) -> None:
        """Nowhere to keep it."""
