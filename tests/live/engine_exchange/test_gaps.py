"""Fills that the user stream did not bring, read by request: another client trades on the same account meanwhile."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio
from tests.live.engine_exchange.conftest import Engine, buy

from quantum_engine.clock import SystemClock
from quantum_engine.domain import Fill, OrderIntent, Side
from quantum_engine.exchanges.binance_futures import client as client_module
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint

SIZE = Decimal("0.020")


@pytest_asyncio.fixture
async def other(engine: Engine) -> AsyncIterator[BinanceFutures]:
    endpoint = Endpoint(engine.venue.base_url, engine.venue.stream_url)
    found = BinanceFutures(endpoint, Credentials("key-alpha", "secret-alpha"), SystemClock())
    yield found
    await found.close()


def fills_of(engine: Engine) -> list[Fill]:
    told: list[Fill] = []
    engine.positions.on_fill(told.append)
    return told


def at_the_venue(engine: Engine) -> list[int]:
    return sorted(fill.trade_id for fill in engine.venue.accounts["alpha"].fills)


async def trade(client: BinanceFutures, side: Side, name: str, symbol: str = "BTCUSDT") -> None:
    quantity = SIZE if symbol == "BTCUSDT" else Decimal("0.500")
    await client.place(OrderIntent(name, symbol, side, quantity), name)


async def test_what_another_client_traded_while_the_stream_was_cut_is_known_as_fills_each_once(
    engine: Engine, other: BinanceFutures
) -> None:
    """Also a round trip that left no position, and one in a symbol that was never held before."""
    told = fills_of(engine)
    await engine.execution.submit(buy())
    await engine.until(lambda: len(told) >= 1)
    await engine.fault("stream_cut", path="/private", forMs=600)
    await engine.until(lambda: not engine.positions.reconciled)
    for number, side in enumerate((Side.SELL, Side.BUY, Side.SELL)):
        await trade(other, side, f"web_{number}")
    await trade(other, Side.BUY, "web_eth_in", "ETHUSDT")
    await trade(other, Side.SELL, "web_eth_out", "ETHUSDT")
    await engine.until(lambda: sorted(each.trade_id for each in told) == at_the_venue(engine))
    await engine.until(lambda: engine.positions.reconciled)
    assert engine.held() == engine.venue_holds() == 0
    assert {each.symbol for each in told} == {"BTCUSDT", "ETHUSDT"}
    await engine.execution.submit(buy("after"))
    await engine.until(lambda: engine.held() == SIZE)
    assert sorted(each.trade_id for each in told) == at_the_venue(engine)


async def test_a_stream_that_is_silent_while_its_pings_go_on_is_found_out_by_the_next_comparison(
    engine: Engine, other: BinanceFutures
) -> None:
    told = fills_of(engine)
    await engine.execution.submit(buy())
    await engine.until(lambda: len(told) >= 1)
    await engine.fault("stream_silent", path="/private", forMs=60_000)
    await trade(other, Side.BUY, "web_1")
    await engine.positions.reconcile()
    assert len(told) < len(at_the_venue(engine)), "nobody has told it"
    engine.positions._wanted.set()
    await engine.until(lambda: sorted(each.trade_id for each in told) == at_the_venue(engine))
    engine.venue.faults.clear()
    await trade(other, Side.SELL, "web_2")
    await engine.until(lambda: sorted(each.trade_id for each in told) == at_the_venue(engine))
    assert engine.held() == engine.venue_holds()


async def test_more_trades_than_the_venue_gives_at_once_are_read_page_by_page(
    engine: Engine, other: BinanceFutures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TRADES_A_PAGE", 2)
    for number in range(5):
        await trade(other, Side.BUY if number % 2 else Side.SELL, f"web_{number}")
    everything = [fill.trade_id for fill in await other.fills("BTCUSDT", other.venue_ms() - 60_000)]
    assert everything == at_the_venue(engine)
    assert [fill.trade_id for fill in await other.fills_from("BTCUSDT", everything[1])] == everything[1:]
