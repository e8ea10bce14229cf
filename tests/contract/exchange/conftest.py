"""The exchange port twice: in memory, and the real client against the simulated venue over the wire."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio
from tests.contract.exchange.fake_exchange import FakeExchange

from quantum_engine.clock import SystemClock
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.exchanges.port import Exchange
from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions

BTC = Decimal(90_000)


@pytest_asyncio.fixture(params=["in memory", "over the wire"])
async def exchange(request: pytest.FixtureRequest) -> AsyncIterator[Exchange]:
    if request.param == "in memory":
        yield FakeExchange(SystemClock(), {"BTCUSDT": BTC, "ETHUSDT": Decimal(3_000)})
        return
    account = Account("alpha", "key-alpha", "secret-alpha", Decimal(10_000))
    async with Venue([account], VenueOptions(mark_interval_ms=50, tick_ms=50)) as venue:
        for walk in venue.market.walks.values():
            walk.set_price(walk.price, True)
        client = BinanceFutures(Endpoint(venue.base_url, venue.stream_url), Credentials("key-alpha", "secret-alpha"), SystemClock())
        try:
            yield client
        finally:
            await client.close()
