"""A real outbox on disk, a real Redis that is broken, and a consumer in a process of its own."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.redis_server import RedisServer

from quantum_api.bus_envelope import EventClass
from quantum_engine.adapters.redis_streams import RedisStreams
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.bus.service import Bus
from quantum_engine.bus.spool import Bounds
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.journal import Publish
from quantum_engine.permission import Permission

SOURCE = "trading/engine-0"
PATIENCE_SECONDS = 30.0


async def until(holds: Callable[[], bool], promise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:g} s: {promise}"
        await asyncio.sleep(0.01)


@dataclass
class Engine:
    """The bus of one engine on its own disk."""

    folder: Path
    url: str
    said: int = 0
    _running: "asyncio.Task[None] | None" = None
    bus: Bus = field(init=False)

    async def start(self) -> None:
        self.disk = SqliteJournal(self.folder / "journal.db")
        await self.disk.open()
        self.bus = Bus(SOURCE, self.disk, RedisStreams(self.url, SOURCE), SystemClock(), random_id, Bounds())
        await self.bus.restore()
        self._running = asyncio.create_task(self.bus.run(self.bus.journal, Permission()))

    async def stop(self) -> None:
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.bus.close(self.bus.journal)
        await self.disk.close()

    async def publish(self, count: int) -> None:
        """In commits of fifty."""
        while count > 0:
            some = min(50, count)
            events = [Publish(EventClass.ORDER, "test.event", {"n": self.said + i}) for i in range(some)]
            await self.bus.journal.commit(*events)
            self.said += some
            count -= some

    async def until_sent(self) -> None:
        await until(lambda: self.bus.state.waiting == 0, "everything is in Redis")


@dataclass
class Ledger:
    """A consumer process with its own file; what it applied is read from there."""

    file: Path
    url: str
    member: str = "ledger-0"
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        script = Path(__file__).parent / "ledger_process.py"
        self._process = subprocess.Popen([sys.executable, str(script), self.url, str(self.file), self.member])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def rows(self, table: str = "applied") -> list[int]:
        try:
            with sqlite3.connect(self.file) as connection:
                return [row[0] for row in connection.execute(f"SELECT n FROM {table} ORDER BY rowid")]
        except sqlite3.OperationalError:
            return []

    async def until_applied(self, count: int) -> None:
        await until(lambda: len(self.rows()) >= count, f"{count} events are applied, now {len(self.rows())}")


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def engine(tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[Engine]:
    made = Engine(tmp_path, redis_server.url)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def ledger(tmp_path: Path, redis_server: RedisServer) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "ledger.db", redis_server.url)
    made.start()
    yield made
    made.kill()
