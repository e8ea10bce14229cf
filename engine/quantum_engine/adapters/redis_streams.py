"""The engine's event stream in Redis, as the bus sees it.

In    entries with their numbers, and what Redis is believed to hold
Out   entries appended once, in order; the stream cut off behind its slowest group
Flow  bus -> HERE -> Redis stream -> consumer groups (quantum_bus)
Why   the highest number of each epoch is recorded by the script that appends, so a batch whose answer was lost is sent again without harm,
      and a Redis that lost its memory, or the last second of it, is found out before anything is appended behind the hole

Redis must not evict (``maxmemory-policy noeviction``).  Needs Redis 6.2.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Final, TypeVar

import redis.asyncio as aioredis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from quantum_api import names
from quantum_api.bus_envelope import BadEnvelopeError, opened
from quantum_engine.adapters.redis_mirror import RedisUnreachableError
from quantum_engine.bus.ports import Answer, Tended

_T = TypeVar("_T")
_TIMEOUT_SECONDS: Final = 2.0
_BATCH_SECONDS: Final = 4.0
"""For a whole batch and its answers."""
_CHUNK: Final = 500
"""Entries of one script call: others get their turn at Redis between two of them."""
_UNREAD_KEPT: Final = 100_000
"""Entries of a stream that no group reads."""

# KEYS: stream, hash of highest numbers.  ARGV: epoch, confirmed (-1 = nothing is known), then number and entry in turns.
# Answers {accepted, highest number}; -1 = this Redis never heard of the epoch, or lost its stream.
APPEND: Final = """
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '-1')
if last > 0 and redis.call('EXISTS', KEYS[1]) == 0 then last = -1 end
if last < tonumber(ARGV[2]) then return {0, last} end
local before = last
if last < 0 then last = 0 end
for i = 3, #ARGV, 2 do
  local number = tonumber(ARGV[i])
  if number > last then
    redis.call('XADD', KEYS[1], '*', 'e', ARGV[i + 1])
    last = number
  end
end
if last ~= before then redis.call('HSET', KEYS[2], ARGV[1], string.format('%d', last)) end
return {1, last}
"""

# KEYS: the same.  ARGV: epoch, confirmed, entries kept when no group reads.  Answers {highest number, length, oldest entry left, group, …};
# cuts off what every group has acknowledged, in the moment in which it looks: a group cannot appear in between.
TEND: Final = """
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '-1')
if redis.call('EXISTS', KEYS[1]) == 0 then last = -1 end
local answer = {last, 0, ''}
if last < tonumber(ARGV[2]) then return answer end
local ms, number
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local is = {}
  for i = 1, #group, 2 do is[group[i]] = group[i + 1] end
  table.insert(answer, is['name'])
  local oldest = redis.call('XPENDING', KEYS[1], is['name'])[2]
  local a, b = string.match(oldest or is['last-delivered-id'], '(%d+)-(%d+)')
  a, b = tonumber(a), tonumber(b)
  if not oldest then b = b + 1 end
  if not ms or a < ms or (a == ms and b < number) then ms, number = a, b end
end
if ms then
  redis.call('XTRIM', KEYS[1], 'MINID', '=', string.format('%d-%d', ms, number))
else
  redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[3])
end
answer[2] = redis.call('XLEN', KEYS[1])
local left = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if ms and left and left[2][1] == 'e' then answer[3] = left[2][2] end
return answer
"""


class RedisStreams:
    """Implements bus.ports.Link."""

    def __init__(self, url: str, engine: str) -> None:
        self._redis: Any = aioredis.from_url(
            url,
            socket_timeout=None,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            decode_responses=False,
            retry=None,
            max_connections=4,
        )
        self._engine = engine
        self._keys = (names.events_key(engine), names.events_sent_key(engine))
        self._shas: dict[str, str] = {}

    async def add(self, epoch: str, confirmed: int, entries: Sequence[tuple[int, bytes]]) -> Answer:
        """One round trip.  Each chunk expects the one before it, so behind a refused chunk nothing is appended."""
        chunks = [entries[start : start + _CHUNK] for start in range(0, len(entries), _CHUNK)] or [entries]
        calls, expected = [], confirmed
        for chunk in chunks:
            calls.append([epoch, expected, *(field for entry in chunk for field in entry)])
            expected = chunk[-1][0] if chunk else expected
        answers = await _translated(self._run(APPEND, calls))
        refused = next((through for accepted, through in answers if not accepted), None)
        return Answer(accepted=refused is None, through=answers[-1][1] if refused is None else refused)

    async def tend(self, epoch: str, confirmed: int) -> Tended | None:
        [(through, length, oldest, *groups)] = await _translated(self._run(TEND, [[epoch, confirmed, _UNREAD_KEPT]]))
        if through < confirmed:
            return None
        acknowledged = _below(epoch, oldest) if oldest else through
        return Tended(frozenset(group.decode() for group in groups), acknowledged, length)

    async def enlist(self) -> None:
        await _translated(self._redis.sadd(names.EVENT_SOURCES_KEY, self._engine))

    async def create_groups(self, groups: Iterable[str]) -> None:
        for group in groups:
            await _translated(self._create_group(group))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _create_group(self, group: str) -> None:
        try:
            await self._redis.xgroup_create(self._keys[0], group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _run(self, script: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        """Every call in one round trip; a Redis that does not know the script is taught it first."""
        try:
            return await self._evaluate(self._shas.get(script, ""), calls)
        except NoScriptError:
            self._shas[script] = await self._redis.script_load(script)
            return await self._evaluate(self._shas[script], calls)

    async def _evaluate(self, sha: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        if not sha:
            raise NoScriptError
        if len(calls) == 1:
            return [await self._redis.evalsha(sha, 2, *self._keys, *calls[0])]
        pipe = self._redis.pipeline(transaction=False)
        for call in calls:
            pipe.evalsha(sha, 2, *self._keys, *call)
        answers: list[Any] = await pipe.execute()
        return answers


def _below(epoch: str, oldest: bytes) -> int:
    """The number before the oldest entry that is left; an entry of an older epoch, or of nobody, stands before all of ours."""
    try:
        envelope = opened(oldest)
    except BadEnvelopeError:
        return 0
    return envelope.covers_from - 1 if envelope.epoch == epoch else 0


async def _translated(question: Awaitable[_T]) -> _T:
    """The time is ours: redis-py keeps it with `wait_for`, which loses a cancellation (quantum_engine.waiting)."""
    try:
        async with asyncio.timeout(_BATCH_SECONDS):
            return await question
    except (RedisError, OSError, TimeoutError) as error:
        raise RedisUnreachableError(
            f"the event stream does not answer: {type(error).__name__}: {error}; is Redis up, and not full?"
        ) from error
