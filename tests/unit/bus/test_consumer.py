"""What one bad event, or a bad moment, does to its consumer: it is named, buried, and the rest goes on in order."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.contract.bus.fake_redis import FakeFeed, FakeLink, FakeRedis

from quantum_api.bus_envelope import Envelope, EventClass, letterhead, on_the_wire, opened, stored
from quantum_bus.consumer import MOST_DELIVERIES, Consumer
from quantum_bus.marks import Gap, Notice
from quantum_bus.ports import Entry, InboxUnavailableError, MarksMovedError

SOURCE = "trading/engine-0"
pytestmark = pytest.mark.looptime


class WaitingFeed(FakeFeed):
    """As the real one: it waits when there is nothing."""

    async def read(self) -> list[Entry]:
        entries = await super().read()
        if not entries:
            await asyncio.sleep(1)
        return entries


class Inbox:
    def __init__(self) -> None:
        self.applied: list[int] = []
        self.batches: list[int] = []
        self.row: bytes | None = None
        self.poison: set[int] = set()
        self.down_times = 0
        self.moved_once = False

    async def mark(self, source: str) -> bytes | None:
        return self.row

    async def apply(self, source: str, events: Sequence[Envelope], before: bytes | None, after: bytes) -> None:
        if self.down_times:
            self.down_times -= 1
            raise InboxUnavailableError("full")
        if self.moved_once:
            self.moved_once = False
            raise MarksMovedError(source)
        assert before == self.row
        if self.poison & {event.sequence for event in events}:
            raise ValueError("poison")
        self.applied += [event.sequence for event in events]
        self.batches.append(len(events))
        self.row = after


@pytest.fixture
def redis() -> FakeRedis:
    return FakeRedis()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def notices() -> list[Notice]:
    return []


@pytest.fixture
def consumer(redis: FakeRedis, inbox: Inbox, notices: list[Notice]) -> Consumer:
    return Consumer(WaitingFeed(redis, SOURCE, "g", "m"), inbox, lambda _, notice: notices.append(notice))


async def told(redis: FakeRedis, *numbers: int) -> None:
    head = letterhead(SOURCE, "e")
    entries = [(n, on_the_wire(head, stored(n, "test.event", EventClass.ORDER, 0, {}))) for n in numbers]
    await FakeLink(redis).add("e", -1, entries)


def buried(redis: FakeRedis) -> list[tuple[int, str]]:
    return [(opened(data).sequence, reason) for _, data, reason in redis.dead]


async def test_a_batch_is_one_transaction(redis: FakeRedis, inbox: Inbox, consumer: Consumer) -> None:
    await told(redis, 1, 2, 3)
    await consumer.step()
    assert (inbox.applied, inbox.batches) == ([1, 2, 3], [3])


async def test_poison_is_buried_after_five_tries_and_the_rest_is_applied_around_it(
    redis: FakeRedis, inbox: Inbox, consumer: Consumer, notices: list[Notice]
) -> None:
    inbox.poison = {2}
    await told(redis, 1, 2, 3)
    await consumer.step()
    assert inbox.applied == [1, 3]
    assert buried(redis) == [(2, "failed 5 times, last with ValueError('poison')")]
    await told(redis, 4)
    await consumer.step()
    assert (inbox.applied, notices) == ([1, 3, 4], [])


async def test_an_inbox_that_is_away_buries_nothing(redis: FakeRedis, inbox: Inbox, consumer: Consumer) -> None:
    inbox.down_times = 50
    await told(redis, 1)
    running = asyncio.create_task(consumer.run())
    await asyncio.sleep(60)
    assert consumer.problem == "full"
    await asyncio.sleep(100)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (inbox.applied, redis.dead, consumer.problem) == ([1], [], "")


async def test_an_event_that_kills_its_consumer_each_time_is_buried_and_not_those_behind_it(
    redis: FakeRedis, inbox: Inbox, consumer: Consumer
) -> None:
    """Those behind were delivered as often as the killer, and are innocent."""
    await told(redis, 1, 2, 3)
    for _ in range(MOST_DELIVERIES):
        await FakeFeed(redis, SOURCE, "g", "m").read()
    await consumer.step()
    assert [number for number, _ in buried(redis)] == [1]
    assert "times without an answer" in buried(redis)[0][1]
    assert inbox.applied == [2, 3]


async def test_marks_that_another_member_moved_are_read_again(redis: FakeRedis, inbox: Inbox, consumer: Consumer) -> None:
    inbox.moved_once = True
    await told(redis, 1, 2)
    await consumer.step()
    assert inbox.applied == [1, 2]


async def test_a_number_that_is_nowhere_is_told_as_a_gap_once_what_follows_is_applied(
    redis: FakeRedis, inbox: Inbox, consumer: Consumer, notices: list[Notice]
) -> None:
    await told(redis, 1)
    await consumer.step()
    await told(redis, 4)
    inbox.down_times = 1
    with pytest.raises(InboxUnavailableError):
        await consumer.step()
    assert notices == []
    await consumer.step()
    assert (inbox.applied, notices) == ([1, 4], [Gap("e", 2, 3)])


async def test_nothing_is_acknowledged_that_was_not_stored(redis: FakeRedis, inbox: Inbox, consumer: Consumer) -> None:
    inbox.down_times = 1
    await told(redis, 1)
    with pytest.raises(InboxUnavailableError):
        await consumer.step()
    assert len(redis.memory.groups["g"].pending) == 1
    await consumer.step()
    assert redis.memory.groups["g"].pending == {}
