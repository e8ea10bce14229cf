"""The streams of Redis in memory: the sender's link and the consumer's feed on one store, with what Redis can do to them."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from quantum_api.bus_envelope import BadEnvelopeError, opened
from quantum_bus.ports import Entry, FeedUnavailableError
from quantum_engine.bus.ports import Answer, Tended
from quantum_engine.errors import RetryableError


class DownError(RetryableError):
    """It did not answer."""


@dataclass
class Group:
    delivered: int = 0
    pending: dict[int, list[int | str]] = field(default_factory=dict)
    """Entry -> [deliveries, member]."""


@dataclass
class Memory:
    """What a dump would hold."""

    exists: bool = False
    entries: dict[int, bytes] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)


class FakeRedis:
    """One engine's stream."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.on_disk = Memory()
        self.down_calls = 0
        """So many calls are not done."""
        self.loses_answers = 0
        """So many calls are done, and nobody hears."""
        self.dead: list[tuple[str, bytes, str]] = []
        self._clock = 0

    def sync(self) -> None:
        """What is in memory survives a crash."""
        self.on_disk = deepcopy(self.memory)

    def crash(self) -> None:
        """And it is back, with what was synced."""
        self.memory = deepcopy(self.on_disk)

    def wipe(self) -> None:
        self.memory, self.on_disk = Memory(), Memory()

    def next_id(self) -> int:
        self._clock += 1
        return self._clock

    def answer(self, error: type[Exception]) -> None:
        """Called when the work is done: is it heard?"""
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise error("the answer was lost")

    def refuse_if_down(self, error: type[Exception]) -> None:
        if self.down_calls > 0:
            self.down_calls -= 1
            raise error("down")


class FakeLink:
    """Implements quantum_engine.bus.ports.Link."""

    def __init__(self, redis: FakeRedis) -> None:
        self._redis = redis

    async def add(self, epoch: str, confirmed: int, entries: Sequence[tuple[int, bytes]]) -> Answer:
        self._redis.refuse_if_down(DownError)
        memory = self._redis.memory
        last = memory.sent.get(epoch, -1)
        last = -1 if last > 0 and not memory.exists else last
        if last < confirmed:
            self._redis.answer(DownError)
            return Answer(accepted=False, through=last)
        memory.sent[epoch] = last = max(0, last)
        for number, entry in entries:
            if number > last:
                memory.exists = True
                memory.entries[self._redis.next_id()] = entry
                memory.sent[epoch] = last = number
        self._redis.answer(DownError)
        return Answer(accepted=True, through=last)

    async def tend(self, epoch: str, confirmed: int) -> Tended | None:
        self._redis.refuse_if_down(DownError)
        memory = self._redis.memory
        through = memory.sent.get(epoch, -1) if memory.exists else -1
        if through < confirmed:
            return None
        floors = [min(group.pending, default=group.delivered + 1) for group in memory.groups.values()]
        if floors:
            memory.entries = {number: entry for number, entry in memory.entries.items() if number >= min(floors)}
        oldest = next(iter(memory.entries.values()), None) if floors else None
        acknowledged = through if oldest is None else _below(epoch, oldest)
        return Tended(frozenset(memory.groups), acknowledged, len(memory.entries))

    async def enlist(self) -> None:
        self._redis.refuse_if_down(DownError)

    async def create_groups(self, groups: Iterable[str]) -> None:
        self._redis.refuse_if_down(DownError)
        for group in groups:
            self._redis.memory.exists = True
            self._redis.memory.groups.setdefault(group, Group())

    async def close(self) -> None:
        """Nothing is open."""


def _below(epoch: str, entry: bytes) -> int:
    try:
        envelope = opened(entry)
    except BadEnvelopeError:
        return 0
    return envelope.covers_from - 1 if envelope.epoch == epoch else 0


class FakeFeed:
    """Implements quantum_bus.ports.Feed for one source."""

    def __init__(self, redis: FakeRedis, source: str, group: str, member: str, count: int = 1_000) -> None:
        self._redis, self._source, self._group, self._member, self._count = redis, source, group, member, count
        self._is_caught_up = False

    async def read(self) -> list[Entry]:
        self._redis.refuse_if_down(FeedUnavailableError)
        memory = self._redis.memory
        memory.exists = True
        group = memory.groups.setdefault(self._group, Group())
        if not self._is_caught_up:
            mine = sorted(number for number, (_, member) in group.pending.items() if member == self._member)[: self._count]
            self._is_caught_up = not mine
            if mine:
                return self._delivered(group, mine)
        fresh = sorted(number for number in memory.entries if number > group.delivered)[: self._count]
        group.delivered = max([group.delivered, *fresh])
        return self._delivered(group, fresh)

    def claim_all(self) -> list[Entry]:
        """What others hold, as if it had been idle long enough."""
        self._redis.refuse_if_down(FeedUnavailableError)
        group = self._redis.memory.groups.setdefault(self._group, Group())
        return self._delivered(group, sorted(n for n, (_, member) in group.pending.items() if member != self._member))

    async def page(self, source: str, after: str, before: str, count: int) -> list[Entry]:
        self._redis.refuse_if_down(FeedUnavailableError)
        wanted = [n for n in sorted(self._redis.memory.entries) if int(after or 0) < n < int(before)][:count]
        return [Entry(source, str(n), self._redis.memory.entries[n]) for n in wanted]

    async def acknowledge(self, source: str, ids: Sequence[str]) -> None:
        self._redis.refuse_if_down(FeedUnavailableError)
        group = self._redis.memory.groups.get(self._group, Group())
        for entry_id in ids:
            group.pending.pop(int(entry_id), None)
        self._redis.answer(FeedUnavailableError)

    async def bury(self, entry: Entry, reason: str) -> None:
        self._redis.refuse_if_down(FeedUnavailableError)
        self._redis.dead.append((self._group, entry.data, reason))
        self._redis.memory.groups.get(self._group, Group()).pending.pop(int(entry.id), None)

    def _delivered(self, group: Group, numbers: list[int]) -> list[Entry]:
        entries = []
        for number in numbers:
            times = int(group.pending.get(number, [0])[0]) + 1
            group.pending[number] = [times, self._member]
            data = self._redis.memory.entries.get(number)
            if data is None:
                group.pending.pop(number)
            else:
                entries.append(Entry(self._source, str(number), data, times))
        return entries
