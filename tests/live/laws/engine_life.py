"""One life of an engine process, without the process: the node as it is wired, ended by cancelling it in the middle of whatever it does.

In    settings, the world's clock
Out   its stages running; its status, as the operator would read it
Flow  world -> HERE -> quantum_engine.node
Why   a law over random histories needs hundreds of starts and crashes; the chaos ring kills real processes
"""

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.live.laws.virtual_time import WorldClock, ended

from quantum_api.engine_status import Acknowledgement, DocumentRefused, EngineStatus, Latch
from quantum_api.trading_policy import StopAction
from quantum_engine import node as node_module
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.domain import OrderIntent
from quantum_engine.errors import JournalUnavailableError
from quantum_engine.journal import Table
from quantum_engine.node import Node
from quantum_engine.settings import Settings
from quantum_engine.trading import Trading
from quantum_engine.verdicts import Verdict

CRASH_POINTS = (
    "after-intent-before-send", "after-trip-before-journal", "after-latch-before-report", "after-latch-before-flatten",
    "after-document-before-ack",
)  # fmt: skip


class Killed(BaseException):
    """The process is gone at this line."""


class Journal(SqliteJournal):
    """The real journal on a disk that can be made read-only, or taken away from a process that is dead."""

    is_cut_off = False
    clock: WorldClock

    def set_full(self, is_full: bool) -> None:
        assert self._connection is not None
        self._connection.execute(f"PRAGMA query_only={int(is_full)}")

    def _ask(self, job: Callable[["asyncio.Future[Any]"], Any]) -> "asyncio.Future[Any]":
        if self.is_cut_off:
            raise JournalUnavailableError("the process is dead")
        done = super()._ask(job)
        self.clock.outside += 1
        done.add_done_callback(self._answered)
        return done

    def _answered(self, _: "asyncio.Future[Any]") -> None:
        self.clock.outside -= 1


class NoServer:
    """Stands for the HTTP server: the node is asked directly."""

    up = True

    def __init__(self, *_: Any) -> None:
        """It listens nowhere."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """It never began."""


class Life:
    """From start to crash."""

    def __init__(self, settings: Settings, clock: WorldClock) -> None:
        self._clock = clock
        self.crash_at = ""
        self.is_dead = False
        self._extra: set[asyncio.Task[Any]] = set()
        self._settings = settings
        with self._parts():
            self.node = Node(settings)

    @contextmanager
    def _parts(self) -> Iterator[None]:
        class OfThisWorld(Journal):
            clock = self._clock

        with (
            patch.object(node_module, "MachineClock", lambda: self._clock),
            patch.object(node_module, "SqliteJournal", OfThisWorld),
            patch.object(node_module, "ControlServer", NoServer),
        ):
            yield

    @property
    def journal(self) -> Journal:
        assert isinstance(self.node._file, Journal)
        return self.node._file

    @property
    def trading(self) -> Trading:
        assert self.node._trading is not None
        return self.node._trading

    async def start(self) -> None:
        """As Node.run, without its HTTP server and its signals."""
        node = self.node
        node._keys.reread()
        node._wire()
        await node._restore()
        node._board.publish()
        node._start_stages()

    def reached(self, point: str) -> None:
        """Stands for quantum_engine.ordered_faults.crash_point."""
        if not self.is_dead and point == self.crash_at:
            self._die()
        if self.is_dead:
            raise Killed(point)

    def _die(self) -> "list[asyncio.Task[Any]]":
        self.is_dead = True
        self.journal.is_cut_off = True
        tasks = [task for task in (*self.node._supervisor._tasks.values(), *self._extra) if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        return tasks

    async def crash(self) -> None:
        """Everything it was doing ends where it stands; what had left it may still arrive."""
        await ended(self._die())
        await self._let_go()

    async def stop(self) -> None:
        """SIGTERM."""
        await ended([*self._extra])
        self.node._board.close()
        await self.node._supervisor.stop()
        self.is_dead = True
        await self._let_go()

    async def _let_go(self) -> None:
        node = self.node
        if node._trading:
            await node._trading.close()
        if node._mirror:
            await node._mirror.close()
        await node._file.close()

    def begin(self, work: Awaitable[Any]) -> "asyncio.Task[Any]":
        """Work that dies with this life."""
        task = asyncio.ensure_future(work)
        self._extra.add(task)
        task.add_done_callback(self._extra.discard)
        return task

    def submit(self, intent: OrderIntent) -> "asyncio.Task[Verdict]":
        return self.begin(self.trading.execution.submit(intent))

    def offer(self, token: bytes) -> "asyncio.Task[Acknowledgement | DocumentRefused]":
        return self.begin(self.node._put_policy(token))

    def halt(self, reason: str, action: StopAction) -> "asyncio.Task[Latch]":
        return self.begin(self.node._halt(reason, action, "the laws"))

    @property
    def status(self) -> EngineStatus:
        return self.node._board._status()


def crash_points(life: Callable[[], Life | None]) -> Any:
    """Patches that lead every crash point to the life that runs."""

    def reached(point: str) -> None:
        running = life()
        if running is not None:
            running.reached(point)

    modules = [name for name, module in sys.modules.items() if name.startswith("quantum_engine.") and hasattr(module, "crash_point")]
    return [patch(f"{name}.crash_point", reached) for name in modules]


def on_disk(path: Path, table: Table) -> dict[str, bytes]:
    """What a process that starts now would find."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT key, value FROM rows WHERE room = ? ORDER BY sequence", (table.value,))
        return dict(rows.fetchall())
