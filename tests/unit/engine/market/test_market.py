"""The newest quote per symbol, and a silent stream made visible."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from tests.contract.exchange.fake_exchange import FakeExchange

from quantum_api.gate import Gate
from quantum_engine.clock import ManualClock
from quantum_engine.domain import Quote
from quantum_engine.market import service
from quantum_engine.market.service import SILENT_SECONDS, Market
from quantum_engine.permission import Permission


class World:
    def __init__(self) -> None:
        self.clock, self.permission = ManualClock(), Permission()
        for source in ("policy", "reconciliation"):
            self.permission.lift(source)
        self.exchange = FakeExchange(self.clock, {"BTCUSDT": Decimal(1), "ETHUSDT": Decimal(2)})
        self.market = Market(self.exchange, self.clock, self.permission)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.market.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_symbols_are_followed_and_dropped_as_they_are_named() -> None:
    world = World()
    heard: list[Quote] = []
    world.market.on_quote(heard.append)
    async with world.running():
        world.market.set_symbols(frozenset({"BTCUSDT"}))
        await until(lambda: world.market.quote("BTCUSDT") is not None)
        assert world.market.quote("ETHUSDT") is None
        world.market.set_symbols(frozenset({"ETHUSDT"}))
        await until(lambda: world.market.quote("ETHUSDT") is not None)
        assert world.market.quote("BTCUSDT") is None
    assert {quote.symbol for quote in heard} == {"BTCUSDT", "ETHUSDT"}


async def test_a_stream_that_falls_silent_tightens_and_one_that_speaks_again_loosens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WATCH_SECONDS", 0.001)
    world = World()

    async def silence(symbols: frozenset[str]) -> AsyncIterator[Quote]:
        await speaks.wait()
        yield Quote("BTCUSDT", Decimal(1), None, None, world.clock.monotonic())
        await asyncio.Event().wait()

    speaks = asyncio.Event()
    world.exchange.market_stream = silence  # type: ignore[method-assign, assignment]
    async with world.running():
        world.market.set_symbols(frozenset({"BTCUSDT"}))
        world.clock.advance(SILENT_SECONDS + 0.1)
        await until(lambda: world.permission.gate is Gate.REDUCE_ONLY)
        assert world.permission.restrictions[0].source == "data"
        speaks.set()
        await until(lambda: world.permission.gate is Gate.ACTIVE)


async def test_no_symbols_is_not_silence() -> None:
    world = World()
    world.clock.advance(1_000)
    assert world.market.silent_seconds == 0.0
