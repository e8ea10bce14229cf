"""Requests over the wire: signed or refused, with Binance's fields, codes and headers."""

import time

import pytest

ORDER_ACK_FIELDS = {
    "orderId", "symbol", "status", "clientOrderId", "price", "origQty", "executedQty", "cumQty", "timeInForce", "type", "reduceOnly",
    "closePosition", "side", "positionSide", "stopPrice", "workingType", "priceProtect", "origType", "priceMatch",
    "selfTradePreventionMode", "goodTillDate", "updateTime",
}  # fmt: skip


async def test_an_acknowledgement_has_no_fill_prices_and_a_query_has(alpha) -> None:
    """Since 2026-07-15 a client must not book fills from the answer to its order."""
    ack = await alpha.order("BUY", "0.1", newClientOrderId="first")
    assert ack.status == 200
    assert set(ack.body) == ORDER_ACK_FIELDS
    assert (ack.body["status"], ack.body["executedQty"]) == ("NEW", "0")
    asked = (await alpha.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="first")).body
    assert (asked["status"], asked["executedQty"], asked["avgPrice"]) == ("FILLED", "0.100", "90000.10000")
    trades = (await alpha.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", orderId=ack.body["orderId"])).body
    assert [(each["qty"], each["commission"]) for each in trades] == [("0.100", "4.50000500")]


async def test_a_request_with_a_wrong_signature_does_nothing(alpha) -> None:
    refused = await alpha.call("POST", "/fapi/v1/order", secret="wrong", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1")
    assert (refused.status, refused.code) == (400, -1022)
    assert not alpha.venue.accounts["alpha"].orders


async def test_a_body_may_carry_the_parameters(alpha) -> None:
    stamp = int(time.time() * 1_000)
    from quantum_simulator.rest.signature import sign

    text = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1&timestamp={stamp}"
    body = f"{text}&signature={sign(alpha.secret, text)}"
    headers = {"X-MBX-APIKEY": alpha.key, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await alpha.raw("POST", "/fapi/v1/order", data=body, headers=headers)).status == 200


async def test_a_stale_clock_and_a_foreign_key_are_refused(alpha) -> None:
    old = await alpha.call("GET", "/fapi/v2/balance", at_ms=int(time.time() * 1_000) - 20_000)
    foreign = await alpha.raw("GET", "/fapi/v2/balance?timestamp=1&signature=x", headers={"X-MBX-APIKEY": "nobody"})
    missing = await alpha.raw("GET", "/fapi/v2/balance", headers={})
    assert [(each.status, each.code) for each in (old, foreign, missing)] == [(400, -1021), (401, -2015), (401, -2014)]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"type": "STOP_MARKET", "stopPrice": "1"}, -4120),
        ({"type": "ICEBERG"}, -1116),
        ({"side": "HOLD"}, -1117),
        ({"quantity": "nan"}, -1100),
        ({"quantity": "-1"}, -1100),
        ({"quantity": ""}, -1102),
        ({"type": "LIMIT", "price": "89000"}, -1102),
        ({"type": "LIMIT", "price": "89000", "timeInForce": "GTD"}, -1115),
        ({"timeInForce": "GTC"}, -1106),
        ({"positionSide": "LONG"}, -4061),
        ({"closePosition": "true"}, -4136),
        ({"symbol": "DOGEUSDT"}, -1121),
        ({"reduceOnly": "true"}, -2022),
    ],
)
async def test_malformed_orders_are_refused_by_code(alpha, params: dict[str, str], code: int) -> None:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"} | params
    refused = await alpha.call("POST", "/fapi/v1/order", **order)
    assert (refused.status, refused.code) == (400, code)


async def test_orders_rest_are_listed_and_are_canceled_one_or_all(alpha) -> None:
    for number in range(3):
        await alpha.order("BUY", "0.1", price="89000", newClientOrderId=f"rest-{number}")
    assert len((await alpha.call("GET", "/fapi/v1/openOrders")).body) == 3
    canceled = await alpha.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="rest-0")
    assert canceled.body["status"] == "CANCELED"
    again = await alpha.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="rest-0")
    unknown = await alpha.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="never")
    assert (again.code, unknown.code) == (-2011, -2013)
    everything = await alpha.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    assert everything.body == {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert (await alpha.call("GET", "/fapi/v1/openOrders", symbol="BTCUSDT")).body == []
    assert len((await alpha.call("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")).body) == 3


async def test_v3_positions_list_only_what_is_held_or_ordered(alpha) -> None:
    assert (await alpha.call("GET", "/fapi/v3/positionRisk")).body == []
    assert len((await alpha.call("GET", "/fapi/v2/positionRisk")).body) == 3
    await alpha.order("SELL", "0.1")
    await alpha.call("POST", "/fapi/v1/order", symbol="SOLUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="1", price="139.50")
    found = {each["symbol"]: each["positionAmt"] for each in (await alpha.call("GET", "/fapi/v3/positionRisk")).body}
    assert found == {"BTCUSDT": "-0.100", "SOLUSDT": "0"}


async def test_balance_and_account_agree(alpha) -> None:
    await alpha.order("BUY", "0.1")
    (balance,) = (await alpha.call("GET", "/fapi/v3/balance")).body
    account = (await alpha.call("GET", "/fapi/v3/account")).body
    assert balance["balance"] == account["totalWalletBalance"] == "9995.49999500"
    assert balance["availableBalance"] == account["availableBalance"]
    assert account["totalUnrealizedProfit"] == "-0.01000000"


async def test_headers_count_weight_and_orders(alpha) -> None:
    first, second = [int((await alpha.order(side, "0.1")).headers["X-MBX-ORDER-COUNT-10S"]) for side in ("BUY", "SELL")]
    assert second in {first + 1, 1}
    weight = (await alpha.call("GET", "/fapi/v3/account")).headers["X-MBX-USED-WEIGHT-1M"]
    assert int(weight) >= 5


async def test_asking_too_often_is_answered_429_with_retry_after(alpha) -> None:
    alpha.venue.state.limits.weight_per_minute = 20
    answers = [await alpha.call("GET", "/fapi/v1/openOrders") for _ in range(2)]
    assert answers[-1].status == 429
    assert answers[-1].code == -1003
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


async def test_settings_of_an_account(alpha) -> None:
    assert (await alpha.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=5)).body["leverage"] == 5
    assert (await alpha.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=500)).code == -4028
    assert (await alpha.call("POST", "/fapi/v1/marginType", symbol="BTCUSDT", marginType="CROSSED")).code == -4046
    assert (await alpha.call("GET", "/fapi/v1/positionSide/dual")).body == {"dualSidePosition": False}
    assert (await alpha.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="false")).code == -4059


async def test_conditional_orders_live_on_their_own_endpoints(alpha) -> None:
    await alpha.order("BUY", "0.1")
    placed = await alpha.call(
        "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET", triggerPrice="85000",
        closePosition="true", clientAlgoId="stop-1",
    )  # fmt: skip
    assert placed.body["algoStatus"] == "NEW"
    assert (await alpha.call("GET", "/fapi/v1/openOrders")).body == []
    assert len((await alpha.call("GET", "/fapi/v1/openAlgoOrders")).body) == 1
    await alpha.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    assert (await alpha.call("GET", "/fapi/v1/algoOrder", clientAlgoId="stop-1")).body["algoStatus"] == "NEW"
    canceled = await alpha.call("DELETE", "/fapi/v1/algoOrder", clientAlgoId="stop-1")
    assert canceled.body == {"algoId": placed.body["algoId"], "clientAlgoId": "stop-1", "code": "200", "msg": "success"}


async def test_a_dead_mans_switch_cancels_when_it_is_not_renewed(alpha) -> None:
    await alpha.order("BUY", "0.1", price="89000")
    armed = await alpha.call("POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=5_000)
    assert armed.body == {"symbol": "BTCUSDT", "countdownTime": "5000"}
    alpha.venue.step(4_900)
    assert len((await alpha.call("GET", "/fapi/v1/openOrders")).body) == 1
    alpha.venue.step(100)
    assert (await alpha.call("GET", "/fapi/v1/openOrders")).body == []


async def test_market_data_needs_no_key(alpha) -> None:
    async def get(target: str) -> object:
        return (await alpha.raw("GET", f"/fapi/v1/{target}", headers={})).body

    info = await get("exchangeInfo")
    filters = {each["filterType"]: each for each in info["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.1"
    assert filters["LOT_SIZE"]["stepSize"] == "0.001"
    assert set(filters) == {"PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MAX_NUM_ORDERS", "MIN_NOTIONAL", "PERCENT_PRICE"}
    assert len(await get("klines?symbol=BTCUSDT&interval=5m&limit=10")) == 10
    book = await get("depth?symbol=BTCUSDT&limit=5")
    ticker = await get("ticker/bookTicker?symbol=BTCUSDT")
    assert [book["bids"][0][0], book["asks"][0][0]] == [ticker["bidPrice"], ticker["askPrice"]] == ["89999.9", "90000.1"]
    assert {each["symbol"] for each in await get("premiumIndex")} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}


async def test_an_unknown_path_is_not_found(alpha) -> None:
    async with alpha.session.get(alpha.venue.base_url + "/fapi/v9/order") as response:
        assert response.status == 404
