"""Public streams that follow the clock, and a private connection that names its key later."""

import pytest


async def test_a_candle_closes_once_and_then_the_next_one_opens(alpha, await_event) -> None:
    """A client that waits for the closed candle (x) would else wait for ever."""
    stream = await alpha.stream("/market/ws/btcusdt@kline_1m")
    alpha.venue.step(130_000)
    closed, opened = [], []
    while len(closed) < 2:
        candle = (await await_event(stream, "kline"))["k"]
        (closed if candle["x"] else opened).append(candle["t"])
    assert closed[1] - closed[0] == 60_000
    assert opened == sorted(opened)
    asked = (await alpha.raw("GET", f"/fapi/v1/klines?symbol=BTCUSDT&interval=1m&startTime={closed[1]}&limit=1")).body
    assert asked[0][0] == closed[1]


@pytest.mark.parametrize(
    ("path", "kind", "count"),
    [
        ("/market/ws/btcusdt@ticker", "24hrTicker", 0),
        ("/market/ws/btcusdt@miniTicker", "24hrMiniTicker", 0),
        ("/market/ws/!ticker@arr", "24hrTicker", 3),
        ("/market/ws/!miniTicker@arr", "24hrMiniTicker", 3),
        ("/market/ws/btcusdt_perpetual@continuousKline_15m", "continuous_kline", 0),
        ("/public/ws/!bookTicker", "bookTicker", 0),
        ("/public/ws/btcusdt@depth@100ms", "depthUpdate", 0),
    ],
)
async def test_a_public_stream_speaks(alpha, path: str, kind: str, count: int) -> None:
    stream = await alpha.stream(path)
    alpha.venue.step(200)
    told = await stream.receive_json(timeout=5)
    assert (told[0] if count else told)["e"] == kind
    assert not count or len(told) == count


async def test_stream_and_rest_number_a_trade_alike(alpha, await_event) -> None:
    market, public = await alpha.stream("/market/ws/btcusdt@aggTrade"), await alpha.stream("/public/ws/btcusdt@trade")
    await alpha.order("BUY", "0.4")
    asked = {each["a"]: each["q"] for each in (await alpha.raw("GET", "/fapi/v1/aggTrades?symbol=BTCUSDT")).body}
    assert len(asked) > 1
    streamed = [await await_event(market, "aggTrade") for _ in asked]
    single = [await await_event(public, "trade") for _ in asked]
    assert {each["a"]: each["q"] for each in streamed} == {each["t"]: each["q"] for each in single} == asked
    assert sorted(asked) == list(range(1, len(asked) + 1))


async def test_a_snapshot_asked_before_the_first_difference_fits_to_it(alpha, await_event) -> None:
    """The usual start of a local book: subscribe, ask, apply what comes from there on."""
    stream = await alpha.stream("/public/ws/btcusdt@depth@100ms")
    snapshot = (await alpha.raw("GET", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000")).body
    alpha.venue.step(100)
    told = await await_event(stream, "depthUpdate")
    assert told["pu"] == snapshot["lastUpdateId"]
    asked = (await alpha.raw("GET", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000")).body
    asks = dict(snapshot["asks"]) | dict(told["a"])
    assert {price: quantity for price, quantity in asks.items() if float(quantity)} == dict(asked["asks"])


async def test_the_differences_of_a_book_add_up_to_the_book(alpha, await_event) -> None:
    """Also when an order came and went between two messages, and a snapshot was taken while it rested."""
    stream = await alpha.stream("/public/ws/btcusdt@depth@500ms")
    alpha.venue.step(500)
    placed = await alpha.order("BUY", "0.5", price="89998.7")
    snapshot = (await alpha.raw("GET", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000")).body
    await alpha.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=placed.body["orderId"])
    alpha.venue.step(1_100)
    asked = (await alpha.raw("GET", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000")).body
    bids, last = dict(snapshot["bids"]), snapshot["lastUpdateId"]
    while last < asked["lastUpdateId"]:
        told = await await_event(stream, "depthUpdate")
        if told["u"] >= snapshot["lastUpdateId"]:
            bids |= dict(told["b"])
            last = told["u"]
    assert {price: quantity for price, quantity in bids.items() if float(quantity)} == dict(asked["bids"])


async def test_a_private_connection_may_name_its_listen_key_later(alpha, await_event) -> None:
    """Binance's own SDK connects first and subscribes to the key."""
    stream = await alpha.stream("/private/stream")
    await stream.send_json({"method": "SUBSCRIBE", "params": ["unknown"], "id": 1})
    assert (await stream.receive_json())["error"]["code"] == -1125
    key = (await alpha.raw("POST", "/fapi/v1/listenKey")).body["listenKey"]
    await stream.send_json({"method": "SUBSCRIBE", "params": [key], "id": 2})
    assert await stream.receive_json() == {"result": None, "id": 2}
    await alpha.order("BUY", "0.1")
    assert (await stream.receive_json())["stream"] == key
    assert await await_event(stream, "ACCOUNT_UPDATE")
    await stream.send_json({"method": "UNSUBSCRIBE", "params": [key], "id": 3})
    assert await stream.receive_json() == {"result": None, "id": 3}
    await alpha.order("SELL", "0.1")
    await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 4})
    assert (await stream.receive_json())["id"] == 4
