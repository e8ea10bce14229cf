"""An hour without Redis, on virtual time: the running bus waits without haste, then tells everything in order."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.contract.bus.fake_redis import FakeLink, FakeRedis
from tests.laws.bus.world import FakeDisk

from quantum_api.bus_envelope import EventClass, opened
from quantum_api.gate import Gate
from quantum_engine.bus.service import Bus
from quantum_engine.bus.spool import Bounds
from quantum_engine.journal import Publish
from quantum_engine.permission import Permission

SOURCE = "trading/engine-0"
FOR_EVER = 10**9


@dataclass
class LoopClock:
    """The event loop's own time, which looptime turns."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> int:
        return 1_800_000_000_000 + round(self.monotonic() * 1000)


class CountingLink(FakeLink):
    """How often Redis was asked."""

    asked = 0

    async def add(self, *arguments: Any) -> Any:
        self.asked += 1
        return await super().add(*arguments)


@dataclass
class Running:
    """A bus as the node runs it."""

    redis: FakeRedis = field(default_factory=FakeRedis)
    permission: Permission = field(default_factory=Permission)

    async def start(self, bounds: Bounds) -> None:
        self.link = CountingLink(self.redis)
        self.bus = Bus(SOURCE, FakeDisk(asyncio.get_running_loop()), self.link, LoopClock(), lambda: "e", bounds)
        await self.bus.restore()
        self.task = asyncio.create_task(self.bus.run(self.bus.journal, self.permission))

    async def publish(self, count: int, event_class: EventClass = EventClass.FILL) -> None:
        await self.bus.journal.commit(*(Publish(event_class, "test.event", {}) for _ in range(count)))

    def told(self) -> list[int]:
        return [opened(entry).sequence for entry in self.redis.memory.entries.values()]

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def gate(self) -> Gate | None:
        return next((r.gate for r in self.permission.restrictions if r.source == "bus"), None)


pytestmark = pytest.mark.looptime


async def test_after_an_hour_everything_is_told_in_order_within_seconds() -> None:
    running = Running()
    await running.start(Bounds())
    running.redis.down_calls = FOR_EVER
    for _ in range(3_600):
        await running.publish(1)
        await asyncio.sleep(1)
    assert running.told() == []
    assert running.bus.state.waiting == 3_600
    assert 3_590_000 <= running.bus.state.oldest_ms <= 3_602_000
    assert running.link.asked < 2_000
    running.redis.down_calls = 0
    await asyncio.sleep(3)
    assert running.told() == list(range(1, 3_601))
    assert (running.bus.state.waiting, running.bus.state.problem) == (0, "")
    await running.stop()


async def test_an_idle_bus_notices_within_seconds_that_redis_forgot() -> None:
    """Nobody publishes: it asks by itself, and what was told is told again."""
    running = Running()
    await running.start(Bounds())
    await running.publish(5)
    await asyncio.sleep(1)
    running.redis.wipe()
    await asyncio.sleep(6)
    assert running.told() == [1, 2, 3, 4, 5]
    await running.stop()


async def test_the_gate_closes_while_the_spool_is_full_and_opens_by_itself() -> None:
    running = Running()
    await running.start(Bounds(most_rows=1_200))
    running.redis.down_calls = FOR_EVER
    await running.publish(1_300)
    await asyncio.sleep(2)
    assert running.gate() is Gate.REDUCE_ONLY
    running.redis.down_calls = 0
    await asyncio.sleep(20)
    assert running.gate() is None
    assert running.told() == list(range(1, 1_301))
    await running.stop()


async def test_what_is_said_while_the_disk_is_full_is_written_in_order_when_there_is_room() -> None:
    running = Running()
    await running.start(Bounds())
    disk: Any = running.bus._disk
    disk.is_full = True
    for number in range(300):
        running.bus.say(Publish(EventClass.FILL, "test.event", {"n": number}))
    await asyncio.sleep(2)
    assert running.told() == []
    disk.is_full = False
    await asyncio.sleep(2)
    told = [opened(entry).payload["n"] for entry in running.redis.memory.entries.values()]
    assert told == list(range(300))
    await running.stop()


async def test_what_was_said_last_is_written_before_the_end() -> None:
    running = Running()
    await running.start(Bounds())
    await running.stop()
    running.bus.say(Publish(EventClass.FILL, "test.event", {}))
    await running.bus.close(running.bus.journal)
    await asyncio.sleep(0)
    assert running.bus.state.waiting == 1
