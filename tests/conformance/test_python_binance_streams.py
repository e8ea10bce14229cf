"""python-binance's own sockets, unmodified, hear the venue."""

import asyncio
from typing import Any

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}


def quick(socket: Any) -> Any:
    """It looks this often (in seconds) whether it should end; ten by default."""
    socket.TIMEOUT = 0.1
    return socket


async def hear(socket: Any, kind: str, **where: object) -> dict[str, Any]:
    """The next event of a kind whose order fields are as given."""
    while True:
        event = await socket.recv()
        event = event.get("data", event)
        inner = event["o"] if isinstance(event.get("o"), dict) else event
        if event["e"] == kind and all(inner[name] == value for name, value in where.items()):
            return event


async def test_orders_fills_and_the_account_arrive_by_listen_key(sockets: Any, async_client: Any, venue: Any) -> None:
    async with quick(sockets.futures_user_socket()) as socket, asyncio.timeout(5):
        await venue.listened()
        await async_client.futures_create_order(**LIMIT, quantity=0.01, price=89_000, newClientOrderId="rests")
        assert (await hear(socket, "ORDER_TRADE_UPDATE", c="rests"))["o"]["x"] == "NEW"
        await async_client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.01, newClientOrderId="fills")
        assert (await hear(socket, "TRADE_LITE"))["c"] == "fills"
        assert (await hear(socket, "ORDER_TRADE_UPDATE", c="fills", x="TRADE"))["o"]["X"] == "FILLED"
        assert (await hear(socket, "ACCOUNT_UPDATE"))["a"]["P"][0]["pa"] == "0.010"
        await async_client.futures_cancel_all_open_orders(symbol="BTCUSDT")
        assert (await hear(socket, "ORDER_TRADE_UPDATE", x="CANCELED"))["o"]["c"] == "rests"
        key = await async_client.futures_stream_get_listen_key()
        assert await async_client.futures_stream_keepalive(key) is not None


async def test_market_streams_arrive_on_their_routes(sockets: Any, venue: Any, heard: Any) -> None:
    for socket, kind in (
        (sockets.kline_futures_socket("BTCUSDT", "5m"), "continuous_kline"),
        (sockets.symbol_mark_price_socket("BTCUSDT"), "markPriceUpdate"),
        (sockets.individual_symbol_ticker_futures_socket("BTCUSDT"), "24hrTicker"),
        (sockets.aggtrade_futures_socket("BTCUSDT"), "aggTrade"),
        (sockets.symbol_ticker_futures_socket("BTCUSDT"), "bookTicker"),
        (sockets.all_ticker_futures_socket("!bookTicker"), "bookTicker"),
        (sockets.futures_multiplex_socket(["btcusdt@kline_1m", "ethusdt@markPrice@1s"]), "kline"),
    ):
        async with quick(socket):
            assert await heard(hear(socket, kind)), kind
