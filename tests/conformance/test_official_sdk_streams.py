"""Binance's official SDK, unmodified, hears the venue: it opens all three routes and subscribes on them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

BTC = "BTCUSDT"
LIMIT = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}


@pytest.fixture
async def streams(sdk: Any) -> AsyncIterator[Any]:
    opened = sdk.websocket_streams
    await opened.create_connection()
    yield opened
    await opened.close_connection(close_session=True)


async def next_message(handle: Any) -> Any:
    """The next message of one subscription, parsed into the SDK's model."""
    arrived = asyncio.get_running_loop().create_future()
    handle.on("message", lambda message: arrived.done() or arrived.set_result(message))
    return await arrived


async def test_the_account_is_heard_by_listen_key(sdk: Any, streams: Any, venue: Any) -> None:
    rest = sdk.rest_api
    key = (await asyncio.to_thread(rest.start_user_data_stream)).data().listen_key
    heard: list[Any] = []
    handle = await streams.user_data(key)
    handle.on("message", lambda message: heard.append(message.actual_instance))
    await venue.listened()
    await asyncio.to_thread(lambda: rest.new_order(**LIMIT, price=89_000.0, new_client_order_id="rests"))
    await asyncio.to_thread(lambda: rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity=0.01, new_client_order_id="fills"))
    await asyncio.to_thread(lambda: rest.cancel_all_open_orders(symbol=BTC))
    async with asyncio.timeout(5):
        while not any(getattr(each, "o", None) and getattr(each.o, "x", "") == "CANCELED" for each in heard):  # noqa: ASYNC110 - callbacks
            await asyncio.sleep(0.005)
    told = [(each.o.c, each.o.x, each.o.X) for each in heard if type(each).__name__ == "OrderTradeUpdate"]
    assert told == [("rests", "NEW", "NEW"), ("fills", "NEW", "NEW"), ("fills", "TRADE", "FILLED"), ("rests", "CANCELED", "CANCELED")]
    (account,) = [each for each in heard if type(each).__name__ == "AccountUpdate"]
    assert account.a.P[0].pa == "0.010"
    assert [each.c for each in heard if type(each).__name__ == "TradeLite"] == ["fills"]


async def test_prices_candles_books_and_trades_are_heard(streams: Any, heard: Any) -> None:
    book = await heard(next_message(await streams.individual_symbol_book_ticker_streams(symbol="btcusdt")))
    assert float(book.b) < float(book.a)
    mark = await heard(next_message(await streams.mark_price_stream(symbol="btcusdt", update_speed="1s")))
    assert (mark.s, float(mark.p) > 0) == (BTC, True)
    candle = await heard(next_message(await streams.kline_candlestick_streams(symbol="btcusdt", interval="5m")))
    assert candle.k.i == "5m"
    assert (await heard(next_message(await streams.aggregate_trade_streams(symbol="btcusdt")))).s == BTC
    assert (await heard(next_message(await streams.individual_symbol_ticker_streams(symbol="btcusdt")))).s == BTC
    depth = await heard(next_message(await streams.partial_book_depth_streams(symbol="btcusdt", levels=5)))
    assert (len(depth.b), len(depth.a)) == (5, 5)
    every = await heard(next_message(await streams.all_market_tickers_streams()))
    assert {each.s for each in every} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
