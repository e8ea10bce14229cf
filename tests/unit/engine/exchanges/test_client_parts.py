"""The pure parts of the Binance client."""

import re
from decimal import Decimal

from quantum_engine.domain import Fill, OrderIntent, OrderStatus, OrderView, Side
from quantum_engine.exchanges.binance_futures import translate, wire
from quantum_engine.exchanges.binance_futures.backoff import Backoff
from quantum_engine.exchanges.binance_futures.once import SeenOnce
from quantum_engine.exchanges.binance_futures.quotes import QuoteBoard
from quantum_engine.exchanges.binance_futures.signing import Credentials, signed_query
from quantum_engine.exchanges.port import OrderUpdate

FILL = Fill("BTCUSDT", 7, 1, "id", Side.BUY, Decimal(1), Decimal(2), Decimal(0), Decimal(0), 5)
ORDER = OrderView("BTCUSDT", 1, "id", Side.BUY, OrderStatus.FILLED, Decimal(1), Decimal(1), Decimal(0), False, 5)


def test_the_signature_is_the_one_of_the_venues_own_example() -> None:
    """developers.binance.com, USDⓈ-M futures, general info, "SIGNED endpoint examples"."""
    secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": 1, "price": 9000, "timeInForce": "GTC"}
    query = signed_query(params, Credentials("key", secret), 1591702613943, 5000)
    assert query.startswith(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
    )
    assert query.endswith("&signature=3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9")


def test_the_secret_is_not_printed() -> None:
    assert "hush" not in repr(Credentials("key", "hush"))


def test_quantities_are_written_without_exponent() -> None:
    params = translate.order_params(OrderIntent("i", "BTCUSDT", Side.SELL, Decimal("1E+2"), Decimal("1E-3"), True), "id")
    assert (params["quantity"], params["price"], params["reduceOnly"]) == ("100", "0.001", "true")


def test_what_arithmetic_leaves_behind_the_point_does_not_reach_the_venue() -> None:
    """0.054 that was cut from a quotient has 28 digits; the venue answers -1100 to more than 20."""
    left_over = Decimal("0.0540000001") / 3 * 3 % Decimal("0.001") + Decimal("1.649000000000000000000000000")
    assert translate.plain(left_over - left_over % Decimal("0.001")) == "1.649"
    assert translate.plain(Decimal("100")) == "100"


def test_a_status_that_nobody_knows_counts_as_open() -> None:
    message = wire.Order("BTCUSDT", 1, "id", "BUY", "NEW_ADL", Decimal(1), Decimal(0))
    assert translate.order(message).status.is_open


def test_a_close_position_order_counts_as_reduce_only() -> None:
    message = wire.AlgoOrder("BTCUSDT", 1, "id", "BUY", "NEW", close_position=True)
    assert translate.algo_order(message).reduce_only


def test_a_trade_told_early_comes_again_with_its_fee_but_never_a_third_time() -> None:
    once = SeenOnce()
    early = once.trade_lite(FILL)
    assert early is not None
    assert early.fill == FILL
    assert once.trade_lite(FILL) is None
    assert once.order_update(OrderUpdate(ORDER, FILL)).fill == FILL
    assert once.order_update(OrderUpdate(ORDER, FILL)) == OrderUpdate(ORDER, None)
    assert once.trade_lite(FILL) is None


def test_the_memory_of_trades_is_bounded() -> None:
    once = SeenOnce(most=1)
    once.trade_lite(FILL)
    once.trade_lite(Fill("ETHUSDT", 7, 1, "id", Side.BUY, Decimal(1), Decimal(2), Decimal(0), Decimal(0), 5))
    assert once.trade_lite(FILL) is not None


def test_a_quote_is_as_old_as_its_mark() -> None:
    board = QuoteBoard()
    board.mark("BTCUSDT", Decimal(100), 1.0)
    board.book("BTCUSDT", Decimal(99), Decimal(101), 9.0)
    (quote,) = board.take()
    assert (quote.received_at, quote.bid, quote.ask) == (1.0, Decimal(99), Decimal(101))
    assert board.take() == []


def test_a_book_whose_connection_is_gone_is_no_price() -> None:
    board = QuoteBoard()
    board.mark("BTCUSDT", Decimal(100), 1.0)
    board.book("BTCUSDT", Decimal(99), Decimal(0), 1.0)
    assert board.take()[0].ask is None
    board.forget_book()
    (quote,) = board.take()
    assert (quote.mark, quote.bid, quote.ask) == (Decimal(100), None, None)


def test_waits_double_to_a_bound_and_begin_anew_after_success() -> None:
    backoff = Backoff(lambda: 1.0, first_seconds=1.0, most_seconds=4.0)
    assert [round(backoff.next_seconds(), 2) for _ in range(4)] == [1.1, 2.2, 4.4, 4.4]
    backoff.succeeded()
    assert round(backoff.next_seconds(), 2) == 1.1


def test_the_client_order_id_fits_the_venues_pattern() -> None:
    from quantum_engine.execution.intents import client_order_id

    for intent_id in ("a", "BTCUSDT-1-open", "ünï" * 200):
        assert re.fullmatch(r"[.A-Z:/a-z0-9_-]{1,36}", client_order_id(intent_id))
    assert client_order_id("a") == client_order_id("a") != client_order_id("b")
