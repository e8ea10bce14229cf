"""Several orders in one request: each is judged, answered and logged by itself."""

import json

import pytest

REST = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


def orders(*prices: str) -> str:
    return json.dumps([REST | {"price": price, "newClientOrderId": f"at-{price}"} for price in prices])


async def test_a_refused_order_of_a_batch_stops_none_and_each_is_logged(alpha) -> None:
    answer = await alpha.call("POST", "/fapi/v1/batchOrders", batchOrders=orders("89000", "0.05", "88000"))
    assert [each.get("status", each.get("code")) for each in answer.body] == ["NEW", -4013, "NEW"]
    log = [each for each in alpha.venue.order_log.entries() if each.request == "POST /fapi/v1/batchOrders" and each.client_id]
    assert [(each.what, each.client_id, each.code) for each in log] == [
        ("accepted", "at-89000", 0),
        ("refused", "at-0.05", -4013),
        ("accepted", "at-88000", 0),
    ]


async def test_a_batch_is_modified_order_by_order(alpha) -> None:
    await alpha.call("POST", "/fapi/v1/batchOrders", batchOrders=orders("89000", "88000"))
    changes = [
        {"symbol": "BTCUSDT", "side": "BUY", "origClientOrderId": "at-89000", "quantity": "0.02", "price": "89100"},
        {"symbol": "BTCUSDT", "side": "SELL", "origClientOrderId": "at-88000", "quantity": "0.02", "price": "88100"},
        {"symbol": "BTCUSDT", "side": "BUY", "origClientOrderId": "never", "quantity": "0.02", "price": "88100"},
    ]
    answer = await alpha.call("PUT", "/fapi/v1/batchOrders", batchOrders=json.dumps(changes))
    assert [each.get("price", each.get("code")) for each in answer.body] == ["89100.0", -1117, -2013]


async def test_a_batch_is_canceled_by_client_ids(alpha) -> None:
    await alpha.call("POST", "/fapi/v1/batchOrders", batchOrders=orders("89000", "88000"))
    names = json.dumps(["at-89000", "never"])
    answer = await alpha.call("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", origClientOrderIdList=names)
    assert [each.get("status", each.get("code")) for each in answer.body] == ["CANCELED", -2011]
    assert [each.client_id for each in alpha.venue.accounts["alpha"].all_open()] == ["at-88000"]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("POST", {}, -1102),
        ("POST", {"batchOrders": "[{"}, -1102),
        ("POST", {"batchOrders": "{}"}, -1102),
        ("POST", {"batchOrders": "[1]"}, -1102),
        ("POST", {"batchOrders": "[]"}, -4082),
        ("PUT", {"batchOrders": orders("89000", "88000", "87000", "88001", "88002", "88003")}, -4082),
        ("DELETE", {"symbol": "BTCUSDT"}, -1102),
        ("DELETE", {"symbol": "BTCUSDT", "orderIdList": json.dumps(list(range(11)))}, -4083),
        ("DELETE", {"symbol": "DOGEUSDT", "orderIdList": "[1]"}, -1121),
    ],
)
async def test_a_batch_that_is_none_is_refused_whole(alpha, method: str, params: dict[str, str], code: int) -> None:
    refused = await alpha.call(method, "/fapi/v1/batchOrders", **params)
    assert (refused.status, refused.code) == (400, code)
    assert not alpha.venue.accounts["alpha"].orders


async def test_an_amendment_is_told_on_the_user_stream(alpha, await_event) -> None:
    stream = await alpha.user_stream()
    await alpha.order("BUY", "0.1", price="89000", newClientOrderId="moved")
    params = {"symbol": "BTCUSDT", "origClientOrderId": "moved", "side": "BUY"}
    answer = await alpha.call("PUT", "/fapi/v1/order", **params, quantity="0.2", price="89500")
    assert (answer.body["origQty"], answer.body["price"]) == ("0.200", "89500.0")
    told = (await await_event(stream, "ORDER_TRADE_UPDATE", x="AMENDMENT"))["o"]
    assert (told["X"], told["q"], told["p"]) == ("NEW", "0.200", "89500.0")
    missing = await alpha.call("PUT", "/fapi/v1/order", **params, quantity="0.2")
    assert missing.code == -1102
