"""Keeps the newest signed document of every engine in Redis, best effort.

In    documents as they are issued
Out   one Redis string per engine, guarded so that a lagging operator cannot put an older view over a newer one
Flow  reconciler -> HERE -> Redis -> replacement engine while the operator is down
Why   never in the way of a push: only the newest per engine is kept here, and an outage costs a rewrite of all of them
"""

import asyncio
from typing import Any, Final, Protocol

import redis.asyncio as redis
from redis.exceptions import RedisError

from quantum_api import names
from quantum_api.policy_document import PolicyDocument, Seen
from quantum_operator import metrics
from quantum_operator.logs import logger

_KEEP_SECONDS: Final = 30 * 86_400
_FIRST_DELAY_SECONDS: Final = 0.1
_LAST_DELAY_SECONDS: Final = 5.0
_BATCH: Final = 200
_log = logger("mirror")

# Writes the document and its vector unless a component of the vector that is there would go back.
_GUARDED_SET: Final = """
local old = redis.call('GET', KEYS[2])
if old and redis.call('EXISTS', KEYS[1]) == 1 then
  local i = 0
  for part in string.gmatch(old, '%d+') do
    i = i + 1
    if tonumber(ARGV[1 + i]) < tonumber(part) then return 0 end
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[6])
redis.call('SET', KEYS[2], table.concat({ARGV[2], ARGV[3], ARGV[4], ARGV[5]}, ' '), 'EX', ARGV[6])
return 1
"""


class Mirror(Protocol):
    """Where issued documents are copied to."""

    def put(self, document: PolicyDocument, token: bytes) -> None: ...
    def forget(self, engine: str) -> None: ...


class NoMirror:
    """No Redis is configured."""

    def put(self, document: PolicyDocument, token: bytes) -> None:
        """Nothing to copy to."""

    def forget(self, engine: str) -> None:
        """Nothing was copied."""


class RedisMirror:
    """One background task."""

    def __init__(self, url: str) -> None:
        self._redis: Any = redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0)
        self._set = self._redis.register_script(_GUARDED_SET)
        self._newest: dict[str, tuple[Seen, bytes]] = {}
        self._dirty: set[str] = set()
        self._work = asyncio.Event()

    def put(self, document: PolicyDocument, token: bytes) -> None:
        self._newest[document.engine] = (document.seen, token)
        self._dirty.add(document.engine)
        self._work.set()

    def forget(self, engine: str) -> None:
        """The pod is gone for now; its copy stays for the one that replaces it."""
        self._newest.pop(engine, None)
        self._dirty.discard(engine)

    async def run(self) -> None:
        delay = _FIRST_DELAY_SECONDS
        try:
            while True:
                await self._work.wait()
                try:
                    await self._write_some()
                except (RedisError, OSError, TimeoutError) as error:
                    self._lost(error)
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, _LAST_DELAY_SECONDS)
                else:
                    delay = _FIRST_DELAY_SECONDS
        finally:
            await self._redis.aclose()

    async def _write_some(self) -> None:
        engines = [engine for engine, _ in zip(list(self._dirty), range(_BATCH), strict=False)]
        for engine in engines:
            seen, token = self._newest.get(engine, (Seen(), b""))
            if not token:
                self._dirty.discard(engine)
                continue
            vector = (seen.trading_policies, seen.strategy_modes, seen.emergency_stops, seen.engine)
            key = names.document_key(engine)
            taken = await self._set(keys=[key, f"{key}:seen"], args=[token, *vector, _KEEP_SECONDS])
            metrics.MIRROR_WRITES.labels("written" if taken else "behind").inc()
            if self._newest.get(engine, (None, b""))[1] == token:
                self._dirty.discard(engine)
        metrics.MIRROR_UP.set(1)
        if not self._dirty:
            self._work.clear()

    def _lost(self, error: Exception) -> None:
        """A Redis that comes back may have forgotten everything: write all of it again."""
        metrics.MIRROR_UP.set(0)
        metrics.MIRROR_WRITES.labels("failed").inc()
        _log.warning("mirror_unreachable", error=str(error))
        self._dirty = set(self._newest)
