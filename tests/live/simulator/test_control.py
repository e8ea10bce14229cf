"""Shocks, faults and views ordered over the second port do what they say."""

import asyncio

import aiohttp
import pytest


async def test_a_shock_moves_the_mark_price_that_the_stream_tells(alpha, await_event) -> None:
    await alpha.control("POST", "price", {"symbol": "all", "hold": True})
    stream = await alpha.stream("/market/ws/btcusdt@markPrice@1s")
    await alpha.control("POST", "shock", {"symbol": "BTCUSDT", "bps": -1500, "seconds": 3})
    stepped = await alpha.control("POST", "step", {"ms": 3_000})
    assert stepped["prices"]["BTCUSDT"] == "76500.0"
    prices = [float((await await_event(stream, "markPriceUpdate"))["p"]) for _ in range(3)]
    assert prices == sorted(prices, reverse=True)
    assert prices[-1] < 81_000


async def test_the_venues_own_record_shows_equity_positions_and_orders(alpha) -> None:
    await alpha.order("BUY", "0.1")
    await alpha.order("SELL", "0.1", price="93000", reduceOnly="true")
    await alpha.control("POST", "price", {"symbol": "BTCUSDT", "price": "91000"})
    seen = await alpha.control("GET", "accounts/alpha")
    assert seen["equityUsdt"] == "10095.48999500"
    assert (seen["isFlat"], len(seen["openOrders"]), len(seen["fills"])) == (False, 1, 1)


async def test_the_order_log_proves_what_the_venue_saw(alpha) -> None:
    await alpha.order("BUY", "0.1", newClientOrderId="entry")
    await alpha.order("BUY", "500", newClientOrderId="huge")
    entries = await alpha.control("GET", "orders?account=alpha")
    told = [(each["what"], each["clientId"], each.get("status", ""), each.get("code", 0)) for each in entries]
    assert told == [
        ("accepted", "entry", "", 0),
        ("status", "entry", "NEW", 0),
        ("fill", "entry", "FILLED", 0),
        ("refused", "huge", "", -4005),
    ]
    assert [each["seq"] for each in entries] == [1, 2, 3, 4]
    assert await alpha.control("GET", "orders?clientId=huge&sinceSeq=3") == entries[3:]


async def test_makers_that_withdraw_in_a_crash_leave_no_price_to_sell_at(alpha) -> None:
    await alpha.order("BUY", "0.1")
    await alpha.control("POST", "price", {"symbol": "all", "hold": True})
    await alpha.control("POST", "shock", {"symbol": "BTCUSDT", "bps": -1500, "seconds": 3})
    await alpha.control("POST", "depth", {"symbol": "BTCUSDT", "scale": 0.02, "gapBps": 700})
    await alpha.control("POST", "step", {"ms": 3_000})
    answer = await alpha.order("SELL", "0.1", reduceOnly="true")
    assert answer.body == {"code": -4131, "msg": "The counterparty's best price does not meet the PERCENT_PRICE filter limit."}
    await alpha.control("POST", "depth", {"symbol": "BTCUSDT", "scale": 1})
    assert (await alpha.order("SELL", "0.1", reduceOnly="true")).status == 200
    assert (await alpha.control("GET", "accounts/alpha"))["isFlat"]


async def test_mark_can_stand_apart_from_the_book(alpha, await_event) -> None:
    await alpha.control("POST", "price", {"symbol": "BTCUSDT", "price": "90000"})
    mark = await alpha.stream("/market/ws/btcusdt@markPrice@1s")
    await alpha.control("POST", "mark", {"symbol": "BTCUSDT", "bps": -250})
    premium = (await alpha.raw("GET", "/fapi/v1/premiumIndex?symbol=BTCUSDT")).body
    assert (premium["markPrice"], premium["indexPrice"]) == ("87750.00000000", "90000.00000000")
    assert (await await_event(mark, "markPriceUpdate", p="87750.00000000"))["i"] == "90000.00000000"
    ticker = (await alpha.raw("GET", "/fapi/v1/ticker/bookTicker?symbol=BTCUSDT")).body
    assert float(ticker["bidPrice"]) > 89_900


async def test_an_order_is_forgotten_in_the_venues_own_time(alpha) -> None:
    """An engine that was away hears -2013 for what it canceled four days ago: that is not "it never was"."""
    await alpha.order("BUY", "0.1", price="80000", newClientOrderId="gone")
    await alpha.order("BUY", "0.1", newClientOrderId="kept")
    await alpha.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="gone")
    named = {"symbol": "BTCUSDT", "origClientOrderId": "gone"}
    assert (await alpha.call("GET", "/fapi/v1/order", **named)).body["status"] == "CANCELED"
    alpha.venue.state.clock.advance(4 * 86_400_000)
    assert (await alpha.call("GET", "/fapi/v1/order", **named)).code == -2013
    told = (await alpha.call("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")).body
    assert [each["clientOrderId"] for each in told] == ["kept"]
    alpha.venue.state.clock.advance(4 * 86_400_000)
    assert (await alpha.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")).body == []
    assert len((await alpha.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", fromId=0)).body) == 1
    assert (await alpha.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", fromId=0, startTime=1)).code == -1128


async def test_what_the_venue_lived_can_be_taken_away_in_binances_formats(alpha) -> None:
    alpha.venue.step(3_000)
    await alpha.order("BUY", "0.1")

    async def recording(kind: str) -> tuple[int, str]:
        async with alpha.session.get(f"{alpha.venue.control_url}/control/recording?symbol=BTCUSDT&kind={kind}") as response:
            return response.status, await response.text()

    lines = (await recording("1s"))[1].splitlines()
    assert lines[0].startswith("open_time,open,high,low,close,volume,close_time")
    assert all(len(each.split(",")) == 12 and int(each.split(",")[6]) < alpha.venue.state.clock.now_ms() for each in lines[1:])
    trades = (await recording("trades"))[1].splitlines()
    assert trades[0] == "id,price,qty,quote_qty,time,is_buyer_maker"
    assert trades[-1].split(",")[2] == "0.100"
    assert (await recording("5m"))[0] == 400


async def test_a_deposit_is_told_on_the_stream(alpha, await_event) -> None:
    stream = await alpha.user_stream()
    await alpha.control("POST", "deposit", {"account": "alpha", "amountUsdt": "500"})
    update = (await await_event(stream, "ACCOUNT_UPDATE"))["a"]
    assert (update["m"], update["B"][0]["wb"], update["B"][0]["bc"]) == ("DEPOSIT", "10500.00000000", "500.00000000")


async def test_an_ordered_funding_rate_is_told_and_paid_at_its_time(alpha, await_event) -> None:
    await alpha.order("BUY", "0.1")
    ordered = await alpha.control("POST", "funding", {"symbol": "BTCUSDT", "rate": "0.01"})
    premium = (await alpha.raw("GET", "/fapi/v1/premiumIndex?symbol=BTCUSDT")).body
    assert (premium["lastFundingRate"], premium["nextFundingTime"]) == ("0.01000000", ordered["nextFundingMs"])
    await alpha.control("POST", "price", {"symbol": "BTCUSDT", "price": "90000"})
    stream = await alpha.user_stream()
    mark = await alpha.stream("/market/ws/btcusdt@markPrice@1s")
    alpha.venue.state.clock.advance(ordered["nextFundingMs"] - alpha.venue.state.clock.now_ms() - 100)
    alpha.venue.step(100)
    update = (await await_event(stream, "ACCOUNT_UPDATE"))["a"]
    assert (update["m"], update["B"][0]["bc"], update["P"]) == ("FUNDING_FEE", "-90.00000000", [])
    assert (await await_event(mark, "markPriceUpdate"))["r"] == "0.01000000"
    (income,) = (await alpha.call("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")).body
    assert (income["income"], income["symbol"]) == ("-90.00000000", "BTCUSDT")
    (paid,) = (await alpha.raw("GET", "/fapi/v1/fundingRate?symbol=BTCUSDT")).body
    assert (paid["fundingRate"], paid["fundingTime"]) == ("0.01000000", ordered["nextFundingMs"])
    seen = await alpha.control("GET", "accounts/alpha")
    assert seen["fundingUsdt"] == "-90.00000000"


async def test_accept_then_503_leaves_a_live_order_behind_an_unknown_answer(alpha) -> None:
    await alpha.control("POST", "faults", [{"kind": "accept_then_503", "path": "/fapi/v1/order", "method": "POST", "count": 1}])
    answer = await alpha.order("BUY", "0.1", price="89000", newClientOrderId="lost")
    assert (answer.status, answer.body["msg"]) == (503, "Unknown error, please check your request or try again later.")
    assert (await alpha.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="lost")).body["status"] == "NEW"
    (entry,) = await alpha.control("GET", "orders?clientId=lost&what=accepted")
    assert entry["fault"] == "accept_then_503"


async def test_a_dropped_answer_leaves_a_live_order_too(alpha) -> None:
    await alpha.control("POST", "faults", {"kind": "drop_answer", "method": "POST", "count": 1})
    with pytest.raises(aiohttp.ClientError):
        await alpha.order("BUY", "0.1", price="89000", newClientOrderId="lost")
    assert (await alpha.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="lost")).body["status"] == "NEW"


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ({"kind": "http_503_unknown"}, 503, "Unknown error, please check your request or try again later."),
        ({"kind": "http_503_service_unavailable"}, 503, "Service Unavailable."),
        ({"kind": "rate_limit_429", "retryAfterSeconds": 7}, 429, "Too many requests"),
        ({"kind": "reject_code", "code": -1008, "message": "Request throttled", "httpStatus": 503}, 503, "Request throttled"),
    ],
)
async def test_a_refusing_fault_does_nothing(alpha, fault: dict, status: int, message: str) -> None:
    await alpha.control("POST", "faults", fault | {"count": 1, "account": "alpha"})
    answer = await alpha.order("BUY", "0.1")
    assert answer.status == status
    assert answer.body["msg"].startswith(message)
    assert not alpha.venue.accounts["alpha"].orders
    assert (await alpha.order("BUY", "0.1")).status == 200


async def test_a_fault_for_one_account_spares_the_other(alpha, beta) -> None:
    await alpha.control("POST", "faults", {"kind": "http_503_unknown", "account": "alpha"})
    assert (await alpha.order("BUY", "0.1")).status == 503
    assert (await beta.order("BUY", "0.1")).status == 200
    await alpha.control("DELETE", "faults")
    assert (await alpha.order("BUY", "0.1")).status == 200


async def test_a_ban_names_its_end_and_is_lifted_with_the_faults(alpha) -> None:
    await alpha.control("POST", "faults", {"kind": "ban_418", "count": 1, "retryAfterSeconds": 60})
    for _ in range(2):
        banned = await alpha.order("BUY", "0.1")
        assert (banned.status, banned.code) == (418, -1003)
        assert "banned until" in banned.body["msg"]
        assert 1 <= int(banned.headers["Retry-After"]) <= 60
    await alpha.control("DELETE", "faults")
    assert (await alpha.order("BUY", "0.1")).status == 200


async def test_a_delay_holds_the_answer_back(alpha) -> None:
    await alpha.control("POST", "faults", {"kind": "delay_ms", "delayMs": 300, "count": 1, "path": "/fapi/v1/time"})
    started = asyncio.get_running_loop().time()
    await alpha.raw("GET", "/fapi/v1/time")
    assert asyncio.get_running_loop().time() - started >= 0.3


async def test_a_silent_stream_answers_pings_but_tells_nothing(alpha, await_event) -> None:
    """Heartbeats do not prove completeness: the order happened, nobody was told, and nothing is replayed."""
    stream = await alpha.user_stream()
    await alpha.control("POST", "faults", {"kind": "stream_silent", "account": "alpha"})
    await alpha.order("BUY", "0.1", newClientOrderId="unheard")
    async with asyncio.timeout(5):
        await stream.ping()
    await alpha.control("DELETE", "faults")
    await alpha.order("SELL", "0.1", newClientOrderId="heard")
    assert (await await_event(stream, "ORDER_TRADE_UPDATE"))["o"]["c"] == "heard"


async def test_a_cut_stream_stays_away_while_the_fault_lasts_and_comes_back_without_replay(alpha, await_event) -> None:
    stream = await alpha.user_stream()
    await alpha.control("POST", "faults", {"kind": "stream_cut", "account": "alpha", "path": "/private"})
    assert (await stream.receive(timeout=5)).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR}
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await alpha.user_stream()
    await alpha.order("BUY", "0.1", newClientOrderId="missed")
    await alpha.control("DELETE", "faults")
    stream = await alpha.user_stream()
    await alpha.order("SELL", "0.1", newClientOrderId="after")
    assert (await await_event(stream, "ORDER_TRADE_UPDATE"))["o"]["c"] == "after"


async def test_an_ordered_deleveraging_comes_as_an_order_that_the_client_never_sent(alpha, await_event) -> None:
    await alpha.order("BUY", "0.3")
    await alpha.control("POST", "price", {"symbol": "BTCUSDT", "price": "99000"})
    (risk,) = (await alpha.call("GET", "/fapi/v3/positionRisk")).body
    assert risk["adl"] == 4
    assert (await alpha.call("GET", "/fapi/v1/adlQuantile")).body == [
        {"symbol": "BTCUSDT", "adlQuantile": {"LONG": 0, "SHORT": 0, "BOTH": 4}}
    ]
    stream = await alpha.user_stream()
    market = await alpha.stream("/market/ws/btcusdt@aggTrade")
    await alpha.control("POST", "adl", {"account": "alpha", "symbol": "BTCUSDT", "quantity": "0.1", "price": "98000"})
    assert (await await_event(stream, "ORDER_TRADE_UPDATE"))["o"]["X"] == "NEW"
    event = (await await_event(stream, "ORDER_TRADE_UPDATE"))["o"]
    assert (event["c"], event["x"], event["X"], event["l"], event["L"]) == ("adl_autoclose", "CALCULATED", "FILLED", "0.100", "98000")
    (position,) = (await await_event(stream, "ACCOUNT_UPDATE"))["a"]["P"]
    assert position["pa"] == "0.200"
    await alpha.order("BUY", "0.002")
    assert (await await_event(market, "aggTrade"))["q"] == "0.002", "a deleveraging is no public trade"
    await alpha.control("POST", "adl", {"account": "alpha", "symbol": "BTCUSDT"})
    for kind, count in (("ADL", 2), ("LIQUIDATION", 0)):
        assert len((await alpha.call("GET", "/fapi/v1/forceOrders", autoCloseType=kind)).body) == count
    assert (await alpha.control("GET", "accounts/alpha"))["isFlat"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"account": "alpha", "symbol": "BTCUSDT"}, 400),
        ({"account": "alpha", "symbol": "XRPUSDT"}, 404),
        ({"account": "alpha", "symbol": "BTCUSDT", "quantity": "0.0"}, 400),
    ],
)
async def test_a_deleveraging_of_nothing_is_refused(alpha, body: dict, status: int) -> None:
    async with alpha.session.post(f"{alpha.venue.control_url}/control/adl", json=body) as response:
        assert response.status == status


async def test_a_margin_call_comes_as_orders_that_the_client_never_sent(alpha, await_event) -> None:
    stream = await alpha.user_stream()
    await alpha.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
    await alpha.order("BUY", "2")
    await alpha.control("POST", "price", {"symbol": "BTCUSDT", "price": "84000"})
    event = await await_event(stream, "ORDER_TRADE_UPDATE", x="CALCULATED")
    assert event["o"]["c"].startswith("autoclose-")
    assert (await alpha.control("GET", "accounts/alpha"))["isFlat"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("shock", {"bps": -10_000}, 400),
        ("shock", {"bps": -100, "symbol": "DOGEUSDT"}, 404),
        ("faults", [{"kind": "fire"}], 400),
        ("faults", [{"kind": "delay_ms", "delay": 5}], 400),
        ("deposit", {"account": "nobody", "amountUsdt": "1"}, 404),
        ("deposit", {"account": "alpha", "amountUsdt": "-10000.01"}, 400),
        ("price", {"symbol": "BTCUSDT", "price": "0"}, 400),
    ],
)
async def test_a_wrong_order_is_explained(alpha, path: str, body: object, status: int) -> None:
    async with alpha.session.post(f"{alpha.venue.control_url}/control/{path}", json=body) as response:
        assert response.status == status
        assert (await response.json())["error"]


async def test_the_control_api_describes_itself(alpha) -> None:
    async with alpha.session.get(f"{alpha.venue.control_url}/control") as response:
        bodies = (await response.json())["bodies"]
    assert {"ShockOrder", "FaultOrder"} <= set(bodies)


async def test_a_running_venue_is_not_stepped(running) -> None:
    async with running.session.post(f"{running.venue.control_url}/control/step", json={"ms": 10}) as response:
        assert response.status == 409
