"""Binance's official SDK, unmodified, trades on the venue; every answer has the types that it declares."""

from typing import Any

import pytest
from binance_sdk_derivatives_trading_usds_futures.rest_api.models import PlaceMultipleOrdersBatchOrdersParameterInner

BTC = "BTCUSDT"
LIMIT = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}
MARKET = {"symbol": BTC, "side": "BUY", "type": "MARKET"}
STOP = {"algo_type": "CONDITIONAL", "symbol": BTC, "side": "SELL", "type": "STOP_MARKET", "quantity": 0.01, "reduce_only": "true"}


@pytest.fixture
def rest(sdk: Any) -> Any:
    return sdk.rest_api


def test_a_market_order_is_filled_and_its_trades_are_listed(rest: Any, venue: Any) -> None:
    placed = rest.new_order(**MARKET, quantity=0.3, new_client_order_id="mine").data()
    assert (placed.status, placed.client_order_id) == ("NEW", "mine")
    asked = rest.query_order(symbol=BTC, orig_client_order_id="mine").data()
    assert (asked.status, asked.executed_qty, asked.order_id) == ("FILLED", "0.300", placed.order_id)
    trades = rest.account_trade_list(symbol=BTC, order_id=placed.order_id).data()
    assert [(each.id, each.price, each.commission) for each in trades] == [
        (each.trade_id, f"{each.price}", f"{each.fee:.8f}") for each in venue.account.fills
    ]


def test_a_limit_order_rests_is_modified_and_is_canceled(rest: Any, venue: Any) -> None:
    number = rest.new_order(**LIMIT, price=89_000.0).data().order_id
    assert rest.query_current_open_order(symbol=BTC, order_id=number).data().status == "NEW"
    changed = rest.modify_order(symbol=BTC, side="BUY", quantity=0.02, price=88_000.0, order_id=number).data()
    assert (changed.order_id, changed.orig_qty, changed.price) == (number, "0.020", "88000.0")
    assert [each.price for each in rest.current_all_open_orders().data()] == ["88000.0"]
    assert rest.cancel_order(symbol=BTC, order_id=number).data().status == "CANCELED"
    assert [each.status for each in rest.all_orders(symbol=BTC).data()] == ["CANCELED"]
    assert not venue.account.all_open()


def test_batches_and_cancel_all(rest: Any, venue: Any) -> None:
    batch = [PlaceMultipleOrdersBatchOrdersParameterInner(**LIMIT, price=88_000.0 + n) for n in range(3)]
    placed = rest.place_multiple_orders(batch).data()
    assert [each.price for each in placed] == ["88000.0", "88001.0", "88002.0"]
    canceled = rest.cancel_multiple_orders(symbol=BTC, order_id_list=[each.order_id for each in placed[:2]]).data()
    assert [each.status for each in canceled] == ["CANCELED", "CANCELED"]
    assert rest.cancel_all_open_orders(symbol=BTC).data().code == 200
    assert not venue.account.all_open()


def test_conditional_orders_live_with_the_algo_service(rest: Any, venue: Any) -> None:
    rest.new_order(**MARKET, quantity=0.01)
    first = rest.new_algo_order(**STOP, trigger_price=85_000.0, client_algo_id="stop").data()
    second = rest.new_algo_order(**STOP, trigger_price=84_000.0).data()
    assert rest.current_all_open_orders().data() == []
    assert [each.algo_id for each in rest.current_all_algo_open_orders().data()] == [first.algo_id, second.algo_id]
    rest.cancel_all_open_orders(symbol=BTC)
    assert rest.query_algo_order(client_algo_id="stop").data().algo_status == "NEW"
    assert rest.cancel_algo_order(algo_id=first.algo_id).data().msg == "success"
    rest.cancel_all_algo_open_orders(symbol=BTC)
    assert [each.algo_status for each in rest.query_all_algo_orders(symbol=BTC).data()] == ["CANCELED", "CANCELED"]
    assert not venue.account.open_algos()


def test_positions_balance_leverage_and_brackets(rest: Any, venue: Any) -> None:
    assert rest.change_initial_leverage(symbol=BTC, leverage=5).data().max_notional_value == "20000000"
    rest.new_order(**MARKET | {"side": "SELL"}, quantity=0.1)
    (position,) = rest.position_information_v3().data()
    assert (position.position_amt, position.entry_price) == ("-0.100", "89999.90000000")
    assert {each.symbol: each.leverage for each in rest.position_information_v2().data()}[BTC] == "5"
    wallet = f"{venue.account.wallet:.8f}"
    assert rest.futures_account_balance_v3().data()[0].balance == wallet
    assert rest.account_information_v3().data().total_wallet_balance == wallet
    assert rest.notional_and_leverage_brackets(symbol=BTC).data().actual_instance.brackets[0].initial_leverage == 125


READ = [
    ("exchange_information", {}),
    ("check_server_time", {}),
    ("order_book", {"symbol": BTC, "limit": 5}),
    ("kline_candlestick_data", {"symbol": BTC, "interval": "5m", "limit": 3}),
    ("mark_price", {"symbol": BTC}),
    ("mark_price", {}),
    ("symbol_order_book_ticker", {"symbol": BTC}),
    ("symbol_price_ticker_v2", {}),
    ("ticker24hr_price_change_statistics", {"symbol": BTC}),
    ("ticker24hr_price_change_statistics", {}),
    ("recent_trades_list", {"symbol": BTC}),
    ("old_trades_lookup", {"symbol": BTC}),
    ("compressed_aggregate_trades_list", {"symbol": BTC}),
    ("get_funding_rate_history", {}),
    ("get_funding_rate_info", {}),
    ("account_information_v2", {}),
    ("futures_account_configuration", {}),
    ("futures_trading_quantitative_rules_indicators", {}),
    ("get_current_multi_assets_mode", {}),
    ("get_current_position_mode", {}),
    ("get_income_history", {}),
    ("notional_and_leverage_brackets", {}),
    ("query_user_rate_limit", {}),
    ("symbol_configuration", {}),
    ("user_commission_rate", {"symbol": BTC}),
    ("auto_cancel_all_open_orders", {"symbol": BTC, "countdown_time": 5_000}),
    ("users_force_orders", {}),
    ("test_order", MARKET | {"quantity": 0.01}),
]


def test_whatever_it_asks_it_can_read(rest: Any, venue: Any) -> None:
    """The fixture fails on any answer whose types are not the declared ones."""
    rest.new_order(**MARKET, quantity=0.01)
    for name, params in READ:
        answer = getattr(rest, name)(**params)
        assert answer.data() is not None, name
        assert any(each.rateLimitType == "REQUEST_WEIGHT" for each in answer.rate_limits), name


def test_it_reads_the_rate_limits_of_its_orders(rest: Any) -> None:
    counts = {(each.interval, each.intervalNum): each.count for each in rest.new_order(**MARKET, quantity=0.01).rate_limits}
    again = {(each.interval, each.intervalNum): each.count for each in rest.new_order(**MARKET, quantity=0.01).rate_limits}
    assert set(counts) == {("MINUTE", 1), ("SECOND", 10)}
    assert again[("SECOND", 10)] in {counts[("SECOND", 10)] + 1, 1}


def test_long_and_short_stand_beside_each_other_in_hedge_mode(rest: Any, venue: Any) -> None:
    assert rest.change_position_mode(dual_side_position="true").data().code == 200
    assert rest.get_current_position_mode().data().dual_side_position is True
    rest.new_order(**MARKET, quantity=0.02, position_side="LONG")
    rest.new_order(**MARKET | {"side": "SELL"}, quantity=0.01, position_side="SHORT")
    assert {each.position_side: each.position_amt for each in rest.position_information_v3().data()} == {"LONG": "0.020", "SHORT": "-0.010"}
