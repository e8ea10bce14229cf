"""The copy of what a replacement needs, in Redis: the newest document (written by the operator), latches and peak (written here).

In    the latches and the peak as they are now
Out   Redis follows them as soon as it can; what it remembered is handed back once, at the first contact
Flow  emergency, risk -> HERE -> Redis; Redis -> policy (document), emergency (union of latches), risk (peak)
Why   Redis may be away at any time: what is wanted is kept in memory and written level-triggered, so an outage needs no special path
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from quantum_api import names
from quantum_api.policy_document import MAX_BYTES
from quantum_engine import metrics
from quantum_engine.errors import RetryableError
from quantum_engine.logs import logger
from quantum_engine.waiting import happens

_TIMEOUT_SECONDS: Final = 0.5
_RETRY_SECONDS: Final = 0.5
_CHECK_SECONDS: Final = 5.0
_log = logger("mirror")


class RedisUnreachableError(RetryableError):
    """Redis did not answer."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What Redis knew at the first contact of this process."""

    latches: Mapping[str, bytes]
    peak: bytes | None


class RedisMirror:
    """Implements policy.ports.Mirror and risk.ports.PeakMirror."""

    def __init__(self, url: str, engine: str, latches: Callable[[], Mapping[str, bytes]]) -> None:
        self._redis: Any = aioredis.from_url(
            url, socket_timeout=None, socket_connect_timeout=_TIMEOUT_SECONDS, decode_responses=False, max_connections=4
        )
        self._engine = engine
        self._latches = latches
        self._peak: bytes | None = None
        self._written: tuple[Mapping[str, bytes], bytes | None] | None = None
        self._wanted = asyncio.Event()
        self.met = False
        """Whether what Redis remembered was taken over; before that nothing is written to it."""
        self.up = False
        self.problem = "not asked yet"

    def keep_peak(self, row: bytes) -> None:
        self._peak = row
        self._wanted.set()

    def keep_latches(self) -> None:
        """The latches changed."""
        self._wanted.set()

    async def document(self) -> bytes | None:
        """The newest document that the operator left for this engine; of one too large to be ours no more than shows that."""
        token: bytes | None = await self._ask(self._redis.getrange(names.document_key(self._engine), 0, MAX_BYTES))
        return token or None

    async def remembered(self) -> Remembered:
        """What a process before this one left."""
        latches = await self._ask(self._redis.hgetall(names.latches_key(self._engine)))
        peak = await self._ask(self._redis.get(names.peak_key(self._engine)))
        return Remembered({key.decode(errors="replace"): value for key, value in latches.items()}, peak)

    async def run(self, take: Callable[[Remembered], None]) -> None:
        """Hand over what was remembered, once; from then on keep Redis in step."""
        while True:
            try:
                if not self.met:
                    take(await self.remembered())
                    self.met = True
                await self._write()
                seconds = _CHECK_SECONDS
            except RedisUnreachableError:
                self._written = None
                seconds = _RETRY_SECONDS
            await self._wait(seconds)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _wait(self, seconds: float) -> None:
        if self.up:
            if not await happens(self._wanted, seconds):
                self._written = None
        else:
            await asyncio.sleep(seconds)
        self._wanted.clear()

    async def _write(self) -> None:
        """Latches as a whole, so that what a crashed write left behind is put right; repeated now and then, for a Redis that forgot."""
        latches, peak = dict(self._latches()), self._peak
        if self._written == (latches, peak):
            return
        key = names.latches_key(self._engine)
        pipe = self._redis.pipeline(transaction=True)
        pipe.delete(key)
        if latches:
            pipe.hset(key, mapping=latches)
        if peak is not None:
            pipe.set(names.peak_key(self._engine), peak)
        await self._ask(pipe.execute())
        self._written = (latches, peak)

    async def _ask(self, question: Any) -> Any:
        """The time is ours: redis-py keeps it with `wait_for`, which loses a cancellation (quantum_engine.waiting)."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                answer = await question
        except (RedisError, OSError, TimeoutError) as error:
            self._note(f"{type(error).__name__}: {error}")
            raise RedisUnreachableError(f"Redis does not answer: {error}") from error
        self._note("")
        return answer

    def _note(self, problem: str) -> None:
        was, self.up, self.problem = self.up, not problem, problem
        metrics.DEPENDENCY_UP.labels("redis").set(self.up)
        if was != self.up:
            _log.info("redis_up") if self.up else _log.warning("redis_down", error=problem)
