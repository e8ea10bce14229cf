"""python-binance, unmodified, trades on the venue."""

from typing import Any

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}
STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "stopPrice": 85_000, "closePosition": "true"}


def test_it_reads_what_is_traded_and_at_what_price(client: Any) -> None:
    info = client.futures_exchange_info()
    assert [each["symbol"] for each in info["symbols"]] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert client.futures_ping() == {}
    assert client.futures_orderbook_ticker(symbol="BTCUSDT")["askPrice"] == "90000.1"
    assert client.futures_order_book(symbol="BTCUSDT", limit=5)["bids"][0][0] == "89999.9"
    assert client.futures_mark_price(symbol="BTCUSDT")["markPrice"] == "90000.00000000"
    assert client.futures_symbol_ticker(symbol="BTCUSDT")["price"] == "90000.0"
    assert {each["symbol"] for each in client.futures_ticker()} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
    assert len(client.futures_klines(symbol="BTCUSDT", interval="1h", limit=3)) == 3
    assert client.futures_leverage_bracket(symbol="BTCUSDT")["brackets"][0]["initialLeverage"] == 125


def test_a_market_order_is_filled_and_its_trades_are_listed(client: Any, venue: Any) -> None:
    placed = client.futures_create_order(**MARKET, quantity=0.3, newClientOrderId="mine")
    assert (placed["status"], placed["clientOrderId"]) == ("NEW", "mine")
    asked = client.futures_get_order(symbol="BTCUSDT", origClientOrderId="mine")
    assert (asked["status"], asked["executedQty"]) == ("FILLED", "0.300")
    trades = client.futures_account_trades(symbol="BTCUSDT", orderId=placed["orderId"])
    assert [(each["id"], each["price"]) for each in trades] == [(each.trade_id, f"{each.price}") for each in venue.account.fills]
    assert client.futures_aggregate_trades(symbol="BTCUSDT")[-1]["p"] == trades[-1]["price"]
    assert client.futures_recent_trades(symbol="BTCUSDT")[-1]["price"] == trades[-1]["price"]


def test_a_limit_order_rests_is_modified_and_is_canceled(client: Any, venue: Any) -> None:
    placed = client.futures_create_order(**LIMIT, quantity=0.01, price=89_000)
    number = placed["orderId"]
    assert [each["orderId"] for each in client.futures_get_open_orders()] == [number]
    changed = client.futures_modify_order(symbol="BTCUSDT", orderId=number, side="BUY", quantity=0.02, price=88_000)
    assert (changed["orderId"], changed["origQty"], changed["price"]) == (number, "0.020", "88000.0")
    assert client.futures_cancel_order(symbol="BTCUSDT", orderId=number)["status"] == "CANCELED"
    assert client.futures_get_all_orders(symbol="BTCUSDT")[0]["status"] == "CANCELED"
    assert not venue.account.all_open()


def test_a_test_order_is_judged_and_not_placed(client: Any, venue: Any) -> None:
    assert client.futures_create_test_order(**MARKET, quantity=0.01)["status"] == "NEW"
    assert not venue.account.orders


def test_batches_and_cancel_all(client: Any, venue: Any) -> None:
    orders = [LIMIT | {"quantity": "0.01", "price": str(88_000 + n)} for n in range(3)]
    placed = client.futures_place_batch_order(batchOrders=orders)
    assert [each["price"] for each in placed] == ["88000.0", "88001.0", "88002.0"]
    canceled = client.futures_cancel_orders(symbol="BTCUSDT", orderidlist=[each["orderId"] for each in placed[:2]])
    assert [each["status"] for each in canceled] == ["CANCELED", "CANCELED"]
    assert client.futures_cancel_all_open_orders(symbol="BTCUSDT")["code"] == 200
    assert client.futures_get_open_orders(symbol="BTCUSDT") == []
    assert not venue.account.all_open()


def test_a_stop_goes_to_the_algo_service_and_is_canceled_there(client: Any, venue: Any) -> None:
    client.futures_create_order(**MARKET, quantity=0.01)
    first, second = client.futures_create_order(**STOP), client.futures_create_order(**STOP | {"stopPrice": 84_000})
    assert [each["algoId"] for each in client.futures_get_open_algo_orders()] == [first["algoId"], second["algoId"]]
    client.futures_cancel_all_open_orders(symbol="BTCUSDT")
    assert client.futures_get_algo_order(algoId=first["algoId"])["algoStatus"] == "NEW"
    assert client.futures_cancel_algo_order(algoId=first["algoId"])["msg"] == "success"
    client.futures_cancel_all_algo_open_orders(symbol="BTCUSDT")
    assert [each["algoStatus"] for each in client.futures_get_all_algo_orders(symbol="BTCUSDT")] == ["CANCELED", "CANCELED"]
    assert not venue.account.open_algos()


def test_a_triggered_stop_closes_the_position(client: Any, venue: Any) -> None:
    client.futures_create_order(**MARKET, quantity=0.01)
    stop = client.futures_create_order(**STOP)
    venue.price("BTCUSDT", 84_000)
    done = client.futures_get_algo_order(algoId=stop["algoId"])
    assert done["algoStatus"] == "FINISHED"
    closing = client.futures_get_order(symbol="BTCUSDT", orderId=done["actualOrderId"])
    assert (closing["status"], closing["reduceOnly"]) == ("FILLED", True)
    assert client.futures_position_information(symbol="BTCUSDT") == []


def test_positions_balance_leverage_and_modes(client: Any, venue: Any) -> None:
    assert client.futures_change_leverage(symbol="BTCUSDT", leverage=5)["leverage"] == 5
    client.futures_create_order(**MARKET | {"side": "SELL"}, quantity=0.1)
    (position,) = client.futures_position_information(symbol="BTCUSDT")
    assert (position["positionAmt"], position["entryPrice"]) == ("-0.100", "89999.90000000")
    (balance,) = client.futures_account_balance()
    assert balance["balance"] == client.futures_account()["totalWalletBalance"] == f"{venue.account.wallet:.8f}"
    assert client.futures_get_position_mode() == {"dualSidePosition": False}
    assert client.futures_get_multi_assets_mode() == {"multiAssetsMargin": False}
    assert client.futures_account_config()["canTrade"] is True
    assert client.futures_symbol_config(symbol="BTCUSDT")[0]["leverage"] == 5
    assert client.futures_api_trading_status(symbol="BTCUSDT")["indicators"] == {}
    assert client.futures_commission_rate(symbol="BTCUSDT")["takerCommissionRate"] == "0.0005"
    assert {each["incomeType"] for each in client.futures_income_history()} == {"COMMISSION"}


def test_its_dead_mans_switch_cancels_when_it_is_not_renewed(client: Any, venue: Any) -> None:
    client.futures_create_order(**LIMIT, quantity=0.01, price=89_000)
    assert client.futures_countdown_cancel_all(symbol="BTCUSDT", countdownTime=1_000)["countdownTime"] == "1000"
    venue.step(1_000)
    assert client.futures_get_open_orders() == []


async def test_its_asynchronous_client_places_queries_and_cancels(async_client: Any, venue: Any) -> None:
    placed = await async_client.futures_create_order(**LIMIT, quantity=0.01, price=89_000)
    asked = await async_client.futures_get_order(symbol="BTCUSDT", orderId=placed["orderId"])
    assert asked["status"] == "NEW"
    batch = await async_client.futures_place_batch_order(batchOrders=[LIMIT | {"quantity": "0.01", "price": "88000"}])
    assert batch[0]["price"] == "88000.0"
    assert (await async_client.futures_cancel_order(symbol="BTCUSDT", orderId=placed["orderId"]))["status"] == "CANCELED"
