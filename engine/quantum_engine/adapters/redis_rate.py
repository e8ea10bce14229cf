"""The weight that all engines behind one address share, counted in Redis.

In    a lane, a window and how much of it is wanted
Out   what is granted, or None: Redis cannot be asked
Flow  exchange client (guard) -> HERE -> Redis
Why   the venue counts per address, not per key: three engines that each keep to the whole limit are banned together

A key a lane and window; it dies with its window.  One script leases, so that no two engines can be granted the same room.
"""

import asyncio
from typing import Any, Final

import redis.asyncio as aioredis
from redis.exceptions import RedisError

from quantum_engine import metrics
from quantum_engine.exchanges.binance_futures.rate.room import Lane
from quantum_engine.logs import logger

ANSWER_SECONDS: Final = 0.1
"""A lease is asked for on the way of a request; a Redis that takes longer is taken for away."""
KEPT_SECONDS: Final = 180
"""Past a window of a minute and every doubt about the clock."""
LEASE: Final = """
local taken = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[2]))
local granted = math.max(math.min(tonumber(ARGV[1]), tonumber(ARGV[3]) - taken), 0)
redis.call('SET', KEYS[1], taken + granted, 'EX', ARGV[4])
return granted
"""
_log = logger("rate")


class RedisRate:
    """Implements exchanges.binance_futures.rate.room.SharedRoom."""

    def __init__(self, url: str, scope: str) -> None:
        """``scope``: who shares; engines behind different addresses, or at different venues, have different ones."""
        self._redis: Any = aioredis.from_url(
            url, socket_timeout=None, socket_connect_timeout=ANSWER_SECONDS, decode_responses=False, max_connections=2
        )
        self._lease = self._redis.register_script(LEASE)
        self._scope = scope

    async def lease(self, lane: Lane, window: int, wanted: int, used: int, room: int) -> int | None:
        key = f"quantum:rate:{self._scope}:{lane.value}:{window}"
        try:
            async with asyncio.timeout(2 * ANSWER_SECONDS):
                granted = int(await self._lease(keys=[key], args=[wanted, used, room, KEPT_SECONDS]))
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            metrics.RATE_SHARED.set(0)
            _log.warning("[BINANCE][RATE_LIMIT] shared count unreachable: our own share only", error=f"{type(error).__name__}: {error}")
            return None
        metrics.RATE_SHARED.set(1)
        return granted

    async def close(self) -> None:
        await self._redis.aclose()
