"""Real engine, real Redis, real venue over the wire."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from tests.live.engine.rig import EngineRig, Pen
from tests.redis_server import RedisServer

from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions


@pytest.fixture
def pen() -> Pen:
    return Pen()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def new_engine(tmp_path: Path, pen: Pen, session: aiohttp.ClientSession) -> Iterator[Callable[..., EngineRig]]:
    """Makes engines, each with its own disk; ends them all."""
    made: list[EngineRig] = []

    def make(**env: str) -> EngineRig:
        folder = tmp_path / f"engine-disk-{len(made)}"
        folder.mkdir()
        made.append(EngineRig(folder, pen, session, env))
        return made[-1]

    yield make
    for rig in made:
        rig.kill()


@pytest.fixture
def engine(new_engine: Callable[..., EngineRig]) -> EngineRig:
    """Without an exchange: it is told policies and stops, and stays HALTED."""
    return new_engine()


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    """Runs by itself; one account, 10 000 USDT."""
    account = Account("alpha", "key-alpha", "secret-alpha", Decimal(10_000))
    async with Venue([account], VenueOptions(tick_ms=20, mark_interval_ms=100)) as running:
        yield running


@pytest.fixture
def trader(new_engine: Callable[..., EngineRig], venue: Venue, tmp_path: Path) -> EngineRig:
    """An engine with an account at the venue."""
    account = tmp_path / "account.json"
    account.write_text(json.dumps({"apiKey": "key-alpha", "apiSecret": "secret-alpha"}))
    return new_engine(QT_ENGINE_REST_URL=venue.base_url, QT_ENGINE_STREAM_URL=venue.stream_url, QT_ENGINE_ACCOUNT_FILE=str(account))


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()
