"""One engine, one Redis, one group of two consumers: all in memory, each breakable, for laws and for told stories."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from tests.contract.bus.fake_redis import FakeFeed, FakeLink, FakeRedis

from quantum_api.bus_envelope import Envelope, EventClass
from quantum_bus.consumer import Consumer
from quantum_bus.marks import Gap, Notice
from quantum_bus.ports import FeedUnavailableError, InboxUnavailableError, MarksMovedError
from quantum_engine.bus.service import Bus
from quantum_engine.bus.spool import Bounds
from quantum_engine.clock import ManualClock
from quantum_engine.errors import JournalUnavailableError, RetryableError
from quantum_engine.journal import Delete, DeleteThrough, Publish, Put, Table, Write
from quantum_engine.permission import Permission

SOURCE = "trading/engine-0"


class FakeDisk:
    """Rows survive the process.  A hanging commit is done, or lost with the process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.rows: dict[Table, dict[str, bytes]] = {table: {} for table in Table}
        self.is_full = False
        self.hangs = False
        self.hanging: list[tuple[Sequence[Write], asyncio.Future[None]]] = []

    def submit(self, *writes: Write) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = self._loop.create_future()
        self.hanging.append((writes, done))
        if not self.hangs:
            self.let_go()
        return done

    def let_go(self, count: int | None = None) -> None:
        """The first ``count`` hanging commits get their outcome, in order."""
        for writes, done in self.hanging[:count]:
            if self.is_full:
                done.set_exception(JournalUnavailableError("full"))
                done.exception()
                continue
            for write in writes:
                self._write(write)
            done.set_result(None)
        del self.hanging[:count]

    def _write(self, write: Write) -> None:
        match write:
            case Put(table=table, key=key, value=value):
                self.rows[table][key] = value
            case Delete(table=table, key=key):
                self.rows[table].pop(key, None)
            case DeleteThrough(table=table, key=key):
                self.rows[table] = {k: v for k, v in self.rows[table].items() if k > key}

    async def commit(self, *writes: Write) -> None:
        await self.submit(*writes)

    async def load(self, table: Table) -> dict[str, bytes]:
        return dict(self.rows[table])

    async def load_page(self, table: Table, after: str, count: int) -> dict[str, bytes]:
        return dict(sorted((k, v) for k, v in self.rows[table].items() if k > after)[:count])

    async def close(self) -> None:
        """Nothing is open."""


class MemoryInbox:
    """Survives its consumer."""

    def __init__(self) -> None:
        self.applied: list[int] = []
        self.row: bytes | None = None
        self.is_down = False

    async def mark(self, source: str) -> bytes | None:
        return self.row

    async def apply(self, source: str, events: Sequence[Envelope], before: bytes | None, after: bytes) -> None:
        if self.is_down:
            raise InboxUnavailableError("down")
        if self.row != before:
            raise MarksMovedError(source)
        self.applied += [envelope.payload["n"] for envelope in events]
        self.row = after


class World:
    """Events are numbered by ``n`` in their payload, as they are published."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        self.bounds = bounds or Bounds()
        self.clock, self.disk, self.redis, self.inbox = ManualClock(), FakeDisk(self.loop), FakeRedis(), MemoryInbox()
        self._ids = iter(f"epoch-{n}" for n in range(1_000))
        self.said = 0
        self.committed: list[int] = []
        self._open: list[tuple[list[int], asyncio.Task[None]]] = []
        self.notices: list[Notice] = []
        self.feeds: list[FakeFeed] = []
        self.consumers: list[Consumer] = []
        for member in range(2):
            self.start_consumer(member)
        self.boot()
        self.consume(0)
        self.send()
        self.tend()

    def close(self) -> None:
        self.loop.close()

    @property
    def gaps(self) -> list[Gap]:
        return [notice for notice in self.notices if isinstance(notice, Gap)]

    # The engine

    def boot(self) -> None:
        self.permission = Permission()
        self.bus = Bus(SOURCE, self.disk, FakeLink(self.redis), self.clock, lambda: next(self._ids), self.bounds)
        self.loop.run_until_complete(self.bus.restore())
        self.sender, self.keeper = self.bus.workers(self.bus.journal, self.permission)

    def publish(self, count: int = 1, event_class: EventClass = EventClass.ORDER) -> None:
        numbers = list(range(self.said, self.said + count))
        self.said += count
        events = [Publish(event_class, "test.event", {"n": n}) for n in numbers]
        self._open.append((numbers, self.loop.create_task(self.bus.journal.commit(*events))))
        self.turn()

    def turn(self) -> None:
        """Let the event loop go round, and see which commits have their outcome."""
        for _ in range(5):
            self.loop.run_until_complete(asyncio.sleep(0))
        while self._open and self._open[0][1].done():
            numbers, task = self._open.pop(0)
            if not task.cancelled() and task.exception() is None:
                self.committed += numbers

    def finish_commits(self) -> None:
        self.disk.let_go()
        self.turn()

    def crash(self, done: int = 0) -> None:
        """``done`` of the commits that hang reached the disk, though nobody heard."""
        self.disk.is_full = False
        self.disk.let_go(done)
        self.turn()
        for _, task in self._open:
            task.cancel()
        self.turn()
        self.disk.hanging.clear()
        self.disk.hangs = False
        self.boot()

    def send(self, *, looks: bool = True) -> bool:
        try:
            return self.loop.run_until_complete(self.sender.step(looks=looks))
        except RetryableError:
            return False

    def tidy(self) -> None:
        self._try(self.keeper.tidy)

    def tend(self) -> None:
        self.keeper._tended_at = float("-inf")
        self.bus._books.problem = ""
        self._try(self.keeper.tend)

    def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        async def done() -> None:
            await work()

        with suppress(RetryableError):
            self.loop.run_until_complete(done())

    def time_passes(self, seconds: float) -> None:
        """Redis syncs its disk each second, if it runs."""
        self.clock.advance(seconds)
        if seconds > 2:
            self.redis.sync()

    def calm(self, *, consuming: bool = True) -> None:
        """Some uneventful seconds."""
        until_done(self.send)
        if consuming:
            until_done(lambda: self.consume(0) + self.consume(1))
        for _ in range(3):
            self.tend()
            self.time_passes(4)
            self.send()
            self.tidy()

    # The consumers

    def start_consumer(self, member: int) -> None:
        """A new process, with the member's name."""
        feed = FakeFeed(self.redis, SOURCE, "ledger", f"member-{member}", count=3)
        consumer = Consumer(feed, self.inbox, lambda _, notice: self.notices.append(notice))
        self.feeds[member:], self.consumers[member:] = [feed, *self.feeds[member + 1 :]], [consumer, *self.consumers[member + 1 :]]

    def consume(self, member: int = 0) -> int:
        try:
            return self.loop.run_until_complete(self.consumers[member].step())
        except (FeedUnavailableError, InboxUnavailableError):
            return 0

    def read_and_hang(self, member: int) -> None:
        with suppress(FeedUnavailableError):
            self.loop.run_until_complete(self.feeds[member].read())

    def heal(self) -> None:
        """Everything works again, and what is due is done."""
        self.disk.is_full = self.disk.hangs = self.inbox.is_down = False
        self.redis.down_calls = self.redis.loses_answers = 0
        self.finish_commits()
        for _ in range(3):
            self.calm(consuming=False)
            for member in (0, 1):
                self.start_consumer(member)
                until_done(partial(self.consume, member))


def until_done(work: Callable[[], object]) -> None:
    """It says so itself, in the end."""
    for _ in range(1_000):
        if not work():
            return
    raise AssertionError("it never ends")
