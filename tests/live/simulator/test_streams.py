"""What the venue says unasked: orders, accounts, prices."""

import aiohttp
import pytest

from quantum_simulator.listen_keys import LIFE_MS

ORDER_FIELDS = frozenset(("s c S o f q p ap sp x X i l z L n N T t b a m R wt ot ps cp pP si ss rp V pm gtd er").split())  # noqa: SIM905


async def test_an_order_lives_on_the_user_stream(alpha, await_event) -> None:
    stream = await alpha.user_stream()
    await alpha.order("BUY", "0.3", newClientOrderId="seen")
    new = await await_event(stream, "ORDER_TRADE_UPDATE")
    assert set(new["o"]) == ORDER_FIELDS
    assert (new["o"]["x"], new["o"]["X"], new["o"]["c"]) == ("NEW", "NEW", "seen")
    lite = await await_event(stream, "TRADE_LITE")
    trade = await await_event(stream, "ORDER_TRADE_UPDATE", x="TRADE")
    assert (lite["t"], lite["l"]) == (trade["o"]["t"], trade["o"]["l"])
    filled = await await_event(stream, "ORDER_TRADE_UPDATE", X="FILLED")
    assert (filled["o"]["z"], filled["o"]["N"]) == ("0.300", "USDT")
    account = (await await_event(stream, "ACCOUNT_UPDATE"))["a"]
    assert account["m"] == "ORDER"
    assert (account["P"][0]["s"], account["P"][0]["pa"]) == ("BTCUSDT", "0.300")
    (risk,) = (await alpha.call("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")).body
    assert (account["P"][0]["bep"], account["P"][0]["ep"]) == (risk["breakEvenPrice"], risk["entryPrice"])
    assert float(risk["breakEvenPrice"]) > float(risk["entryPrice"])
    await alpha.order("SELL", "0.3", price="93000", reduceOnly="true", newClientOrderId="close")
    await alpha.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    gone = await await_event(stream, "ORDER_TRADE_UPDATE", c="close", x="CANCELED")
    assert (gone["o"]["X"], gone["o"]["R"]) == ("CANCELED", True)


async def test_a_stream_hears_only_its_own_account(alpha, beta, await_event) -> None:
    stream = await alpha.user_stream()
    await beta.order("BUY", "0.1", newClientOrderId="theirs")
    await alpha.order("BUY", "0.1", newClientOrderId="mine")
    assert (await await_event(stream, "ORDER_TRADE_UPDATE"))["o"]["c"] == "mine"


async def test_a_conditional_order_tells_its_steps(alpha, await_event) -> None:
    await alpha.order("BUY", "0.1")
    stream = await alpha.user_stream()
    placed = await alpha.call(
        "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET", triggerPrice="89000",
        quantity="0.1", reduceOnly="true",
    )  # fmt: skip
    await alpha.control("POST", "price", {"symbol": "BTCUSDT", "price": "88000"})
    for status in ("NEW", "TRIGGERING", "TRIGGERED"):
        event = await await_event(stream, "ALGO_UPDATE", X=status)
        assert event["o"]["aid"] == placed.body["algoId"]
    assert event["o"]["ai"]


async def test_a_trailing_stop_tells_its_rate_and_what_it_became(alpha, await_event) -> None:
    stream = await alpha.user_stream()
    placed = await alpha.call(
        "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="TRAILING_STOP_MARKET", quantity="0.1",
        callbackRate="1", workingType="MARK_PRICE",
    )  # fmt: skip
    assert (placed.body["callbackRate"], placed.body["activatePrice"]) == ("1", "90000.0")
    await alpha.control("POST", "price", {"symbol": "BTCUSDT", "price": "89000"})
    finished = (await await_event(stream, "ALGO_UPDATE", X="FINISHED"))["o"]
    assert (finished["cr"], finished["act"], finished["aq"]) == ("1", "MARKET", "0.100")
    assert float(finished["ap"]) > 88_000
    asked = (await alpha.call("GET", "/fapi/v1/algoOrder", algoId=placed.body["algoId"])).body
    assert (asked["actualType"], asked["actualQty"], asked["actualPrice"]) == ("MARKET", "0.100", finished["ap"])
    every = (await alpha.call("GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT")).body
    assert [each["algoStatus"] for each in every] == ["FINISHED"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"type": "STOP", "triggerPrice": "89000"}, -1102),
        ({"type": "TRAILING_STOP_MARKET"}, -1102),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "0.05"}, -1100),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "11"}, -1100),
        ({"type": "STOP_MARKET", "triggerPrice": "89000", "workingType": "INDEX"}, -4031),
        ({"type": "STOP", "triggerPrice": "89000", "price": "89000", "timeInForce": "DAY"}, -1115),
        ({"type": "OCO", "triggerPrice": "89000"}, -1116),
    ],
)
async def test_a_conditional_order_without_what_its_type_needs_is_refused(alpha, more: dict, code: int) -> None:
    answer = await alpha.call("POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", quantity="0.1", **more)
    assert answer.code == code


async def test_prices_books_trades_and_candles_are_streamed(alpha, await_event) -> None:
    market = await alpha.stream("/market/stream?streams=btcusdt@markPrice@1s/btcusdt@kline_1m/btcusdt@aggTrade")
    public = await alpha.stream("/public/ws/btcusdt@bookTicker/btcusdt@depth5")
    alpha.venue.step(1_000)
    mark = await await_event(market, "markPriceUpdate")
    assert set(mark) == {"e", "E", "s", "p", "i", "P", "r", "T"}
    assert (await await_event(market, "kline"))["k"]["i"] == "1m"
    ticker = await await_event(public, "bookTicker")
    assert float(ticker["b"]) < float(ticker["a"])
    depth = await await_event(public, "depthUpdate")
    assert (len(depth["b"]), len(depth["a"])) == (5, 5)
    await alpha.order("BUY", "0.1")
    assert (await await_event(market, "aggTrade", q="0.100"))["m"] is False


async def test_subscriptions_change_on_an_open_connection(alpha, await_event) -> None:
    stream = await alpha.stream("/market/ws")
    await stream.send_json({"method": "SUBSCRIBE", "params": ["ethusdt@markPrice@1s"], "id": 1})
    assert await stream.receive_json() == {"result": None, "id": 1}
    alpha.venue.step(1_000)
    assert (await await_event(stream, "markPriceUpdate"))["s"] == "ETHUSDT"
    await stream.send_json({"method": "UNSUBSCRIBE", "params": ["ethusdt@markPrice@1s"], "id": 2})
    assert (await stream.receive_json())["id"] == 2
    alpha.venue.step(1_000)
    await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 3})
    assert await stream.receive_json() == {"result": [], "id": 3}


async def test_a_stream_on_the_wrong_route_says_nothing(alpha) -> None:
    stream = await alpha.stream("/public/ws/btcusdt@markPrice@1s")
    alpha.venue.step(3_000)
    await stream.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    assert await stream.receive_json() == {"result": ["btcusdt@markPrice@1s"], "id": 1}


@pytest.mark.parametrize("path", ["/ws/btcusdt@markPrice", "/stream?streams=btcusdt@markPrice", "/private/ws/unknown-key"])
async def test_retired_routes_and_unknown_keys_are_refused(alpha, path: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await alpha.stream(path)


async def test_a_listen_key_is_one_per_account_and_dies_when_it_is_not_extended(alpha, await_event) -> None:
    stream = await alpha.user_stream()
    first = (await alpha.raw("POST", "/fapi/v1/listenKey")).body["listenKey"]
    assert (await alpha.raw("POST", "/fapi/v1/listenKey")).body["listenKey"] == first
    alpha.venue.state.clock.advance(LIFE_MS - 100)
    assert (await alpha.raw("PUT", "/fapi/v1/listenKey")).status == 200
    alpha.venue.step(100)
    alpha.venue.state.clock.advance(LIFE_MS)
    alpha.venue.step(100)
    assert (await await_event(stream, "listenKeyExpired"))["listenKey"] == first
    assert (await stream.receive(timeout=5)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
    assert (await alpha.raw("PUT", "/fapi/v1/listenKey")).code == -1125


async def test_the_key_may_stand_in_the_query(alpha, await_event) -> None:
    key = (await alpha.raw("POST", "/fapi/v1/listenKey")).body["listenKey"]
    stream = await alpha.stream(f"/private/ws?listenKey={key}")
    await alpha.order("BUY", "0.1")
    assert await await_event(stream, "ORDER_TRADE_UPDATE")


async def test_a_running_venue_moves_by_itself(running, await_event) -> None:
    stream = await running.stream("/market/ws/btcusdt@markPrice@1s")
    stamps = [(await await_event(stream, "markPriceUpdate"))["E"] for _ in range(3)]
    assert stamps == sorted(set(stamps))
