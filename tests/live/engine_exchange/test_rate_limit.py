"""Two engines behind one address, the venue's own count, and a Redis that dies between them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from tests.redis_server import RedisServer

from quantum_engine.adapters.redis_rate import RedisRate
from quantum_engine.clock import SystemClock
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.errors import EngineError, RetryableError, ThrottledError
from quantum_engine.exchanges.binance_futures import breaker
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.exchanges.port import StreamUp
from quantum_simulator.core.accounts import Account
from quantum_simulator.faults import Fault, FaultKind
from quantum_simulator.rest.limits import RateLimits
from quantum_simulator.venue import Venue, VenueOptions

LIMIT = 400
OPEN_TO_ENTRIES = 300
BUY = OrderIntent("i", "BTCUSDT", Side.BUY, Decimal("0.010"))


class CountedLimits(RateLimits):
    """The venue's own count, each window's highest."""

    def __init__(self, weight: int) -> None:
        super().__init__(weight, 300, 1_200)
        self.highest: dict[int, int] = defaultdict(int)

    def use_weight(self, ip: str, weight: int, now_ms: int) -> int:
        used = super().use_weight(ip, weight, now_ms)
        self.highest[now_ms // 60_000] = max(self.highest[now_ms // 60_000], used)
        return used


class Rig:
    """A venue with a narrow limit, and engines that share it."""

    def __init__(self, venue: Venue, limits: CountedLimits, redis: RedisServer) -> None:
        self.venue, self.limits, self.redis = venue, limits, redis
        self.clients: list[BinanceFutures] = []

    def client(self, name: str, scope: str = "egress", sharers: int | None = 3, *, is_shared: bool = True) -> BinanceFutures:
        clock = SystemClock()
        room = RedisRate(self.redis.url, scope) if is_shared else None
        endpoint = Endpoint(self.venue.base_url, self.venue.stream_url, answer_timeout_seconds=2.0)
        self.clients.append(BinanceFutures(endpoint, Credentials(f"key-{name}", f"secret-{name}"), clock, room, sharers))
        return self.clients[-1]

    async def pair(self, **more: object) -> tuple[BinanceFutures, BinanceFutures]:
        pair = self.client("alpha", **more), self.client("beta", **more)  # type: ignore[arg-type]
        for each in pair:
            await each.symbol_rules()
        return pair

    def most_in_a_window(self) -> int:
        return max(self.limits.highest.values())


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()


@pytest_asyncio.fixture
async def rig(redis_server: RedisServer) -> AsyncIterator[Rig]:
    accounts = [Account(name, f"key-{name}", f"secret-{name}", Decimal(10_000)) for name in ("alpha", "beta")]
    limits = CountedLimits(LIMIT)
    async with Venue(accounts, VenueOptions(limits=limits)) as venue:
        made = Rig(venue, limits, redis_server)
        yield made
        for client in made.clients:
            await client.close()


async def read_on(client: BinanceFutures, most: int = 1_000) -> ThrottledError | None:
    """Ask for the balance (5) until told to wait; None when that never came."""
    for _ in range(most):
        try:
            await client.account()
        except ThrottledError as error:
            return error
    return None


async def test_two_engines_behind_one_address_stay_together_within_the_limit_and_leave_exits_their_room(rig: Rig) -> None:
    pair = await rig.pair()
    refused = await asyncio.gather(*(read_on(each) for each in pair))
    assert all(each is not None and each.retry_after_seconds <= 61 for each in refused)
    assert OPEN_TO_ENTRIES - 20 <= rig.most_in_a_window() <= OPEN_TO_ENTRIES
    for _ in range(15):
        for each in pair:
            await each.cancel_all("BTCUSDT")
    assert rig.most_in_a_window() <= LIMIT


async def test_without_sharing_the_same_two_engines_are_throttled_by_the_venue(rig: Rig) -> None:
    """What the pool is for: each alone keeps to the limit, and believes the venue's count only after it has passed it."""
    pair = await rig.pair(sharers=None, is_shared=False)
    both = await asyncio.gather(*(each.account() for each in pair for _ in range(60)), return_exceptions=True)
    assert any(isinstance(each, ThrottledError) for each in both)
    assert sum(rig.limits.highest.values()) > OPEN_TO_ENTRIES


async def test_a_redis_that_dies_in_between_leaves_each_what_it_had_leased_or_its_part_and_never_more(rig: Rig) -> None:
    pair = await rig.pair()
    await asyncio.gather(*(read_on(each, 20) for each in pair))
    rig.redis.kill()
    assert all(await asyncio.gather(*(read_on(each) for each in pair)))
    assert rig.most_in_a_window() <= OPEN_TO_ENTRIES
    for each in pair:
        await each.cancel_all("BTCUSDT")


async def test_without_redis_each_keeps_to_its_part_of_the_limit_and_exits_go_through(rig: Rig) -> None:
    rig.redis.kill()
    pair = await rig.pair()
    for each in pair:
        refused = await read_on(each)
        assert refused is not None
        assert "of our share of 100" in str(refused) or "less what is reserved" in str(refused)
        await each.cancel_all("BTCUSDT")
    assert rig.most_in_a_window() <= 2 * OPEN_TO_ENTRIES // 3 + 10


async def test_an_engine_that_starts_into_a_busy_window_learns_the_venues_limits_and_what_the_dead_leased_is_little(rig: Rig) -> None:
    """Many processes that died one after the other right after their first look have not shut out the last."""
    for _ in range(36):
        dead = rig.client("alpha")
        await dead.symbol_rules()
        await dead.account()
    last = rig.client("beta")
    await last.symbol_rules()
    await last.positions(is_exit=False)


async def test_engines_of_different_scopes_do_not_share(rig: Rig) -> None:
    window, one, other = 7, RedisRate(rig.redis.url, "one"), RedisRate(rig.redis.url, "other")
    from quantum_engine.exchanges.binance_futures.rate.room import Lane

    try:
        assert await one.lease(Lane.ENTRY, window, 250, 0, 300) == 250
        assert await one.lease(Lane.ENTRY, window, 90, 0, 300) == 50
        assert await one.lease(Lane.ENTRY, window, 90, 0, 300) == 0
        assert await one.lease(Lane.EXIT, window, 90, 0, 100) == 90, "a lane of its own"
        assert await other.lease(Lane.ENTRY, window, 90, 280, 300) == 20, "what the venue has counted is gone"
        assert await one.lease(Lane.ENTRY, window + 1, 90, 0, 300) == 90
    finally:
        await one.close()
        await other.close()


async def test_an_entry_that_would_eat_into_the_reserve_is_not_sent_and_says_for_how_long(rig: Rig) -> None:
    client = rig.client("alpha", sharers=None)
    await client.symbol_rules()
    client.transport.guard.mirror.orders[0].roll(client.venue_ms())
    client.transport.guard.mirror.orders[0].used = 225
    before = len(rig.venue.order_log.entries())
    with pytest.raises(
        ThrottledError, match=r"\[BINANCE\]\[RATE_LIMIT\] POST /fapi/v1/order was not sent: orders per 10 s: 225 used of 225"
    ) as e:
        await client.place(BUY, "c")
    assert 0 < e.value.retry_after_seconds <= 10.5
    assert len(rig.venue.order_log.entries()) == before


async def test_during_a_ban_nothing_is_sent_and_after_it_one_request_asks_first(rig: Rig) -> None:
    """A client that asks on turns two minutes into three days."""
    client = rig.client("alpha", sharers=None)
    await client.symbol_rules()
    rig.venue.faults.order(Fault(FaultKind.BAN_418, left=1, retry_after_seconds=1))
    with pytest.raises(ThrottledError, match="banned until"):
        await client.account()
    logged = len(rig.venue.order_log.entries())
    with pytest.raises(ThrottledError, match="our address is banned, exits too wait") as held:
        await client.cancel_all("BTCUSDT")
    assert held.value.retry_after_seconds <= 2.1
    assert len(rig.venue.order_log.entries()) == logged
    assert client.problem.startswith("our address is banned until")
    await until_done(lambda: client.cancel_all("BTCUSDT"))
    assert client.problem == ""
    await client.account()


async def test_a_venue_that_fails_again_and_again_is_left_in_peace_and_one_alert_tells_of_it(rig: Rig) -> None:
    told: list[tuple[str, Mapping[str, object]]] = []
    endpoint = Endpoint(rig.venue.base_url, rig.venue.stream_url)
    signer = Credentials("key-alpha", "secret-alpha")
    client = BinanceFutures(endpoint, signer, SystemClock(), alert=lambda event, numbers: told.append((event, numbers)))
    rig.clients.append(client)
    await client.account()  # the exchange's clock is known from here on
    fault = rig.venue.faults.order(Fault(FaultKind.HTTP_503_UNKNOWN, path="/fapi"))
    for _ in range(breaker.FAILURES_TO_OPEN + 3):
        with pytest.raises(RetryableError):
            await client.account()
    assert fault.struck == breaker.FAILURES_TO_OPEN
    with pytest.raises(ThrottledError, match="failed 5 times in a row"):
        await client.place(BUY, "c")
    with pytest.raises(EngineError):
        await client.cancel_all("BTCUSDT")
    assert fault.struck == breaker.FAILURES_TO_OPEN + 2, "an exit is tried"
    rig.venue.faults.clear()
    await until_done(client.account)
    assert [event for event, _ in told] == ["dependency.failed", "dependency.recovered"]
    assert told[0][1]["failures"] == breaker.FAILURES_TO_OPEN
    assert isinstance(told[1][1]["seconds"], float)
    await client.place(BUY, "c")


async def test_a_throttled_account_keeps_its_user_stream(rig: Rig) -> None:
    """A listen key that cannot be extended just now is no reason to hang up: without the stream nothing may open."""
    endpoint = Endpoint(rig.venue.base_url, rig.venue.stream_url, keep_alive_seconds=0.05)
    client = BinanceFutures(endpoint, Credentials("key-alpha", "secret-alpha"), SystemClock())
    rig.clients.append(client)
    await client.symbol_rules()
    events: list[object] = []

    async def listen() -> None:
        async for event in client.user_stream():
            events.append(event)

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(5):
        while not events:  # noqa: ASYNC110  the stream's own words are what is waited for
            await asyncio.sleep(0.01)
    client.transport.guard.throttled("test", 0.3, is_ban=False)
    await asyncio.sleep(0.6)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert events == [StreamUp()]


async def until_done(attempt: "object", seconds: float = 8.0) -> None:
    """Try until it is let through and succeeds."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                await attempt()  # type: ignore[operator]
            except ThrottledError as error:
                await asyncio.sleep(min(error.retry_after_seconds, 0.2))
            else:
                return
