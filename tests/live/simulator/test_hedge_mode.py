"""Hedge mode over the wire: asked for by REST, named in every answer and every event."""


async def hedge(client) -> None:
    assert (await client.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")).body == {"code": 200, "msg": "success"}


async def test_the_mode_is_switched_and_told(alpha, beta) -> None:
    await hedge(alpha)
    assert (await alpha.call("GET", "/fapi/v1/positionSide/dual")).body == {"dualSidePosition": True}
    assert (await beta.call("GET", "/fapi/v1/positionSide/dual")).body == {"dualSidePosition": False}
    assert (await alpha.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")).code == -4059
    assert (await alpha.order("BUY", "0.1")).code == -4061
    assert (await alpha.order("BUY", "0.1", positionSide="UP")).code == -4060


async def test_reduce_only_is_not_even_read_in_hedge_mode(alpha) -> None:
    await hedge(alpha)
    for value in ("true", "false"):
        answer = await alpha.order("BUY", "0.1", positionSide="LONG", reduceOnly=value)
        assert answer.body == {"code": -1106, "msg": "Parameter 'reduceonly' sent when not required."}
    stop = {
        "algoType": "CONDITIONAL",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "triggerPrice": "80000",
        "quantity": "0.1",
    }
    assert (await alpha.call("POST", "/fapi/v1/algoOrder", positionSide="LONG", reduceOnly="true", **stop)).code == -1106
    assert (await alpha.call("POST", "/fapi/v1/algoOrder", positionSide="LONG", **stop)).body["positionSide"] == "LONG"


async def test_every_answer_and_event_names_the_side(alpha, await_event) -> None:
    await hedge(alpha)
    stream = await alpha.user_stream()
    placed = await alpha.order("BUY", "0.1", positionSide="LONG")
    assert placed.body["positionSide"] == "LONG"
    assert (await await_event(stream, "ORDER_TRADE_UPDATE", X="FILLED"))["o"]["ps"] == "LONG"
    (position,) = (await await_event(stream, "ACCOUNT_UPDATE"))["a"]["P"]
    assert (position["ps"], position["pa"]) == ("LONG", "0.100")
    await alpha.order("SELL", "0.2", positionSide="SHORT")
    risk = (await alpha.call("GET", "/fapi/v3/positionRisk")).body
    assert [(each["positionSide"], each["positionAmt"]) for each in risk] == [("LONG", "0.100"), ("SHORT", "-0.200")]
    older = (await alpha.call("GET", "/fapi/v2/positionRisk", symbol="BTCUSDT")).body
    assert [each["positionSide"] for each in older] == ["LONG", "SHORT"]
    for version in ("v2", "v3"):
        positions = (await alpha.call("GET", f"/fapi/{version}/account")).body["positions"]
        held = [(each["positionSide"], each["positionAmt"]) for each in positions if float(each["positionAmt"])]
        assert held == [("LONG", "0.100"), ("SHORT", "-0.200")]
    trades = (await alpha.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")).body
    assert {each["positionSide"] for each in trades} == {"LONG", "SHORT"}
    seen = await alpha.control("GET", "accounts/alpha")
    assert (seen["isHedgeMode"], [each["positionSide"] for each in seen["positions"]]) == (True, ["LONG", "SHORT"])
