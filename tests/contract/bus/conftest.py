"""The bus's two views of Redis twice: in memory, and a real redis-server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis.asyncio as aioredis
from tests.contract.bus.fake_redis import FakeFeed, FakeLink, FakeRedis
from tests.redis_server import RedisServer

from quantum_api import names
from quantum_bus.ports import Feed
from quantum_bus.redis_feed import RedisFeed
from quantum_engine.adapters.redis_streams import RedisStreams
from quantum_engine.bus.ports import Link

SOURCE = "trading/engine-0"


@dataclass
class Streams:
    """One engine's stream, from both ends."""

    link: Link
    feed: Callable[[str, str], Feed]
    wipe: Callable[[], Awaitable[object]]
    delete_stream: Callable[[], Awaitable[object]]


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(Path(tmp_path_factory.mktemp("redis")))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["in memory", "real"])
async def streams(request: pytest.FixtureRequest) -> AsyncIterator[Streams]:
    if request.param == "in memory":
        redis = FakeRedis()

        async def wipe() -> None:
            redis.wipe()

        yield Streams(FakeLink(redis), lambda group, member: FakeFeed(redis, SOURCE, group, member), wipe, wipe)
        return
    url = request.getfixturevalue("redis_server").url
    client, link, feeds = aioredis.from_url(url), RedisStreams(url, SOURCE), []
    await client.flushall()

    def feed(group: str, member: str) -> RedisFeed:
        feeds.append(RedisFeed(url, group, member, [SOURCE], block_ms=20, abandoned_after_ms=10**9))
        return feeds[-1]

    yield Streams(link, feed, client.flushall, lambda: client.delete(names.events_key(SOURCE)))
    for opened in (client, *feeds):
        await (opened.aclose() if isinstance(opened, aioredis.Redis) else opened.close())
    await link.close()
