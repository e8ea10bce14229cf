"""Positions and orders from events in any order."""

from dataclasses import replace
from decimal import Decimal

from quantum_engine.domain import AccountView, Fill, OrderStatus, OrderView, PositionView, Quote, Side
from quantum_engine.exchanges.port import AccountUpdate, OrderUpdate
from quantum_engine.positions.book import Answers, PositionBook
from quantum_engine.positions.equity import unrealised_usdt
from quantum_engine.positions.line import PositionLine, Statement

BTC = "BTCUSDT"
ONE = Decimal(1)


def fill(trade_id: int, quantity: int, time_ms: int, price: int = 100) -> Fill:
    side = Side.BUY if quantity > 0 else Side.SELL
    return Fill(BTC, trade_id, 1, "id", side, Decimal(abs(quantity)), Decimal(price), Decimal(0), Decimal(0), time_ms)


def said(quantity: int, at_ms: int, entry: int = 100) -> Statement:
    return Statement(Decimal(quantity), Decimal(entry), at_ms, at_ms)


def order(status: OrderStatus = OrderStatus.NEW, executed: int = 0, time_ms: int = 10, **changes: object) -> OrderView:
    base = OrderView(BTC, 1, "id", Side.BUY, status, Decimal(5), Decimal(executed), Decimal(90), False, time_ms)
    return replace(base, **changes)  # type: ignore[arg-type]


def answers(*positions: PositionView, orders: tuple[OrderView, ...] = (), asked_ms: int = 10_000, wallet: int = 1_000) -> Answers:
    account = AccountView(Decimal(wallet), Decimal(0), Decimal(wallet), asked_ms)
    return Answers(account, positions, orders, asked_ms, asked_ms + 20)


def test_a_fill_told_twice_counts_once() -> None:
    line = PositionLine()
    assert line.fill(fill(1, 3, 10)) is not None
    assert line.fill(fill(1, 3, 10)) is None
    assert line.quantity == 3


def test_a_statement_that_comes_before_its_fills_is_not_added_to_them() -> None:
    line = PositionLine()
    line.state(said(5, 10))
    line.fill(fill(1, 3, 10))
    line.fill(fill(2, 2, 10))
    assert line.quantity == 5
    line.fill(fill(3, 4, 11))
    assert line.quantity == 9


def test_fills_of_one_millisecond_around_its_statements_never_look_too_large() -> None:
    """Told as fill, statement, fill, statement: the second fill counts at once, not only with its statement."""
    line = PositionLine()
    line.fill(fill(1, 5, 9))
    for trade_id, after in ((2, 3), (3, 1)):
        line.fill(fill(trade_id, -2, 10))
        assert line.quantity == after
        line.state(said(after, 10))
        assert line.quantity == after


def test_an_older_statement_changes_nothing() -> None:
    line = PositionLine()
    line.state(said(5, 20))
    line.state(said(9, 10))
    assert line.quantity == 5


def test_the_entry_price_is_the_average_of_what_opened() -> None:
    line = PositionLine()
    line.fill(fill(1, 1, 1, price=100))
    line.fill(fill(2, 3, 2, price=200))
    assert line.entry_price == 175
    line.fill(fill(3, -2, 3, price=999))
    assert line.entry_price == 175
    line.fill(fill(4, -4, 4, price=300))
    assert (line.quantity, line.entry_price) == (-2, 300)
    line.fill(fill(5, 2, 5))
    assert (line.quantity, line.entry_price) == (0, 0)


def test_a_symbol_that_the_exchange_does_not_list_is_flat() -> None:
    book = PositionBook()
    book.fill(fill(1, 5, 100))
    book.reconcile(answers())
    assert book.line(BTC).quantity == 0


def test_a_fill_that_the_answer_already_held_is_not_counted_again_when_the_stream_brings_it() -> None:
    book = PositionBook()
    book.fill(fill(1, 5, 100))
    book.reconcile(answers())
    book.fill(fill(2, -5, 10_010))
    assert book.line(BTC).quantity == 0


def test_a_fill_after_the_answer_was_made_survives_it() -> None:
    book = PositionBook()
    book.fill(fill(1, 5, 100))
    book.fill(fill(2, 2, 10_300))
    book.reconcile(answers(PositionView(BTC, Decimal(5), Decimal(100), None, 100)))
    assert book.line(BTC).quantity == 7


def test_a_listed_position_replaces_what_missed_fills_left_wrong() -> None:
    book = PositionBook()
    book.account(AccountUpdate(None, (PositionView(BTC, Decimal(3), Decimal(100)),), "ORDER", 9_000))
    book.reconcile(answers(PositionView(BTC, Decimal(8), Decimal(110), None, 8_000)))
    assert (book.line(BTC).quantity, book.line(BTC).entry_price) == (8, 110)


def test_the_position_never_lags_behind_its_order() -> None:
    book = PositionBook()
    book.order(OrderUpdate(order(), None))
    book.order(OrderUpdate(order(OrderStatus.PARTIALLY_FILLED, 2, 11), fill(1, 2, 11)))
    assert (book.line(BTC).quantity, book.orders.open["id"].remaining) == (2, 3)


def test_an_ended_order_stays_ended() -> None:
    """A list that was read before the end must not bring the order back."""
    book = PositionBook()
    book.order(OrderUpdate(order(), None))
    book.order(OrderUpdate(order(OrderStatus.CANCELED, time_ms=12), None))
    book.reconcile(answers(orders=(order(),)))
    assert book.orders.open == {}


def test_an_order_that_is_not_listed_has_ended_unless_it_is_newer_than_the_question() -> None:
    book = PositionBook()
    book.order(OrderUpdate(order(), None))
    book.order(OrderUpdate(order(client_order_id="new", order_id=2, time_ms=10_010), None))
    book.reconcile(answers())
    assert set(book.orders.open) == {"new"}


def test_an_order_of_somebody_else_is_in_the_book() -> None:
    book = PositionBook()
    book.reconcile(answers(orders=(order(client_order_id="web_123", order_id=7, is_algo=True),)))
    assert set(book.orders.open) == {"web_123"}


def test_a_triggered_algo_order_does_not_hide_the_order_it_became() -> None:
    book = PositionBook()
    book.order(OrderUpdate(order(is_algo=True, order_id=70), None))
    book.order(OrderUpdate(order(order_id=71, time_ms=11), None))
    book.order(OrderUpdate(order(OrderStatus.FILLED, is_algo=True, order_id=70, time_ms=11), None))
    assert book.orders.open["id"].order_id == 71


def test_an_older_update_does_not_undo_a_newer_one() -> None:
    book = PositionBook()
    book.order(OrderUpdate(order(OrderStatus.PARTIALLY_FILLED, 3, 12), fill(1, 3, 12)))
    book.order(OrderUpdate(order(OrderStatus.NEW, 0, 10), None))
    assert book.orders.open["id"].executed == 3


def test_the_newest_word_on_the_wallet_counts() -> None:
    book = PositionBook()
    book.reconcile(answers(wallet=1_000, asked_ms=10_000))
    book.account(AccountUpdate(Decimal(900), (), "ORDER", 9_999))
    assert book.wallet_usdt == 1_000
    book.account(AccountUpdate(Decimal(950), (), "ORDER", 10_001))
    assert book.wallet_usdt == 950


def test_a_held_position_without_a_fresh_mark_has_no_known_value() -> None:
    from quantum_engine.domain import Quote

    lines = {BTC: PositionLine(quantity=Decimal(2), entry_price=Decimal(100)), "FLAT": PositionLine()}
    assert unrealised_usdt(lines, lambda _: Quote(BTC, Decimal(90), None, None, 95.0), 100.0) == -20
    assert "no mark" in str(unrealised_usdt(lines, lambda _: None, 100.0))
    assert "11 s old" in str(unrealised_usdt(lines, lambda _: Quote(BTC, Decimal(90), None, None, 89.0), 100.0))


def test_closing_at_the_mark_moves_no_equity_between_the_fill_and_the_new_balance() -> None:
    """The venue tells them apart; a jump up in between would lift the peak for ever, a jump down would trip the breaker falsely."""
    book = PositionBook()
    book.reconcile(answers(PositionView(BTC, Decimal(2), Decimal(100)), asked_ms=10_000, wallet=1_000))
    mark = Quote(BTC, Decimal(90), None, None, 0.0)
    seen = []

    def note() -> None:
        unrealised = unrealised_usdt(book.lines, lambda _: mark, 0.0)
        assert isinstance(unrealised, Decimal)
        assert book.settled_usdt is not None
        seen.append(book.settled_usdt + unrealised)

    note()
    book.fill(fill(1, -2, 20_000, price=90))
    note()
    book.account(AccountUpdate(Decimal(980), (PositionView(BTC, Decimal(0), Decimal(0)),), "ORDER", 20_000))
    note()
    assert seen == [980, 980, 980]


def test_a_flip_realises_only_what_it_closes() -> None:
    line = PositionLine()
    line.fill(fill(1, 2, 10, price=100))
    assert line.fill(fill(2, -5, 11, price=130)) == 60
    assert line.quantity == -3
    assert line.entry_price == 130
