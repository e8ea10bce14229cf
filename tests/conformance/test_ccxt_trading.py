"""ccxt, unmodified, trades on the venue: what it parses is what the venue's books say."""

from decimal import Decimal
from typing import Any

BTC = "BTC/USDT:USDT"


def test_it_loads_the_markets(exchange: Any) -> None:
    """Steps, minimum and kind of each market come out of exchangeInfo."""
    markets = exchange.load_markets()
    assert sorted(markets) == [BTC, "ETH/USDT:USDT", "SOL/USDT:USDT"]
    market = markets[BTC]
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.001, 0.1)
    assert (market["limits"]["cost"]["min"], market["limits"]["market"]["max"]) == (100.0, 120.0)
    assert market["linear"]
    assert market["active"]
    assert exchange.amount_to_precision(BTC, 0.0129) == "0.012"


def test_a_market_order_is_filled_and_its_trades_are_listed(exchange: Any, venue: Any) -> None:
    placed = exchange.create_order(BTC, "market", "buy", 0.3)
    asked = exchange.fetch_order(placed["id"], BTC)
    assert (asked["status"], asked["filled"], asked["clientOrderId"]) == ("closed", 0.3, placed["clientOrderId"])
    trades = exchange.fetch_my_trades(BTC)
    assert {each["order"] for each in trades} == {placed["id"]}
    fills = venue.account.fills
    assert [(Decimal(str(each["price"])), Decimal(str(each["amount"]))) for each in trades] == [
        (each.price, each.quantity) for each in fills
    ]
    assert sum(Decimal(str(each["fee"]["cost"])) for each in trades) == venue.account.fees
    assert asked["average"] == float(round(sum(each.price * each.quantity for each in fills) / sum(each.quantity for each in fills), 5))


def test_a_limit_order_rests_is_edited_and_is_canceled(exchange: Any, venue: Any) -> None:
    placed = exchange.create_order(BTC, "limit", "buy", 0.01, 89_000, {"postOnly": True})
    (resting,) = exchange.fetch_open_orders(BTC)
    assert (resting["id"], resting["status"], resting["price"], resting["postOnly"]) == (placed["id"], "open", 89_000.0, True)
    edited = exchange.edit_order(placed["id"], BTC, "limit", "buy", 0.02, 88_500)
    assert (edited["id"], edited["amount"], edited["price"]) == (placed["id"], 0.02, 88_500.0)
    assert exchange.cancel_order(placed["id"], BTC)["status"] == "canceled"
    assert exchange.fetch_open_orders(BTC) == []
    assert not venue.account.all_open()
    assert [each["status"] for each in exchange.fetch_orders(BTC)] == ["canceled"]


def test_batches_place_and_cancel_and_the_rest_is_canceled_at_once(exchange: Any, venue: Any) -> None:
    orders = [{"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": 88_000 + n} for n in range(4)]
    placed = exchange.create_orders(orders)
    assert [each["price"] for each in placed] == [88_000.0, 88_001.0, 88_002.0, 88_003.0]
    canceled = exchange.cancel_orders([each["id"] for each in placed[:2]], BTC)
    assert [each["status"] for each in canceled] == ["canceled", "canceled"]
    exchange.cancel_all_orders(BTC)
    assert not venue.account.all_open()


def test_a_refused_order_of_a_batch_stops_none_of_the_others(exchange: Any, venue: Any) -> None:
    orders = [{"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": price} for price in (88_000, 20_000_000, 88_001)]
    placed = exchange.create_orders(orders)
    assert sorted(each["status"] for each in placed) == ["open", "open", "rejected"]
    assert [each.price for each in venue.account.all_open()] == [88_000, 88_001]


def test_a_conditional_order_lives_with_the_algo_service(exchange: Any, venue: Any) -> None:
    exchange.create_order(BTC, "market", "buy", 0.01)
    stop = exchange.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 85_000, "reduceOnly": True})
    assert exchange.fetch_open_orders(BTC) == []
    (waiting,) = exchange.fetch_open_orders(BTC, params={"trigger": True})
    assert (waiting["id"], waiting["triggerPrice"], waiting["reduceOnly"]) == (stop["id"], 85_000.0, True)
    other = exchange.create_order(BTC, "market", "sell", 0.01, None, {"takeProfitPrice": 95_000, "reduceOnly": True})
    exchange.cancel_order(other["id"], BTC, {"trigger": True})
    exchange.cancel_all_orders(BTC)
    assert [each["id"] for each in exchange.fetch_open_orders(BTC, params={"trigger": True})] == [stop["id"]]
    exchange.cancel_all_orders(BTC, {"trigger": True})
    assert exchange.fetch_open_orders(BTC, params={"trigger": True}) == []
    assert not venue.account.open_algos()


def test_positions_balance_and_leverage_are_as_in_the_books(exchange: Any, venue: Any) -> None:
    assert exchange.fetch_balance()["USDT"] == {"free": 10_000.0, "used": 0.0, "total": 10_000.0}
    exchange.set_leverage(5, BTC)
    exchange.create_order(BTC, "market", "sell", 0.1)
    (position,) = exchange.fetch_positions([BTC])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("short", 0.1, 89_999.9)
    assert (position["initialMargin"], position["marginMode"]) == (1_800.0, "cross")
    assert position["liquidationPrice"] > 180_000
    (by_account,) = exchange.fetch_account_positions([BTC], {"useV2": True})
    assert by_account["leverage"] == 5.0
    equity = venue.account.wallet + venue.account.position("BTCUSDT").unrealised(Decimal(90_000))
    assert exchange.fetch_balance()["USDT"]["total"] == float(equity)
    assert exchange.fetch_leverage(BTC)["longLeverage"] == 5
    assert exchange.fetch_position_mode(BTC)["hedged"] is False


def test_prices_books_candles_and_trades_are_the_markets(exchange: Any, venue: Any) -> None:
    exchange.create_order(BTC, "market", "buy", 0.01)
    assert exchange.fetch_ticker(BTC)["last"] == 90_000.1
    book = exchange.fetch_order_book(BTC, 5)
    assert (book["bids"][0][0], book["asks"][0][0], len(book["bids"])) == (89_999.9, 90_000.1, 5)
    assert exchange.fetch_bids_asks([BTC])[BTC]["ask"] == 90_000.1
    assert len(exchange.fetch_ohlcv(BTC, "5m", limit=10)) == 10
    (trade,) = exchange.fetch_trades(BTC)
    assert (trade["price"], trade["amount"], trade["side"]) == (90_000.1, 0.01, "buy")
    assert exchange.fetch_mark_price(BTC)["markPrice"] == 90_000.0
    assert exchange.fetch_last_prices([BTC])[BTC]["price"] == 90_000.1
    assert exchange.fetch_leverage_tiers([BTC])[BTC][0]["maxLeverage"] == 125.0


def test_every_kind_of_conditional_order_is_taken(exchange: Any, venue: Any) -> None:
    """Stop and take-profit with a limit price, and a trailing stop."""
    exchange.create_order(BTC, "market", "buy", 0.04)
    for kind, price, params in (
        ("limit", 84_900, {"stopLossPrice": 85_000}),
        ("limit", 95_100, {"takeProfitPrice": 95_000}),
        ("market", None, {"takeProfitPrice": 96_000}),
        ("market", None, {"trailingPercent": 1}),
    ):
        exchange.create_order(BTC, kind, "sell", 0.01, price, params | {"reduceOnly": True})
    waiting = exchange.fetch_open_orders(BTC, params={"trigger": True})
    assert [each["info"]["orderType"] for each in waiting] == ["STOP", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
    venue.price("BTCUSDT", 95_050)
    (resting,) = exchange.fetch_open_orders(BTC)
    assert (resting["price"], resting["amount"], resting["reduceOnly"]) == (95_100.0, 0.01, True)


def test_long_and_short_stand_beside_each_other_in_hedge_mode(exchange: Any, venue: Any) -> None:
    exchange.load_markets()
    exchange.set_position_mode(True, BTC)
    assert exchange.fetch_position_mode(BTC)["hedged"] is True
    exchange.create_order(BTC, "market", "buy", 0.02, None, {"positionSide": "LONG"})
    exchange.create_order(BTC, "market", "sell", 0.01, None, {"positionSide": "SHORT"})
    assert {each["side"]: each["contracts"] for each in exchange.fetch_positions([BTC])} == {"long": 0.02, "short": 0.01}
    exchange.create_order(BTC, "market", "sell", 0.02, None, {"positionSide": "LONG"})
    assert [(each["side"], each["hedged"]) for each in exchange.fetch_positions([BTC])] == [("short", True)]
