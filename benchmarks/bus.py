"""The event bus: outbox on this machine's disk (WAL, synchronous=FULL), a real redis-server (appendfsync everysec), a consumer process.

Every figure stands beside its bare baseline, measured in the same run with events of the same size in batches of the same size: SQLite and
XADD one after the other, without outbox, numbers, idempotence or recovery; redis-py on both ends of a stream, without durability at the
publisher or marks at the consumer.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import redis
import redis.asyncio as aioredis
from tests.redis_server import RedisServer

from benchmarks.figures import Row, microseconds, milliseconds, percentile
from quantum_api.bus_envelope import EventClass
from quantum_engine import logs
from quantum_engine.adapters.redis_streams import RedisStreams
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.bus.ports import Answer
from quantum_engine.bus.service import Bus
from quantum_engine.bus.spool import Bounds
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.journal import Publish
from quantum_engine.permission import Permission
from quantum_engine.waiting import happens

SOURCE = "bench/engine-0"
BATCH = 50
SUSTAINED = 32_000
ROUNDS = 4
PUBLISHERS = 8
SINGLES = 400
SPOOLED = 10_000
PACED = 3_000
BARE_EVENT = b"x" * 100
READER = Path(__file__).with_name("bus_reader.py")


class Link(RedisStreams):
    """Tells when an answer came."""

    def __init__(self, url: str) -> None:
        super().__init__(url, SOURCE)
        self.answered = asyncio.Event()

    async def add(self, *arguments: Any) -> Answer:
        answer = await super().add(*arguments)
        self.answered.set()
        return answer


async def measure() -> list[Row]:
    logs.configure("critical", engine="bench", instance="bench")
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        rows = []
        for part in (sustained, single, drained, end_to_end):
            server = RedisServer(folder / part.__name__)
            server.start()
            try:
                rows += await part(server.folder, server.url)
            finally:
                server.kill()
        return rows


@asynccontextmanager
async def bus_on(folder: Path, url: str, *, sends: bool = True) -> AsyncIterator[tuple[Bus, Link]]:
    disk, link = SqliteJournal(folder / "journal.db"), Link(url)
    await disk.open()
    bus = Bus(SOURCE, disk, link, SystemClock(), random_id, Bounds())
    await bus.restore()
    running_ = asyncio.create_task(bus.run(bus.journal, Permission())) if sends else None
    try:
        yield bus, link
    finally:
        if running_:
            running_.cancel()
            await asyncio.gather(running_, return_exceptions=True)
        await bus.close(bus.journal)
        await disk.close()


def event(number: int = 0) -> Publish:
    """About a hundred bytes in the stream, without its letterhead."""
    return Publish(EventClass.ORDER, "bench.event", {"n": number, "t": time.monotonic_ns()})


async def until_sent(bus: Bus, link: Link) -> None:
    while bus.state.waiting or bus.state.problem:
        link.answered.clear()
        await happens(link.answered, 0.01)


async def sustained(folder: Path, url: str) -> list[Row]:
    """Eight publishers, fifty events a commit, until Redis has confirmed the last; in turns with the bare pair."""
    ours, bare = 0.0, 0.0
    async with bus_on(folder, url) as (bus, link):
        await until_sent(bus, link)

        async def publish() -> None:
            for _ in range(SUSTAINED // ROUNDS // PUBLISHERS // BATCH):
                await bus.journal.commit(*(event() for _ in range(BATCH)))

        with bare_pair(folder, url) as pair:
            for _ in range(ROUNDS):
                began = time.perf_counter()
                await asyncio.gather(*(publish() for _ in range(PUBLISHERS)))
                await until_sent(bus, link)
                ours += time.perf_counter() - began
                bare += sum(pair(BATCH) for _ in range(SUSTAINED // ROUNDS // BATCH))
    rate, bare_rate = SUSTAINED / ours, SUSTAINED / bare
    share = rate / bare_rate
    return [
        Row(f"bus sustained, {BATCH} a commit, of the bare pair", f"{share:.0%} of {bare_rate:,.0f}/s", ">= 50 %", share >= 0.5),
        Row(f"bus sustained, {BATCH} a commit", f"{rate:,.0f}/s", ">= 20 000/s", rate >= 20_000),
    ]


async def single(folder: Path, url: str) -> list[Row]:
    """One critical event: on disk and confirmed by Redis; in turns with the bare pair."""
    ours, bare = [], []
    async with bus_on(folder, url) as (bus, link):
        await until_sent(bus, link)
        with bare_pair(folder, url) as pair:
            for number in range(SINGLES):
                link.answered.clear()
                began = time.perf_counter()
                await bus.journal.commit(event(number))
                await link.answered.wait()
                ours.append(time.perf_counter() - began)
                bare.append(pair(1))
    p50, bare_p50 = percentile(ours, 0.5), percentile(bare, 0.5)
    value = f"{microseconds(p50)} = {p50 / bare_p50:.2f} x {microseconds(bare_p50)}"
    return [Row("one critical event on disk and in Redis, p50", value, "<= 1.5 x the bare pair", p50 <= 1.5 * bare_p50)]


async def drained(folder: Path, url: str) -> list[Row]:
    """A fresh process finds them on its disk and Redis up."""
    async with bus_on(folder, url, sends=False) as (bus, _):
        for _ in range(SPOOLED // BATCH):
            await bus.journal.commit(*(event() for _ in range(BATCH)))
    began = time.perf_counter()
    async with bus_on(folder, url) as (bus, link):
        await until_sent(bus, link)
        seconds = time.perf_counter() - began
    client = redis.Redis.from_url(url)
    began = time.perf_counter()
    with sqlite3.connect(folder / "journal.db") as connection:
        found = connection.execute("SELECT value FROM rows WHERE room = 'outbox' ORDER BY key").fetchall()
    pipe = client.pipeline(transaction=False)
    for (value,) in found:
        pipe.xadd("bare", {"e": value})
    pipe.execute()
    bare = time.perf_counter() - began
    value = f"{milliseconds(seconds)} = {seconds / bare:.2f} x the bare read and XADD"
    return [Row(f"{SPOOLED} spooled events drained, open and restore included", value, "<= 1 s", seconds <= 1.0)]


async def end_to_end(folder: Path, url: str) -> list[Row]:
    """At 1 000/s, one event a commit: publish called -> applied in a consumer process."""
    ours, bare = folder / "ours.json", folder / "bare.json"
    async with bus_on(folder, url) as (bus, link):
        await until_sent(bus, link)
        async with reader("bus", url, ours):
            await paced(lambda: bus.journal.commit(event()))
    async with aioredis.from_url(url) as client, reader("bare", url, bare):
        await paced(lambda: client.xadd("bare", {"t": time.monotonic_ns(), "x": BARE_EVENT}))
    lags, bare_lags = (sorted(json.loads(path.read_text())) for path in (ours, bare))
    p50, bare_p50 = percentile(lags, 0.5) / 1e9, percentile(bare_lags, 0.5) / 1e9
    p99, bare_p99 = percentile(lags, 0.99) / 1e9, percentile(bare_lags, 0.99) / 1e9
    return [
        Row(
            "publisher -> consumer process, durable, p50", f"{microseconds(p50)} = {p50 / bare_p50:.2f} x {microseconds(bare_p50)}",
            "<= 2 x redis-py", p50 <= 2 * bare_p50,
        ),
        Row("lag at 1 000/s, p99", f"{milliseconds(p99)} (redis-py {milliseconds(bare_p99)})", "<= 20 ms", p99 <= 20e-3),
    ]  # fmt: skip


async def paced(say: Callable[[], Awaitable[Any]]) -> None:
    """One each millisecond, however long each takes."""
    loop = asyncio.get_running_loop()
    began, open_ = loop.time(), set()
    for number in range(PACED):
        await asyncio.sleep(max(0.0, began + number * 0.001 - loop.time()))
        task = asyncio.ensure_future(say())
        open_.add(task)
        task.add_done_callback(open_.discard)
    await asyncio.gather(*open_)


@asynccontextmanager
async def reader(kind: str, url: str, file: Path) -> AsyncIterator[None]:
    """The process says when it reads; it ends by itself when it has everything."""
    process = subprocess.Popen(  # noqa: ASYNC220  before anything is timed
        [sys.executable, str(READER), kind, url, str(file), str(PACED)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        await asyncio.to_thread(process.stdout.readline)
        yield
        await asyncio.to_thread(process.wait, 60)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def bare_pair(folder: Path, url: str) -> Iterator[Callable[[int], float]]:
    """Seconds of one batch: one SQLite transaction, then one round trip of pipelined XADD."""
    connection, client = sqlite3.connect(folder / "bare.db", isolation_level=None), redis.Redis.from_url(url)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE outbox (number INTEGER PRIMARY KEY, value BLOB)")

    def batch(size: int) -> float:
        began = time.perf_counter()
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO outbox (value) VALUES (?)", [(BARE_EVENT,)] * size)
        connection.execute("COMMIT")
        pipe = client.pipeline(transaction=False)
        for _ in range(size):
            pipe.xadd("bare", {"e": BARE_EVENT})
        pipe.execute()
        return time.perf_counter() - began

    yield batch
    connection.close()
    client.close()
