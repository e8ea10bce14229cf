"""The streams of some engines, read as a member of a consumer group.

In    a Redis, a group and the name of this member (stable over restarts: a StatefulSet's ordinal)
Out   entries: what this member left unacknowledged, what another abandoned, what is new
Flow  Redis streams -> HERE -> consumer.py
Why   a group that Redis forgot is made again from the oldest entry: the marks, not Redis, know what was applied
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Final, TypeVar

import redis.asyncio as aioredis
from redis.exceptions import RedisError, ResponseError

from quantum_api import names
from quantum_api.bus_envelope import STREAM_FIELD
from quantum_bus.ports import Entry, FeedUnavailableError

_T = TypeVar("_T")
_TIMEOUT_SECONDS: Final = 3.0
_DISCOVER_SECONDS: Final = 5.0
_MOST_DEAD: Final = 100_000


class RedisFeed:
    """Implements quantum_bus.ports.Feed."""

    def __init__(
        self,
        url: str,
        group: str,
        member: str,
        sources: Sequence[str] | None = None,
        *,
        count: int = 1_000,
        block_ms: int = 1_000,
        abandoned_after_ms: int = 30_000,
    ) -> None:
        """``sources`` None = every engine there is.  ``block_ms``: longest wait of one ``read`` (must be below 3 000)."""
        self._redis: Any = aioredis.from_url(
            url, socket_timeout=None, socket_connect_timeout=_TIMEOUT_SECONDS, decode_responses=False, retry=None, protocol=2
        )
        self._group, self._member = group, member
        self._count, self._block_ms, self._abandoned_after_ms = count, block_ms, abandoned_after_ms
        self._follows_all = sources is None
        self._sources: dict[str, str] = {}
        self._follow(sources or ())
        self._joined: set[str] = set()
        self._is_caught_up = False
        self._claimed_at = self._discovered_at = float("-inf")

    async def read(self) -> list[Entry]:
        try:
            return await _translated(self._read())
        except _NoGroupError:
            self._joined.clear()
            self._is_caught_up = False
            return []

    async def page(self, source: str, after: str, before: str, count: int) -> list[Entry]:
        low = f"({after}" if after else "-"
        rows = await _translated(self._redis.execute_command("XRANGE", names.events_key(source), low, f"({before}", "COUNT", count))
        return self._entries(source, rows)

    async def acknowledge(self, source: str, ids: Sequence[str]) -> None:
        await _translated(self._redis.xack(names.events_key(source), self._group, *ids))

    async def bury(self, entry: Entry, reason: str) -> None:
        pipe = self._redis.pipeline(transaction=True)
        fields = {"e": entry.data, "reason": reason, "deliveries": entry.deliveries, "id": entry.id, "member": self._member}
        pipe.xadd(names.dead_letters_key(entry.source, self._group), fields, maxlen=_MOST_DEAD, approximate=True)
        pipe.xack(names.events_key(entry.source), self._group, entry.id)
        await _translated(pipe.execute())

    async def close(self) -> None:
        await self._redis.aclose()

    async def _read(self) -> list[Entry]:
        await self._discover()
        await self._join()
        if not self._sources:
            return []
        if not self._is_caught_up:
            left = await self._left_behind()
            self._is_caught_up = not left
            if left:
                return left
        return await self._abandoned() or await self._new()

    async def _discover(self) -> None:
        now = time.monotonic()
        if self._follows_all and now - self._discovered_at > _DISCOVER_SECONDS:
            self._follow(source.decode() for source in await self._redis.smembers(names.EVENT_SOURCES_KEY))
            self._discovered_at = now

    def _follow(self, sources: Iterable[str]) -> None:
        for source in sources:
            self._sources.setdefault(names.events_key(source), source)

    async def _join(self) -> None:
        for key in self._sources.keys() - self._joined:
            try:
                await self._redis.xgroup_create(key, self._group, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
            self._joined.add(key)

    async def _left_behind(self) -> list[Entry]:
        """Delivered to this member's earlier life, or read and not applied."""
        found = await self._group_read("0", block=False)
        return [entry for key, rows in found for entry in await self._counted(key, rows)]

    async def _abandoned(self) -> list[Entry]:
        now = time.monotonic()
        if (now - self._claimed_at) * 2_000 < self._abandoned_after_ms:
            return []
        self._claimed_at = now
        entries: list[Entry] = []
        for key in self._sources:
            claim = ("XAUTOCLAIM", key, self._group, self._member, self._abandoned_after_ms, "0", "COUNT", self._count)
            entries += await self._counted(key, (await self._command(*claim))[1])
        return entries

    async def _new(self) -> list[Entry]:
        found = await self._group_read(">", block=True)
        return [entry for key, rows in found for entry in self._entries(self._sources[key], rows)]

    async def _group_read(self, begin: str, *, block: bool) -> list[tuple[str, list[Any]]]:
        keys = list(self._sources)
        wait = ("BLOCK", self._block_ms) if block else ()
        command = ("XREADGROUP", "GROUP", self._group, self._member, "COUNT", self._count, *wait, "STREAMS", *keys, *[begin] * len(keys))
        answer = await self._command(*command)
        pairs = answer.items() if isinstance(answer, dict) else answer or []
        return [(key.decode(), rows) for key, rows in pairs]

    async def _counted(self, key: str, rows: list[Any]) -> list[Entry]:
        """With how often each was delivered; what somebody cut out of the stream is acknowledged, there is nothing left of it."""
        gone = [entry_id for entry_id, fields in rows if not fields]
        if gone:
            await self._redis.xack(key, self._group, *gone)
        entries = self._entries(self._sources[key], [row for row in rows if row[1]])
        if not entries:
            return []
        pending = await self._redis.xpending_range(key, self._group, entries[0].id, entries[-1].id, len(entries) * 2, self._member)
        times = {row["message_id"].decode(): row["times_delivered"] for row in pending}
        return [Entry(e.source, e.id, e.data, times.get(e.id, 1)) for e in entries]

    def _entries(self, source: str, rows: Iterable[Any]) -> list[Entry]:
        return [Entry(source, entry_id.decode(), _data(fields)) for entry_id, fields in rows if fields]

    async def _command(self, *words: Any) -> Any:
        try:
            return await self._redis.execute_command(*words)
        except ResponseError as error:
            if str(error).startswith("NOGROUP"):
                raise _NoGroupError from error
            raise


class _NoGroupError(Exception):
    """Redis forgot the group."""


def _data(fields: Any) -> bytes:
    """Parsed or flat, as the client's callbacks leave it; empty, and so unreadable, when there is no such field."""
    found = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    data: bytes = found.get(STREAM_FIELD, b"")
    return data


async def _translated(question: Awaitable[_T]) -> _T:
    """The time is ours: redis-py keeps it with `wait_for`, which in Python 3.11 loses a cancellation."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await question
    except (RedisError, OSError, TimeoutError) as error:
        raise FeedUnavailableError(f"Redis does not answer: {type(error).__name__}: {error}") from error
