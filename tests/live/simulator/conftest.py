"""A venue on real loopback sockets, and a client that signs as Binance asks."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from yarl import URL

from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions

DEADLINE_SECONDS = 5


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> int:
        return self.body["code"]


class Client:
    """The smallest honest Binance client."""

    def __init__(self, venue: Venue, session: aiohttp.ClientSession, name: str) -> None:
        self.venue, self.session, self.name = venue, session, name
        account = venue.accounts[name]
        self.key, self.secret = account.api_key, account.api_secret

    async def call(self, method: str, path: str, *, at_ms: int | None = None, secret: str | None = None, **params: object) -> Answer:
        params["timestamp"] = int(time.time() * 1_000) if at_ms is None else at_ms
        query = urlencode(params)
        signature = hmac.new((secret or self.secret).encode(), query.encode(), hashlib.sha256).hexdigest()
        return await self.raw(method, f"{path}?{query}&signature={signature}")

    async def raw(self, method: str, target: str, **more: Any) -> Answer:
        more.setdefault("headers", {"X-MBX-APIKEY": self.key})
        async with self.session.request(method, URL(self.venue.base_url + target, encoded=True), **more) as response:
            return Answer(response.status, await response.json(), response.headers)

    async def order(self, side: str, quantity: str, **more: object) -> Answer:
        kind = {"type": "LIMIT", "timeInForce": "GTC"} if "price" in more else {"type": "MARKET"}
        return await self.call("POST", "/fapi/v1/order", symbol="BTCUSDT", side=side, quantity=quantity, **(kind | more))

    async def user_stream(self) -> aiohttp.ClientWebSocketResponse:
        key = (await self.raw("POST", "/fapi/v1/listenKey")).body["listenKey"]
        return await self.session.ws_connect(f"{self.venue.stream_url}/private/ws/{key}")

    async def stream(self, path: str) -> aiohttp.ClientWebSocketResponse:
        return await self.session.ws_connect(self.venue.stream_url + path)

    async def control(self, method: str, path: str, body: object = None) -> Any:
        async with self.session.request(method, f"{self.venue.control_url}/control/{path}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()


async def next_event(stream: aiohttp.ClientWebSocketResponse, kind: str, **where: object) -> dict[str, Any]:
    """The next event of a kind whose order (or top) fields are as given."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            event = await stream.receive_json()
            event = event.get("data", event)
            inner = event.get("o") if isinstance(event.get("o"), dict) else event
            if event.get("e") == kind and all(inner.get(name) == value for name, value in where.items()):
                return event


@pytest.fixture
def await_event():
    return next_event


def accounts() -> list[Account]:
    return [Account(name, f"key-{name}", f"secret-{name}", Decimal(10_000)) for name in ("alpha", "beta")]


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    """Moves only when stepped: what a test sees is what it ordered."""
    async with Venue(accounts(), VenueOptions(is_hand_stepped=True)) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def alpha(venue: Venue, session: aiohttp.ClientSession) -> Client:
    return Client(venue, session, "alpha")


@pytest.fixture
def beta(venue: Venue, session: aiohttp.ClientSession) -> Client:
    return Client(venue, session, "beta")


@pytest.fixture
async def running_venue() -> AsyncIterator[Venue]:
    """Runs by itself, fast."""
    async with Venue(accounts(), VenueOptions(tick_ms=10, mark_interval_ms=20)) as running:
        yield running


@pytest.fixture
def running(running_venue: Venue, session: aiohttp.ClientSession) -> Client:
    return Client(running_venue, session, "alpha")
