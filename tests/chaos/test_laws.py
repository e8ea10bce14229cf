"""Each law finds the history that breaks it, and only that."""

from decimal import Decimal
from itertools import count
from typing import Any

from tests.chaos import laws
from tests.chaos.laws import ON_ITS_WAY_MS, Closed

NUMBERS = count(1)
SHUT = [Closed("a", 1_000, 9_000)]
AFTER_MS = 1_000 + ON_ITS_WAY_MS + 1


def order(at_ms: int, client_id: str = "c", account: str = "a", **more: Any) -> dict[str, Any]:
    base = {"seq": next(NUMBERS), "atMs": at_ms, "account": account, "what": "accepted", "request": "POST /fapi/v1/order"}
    return base | {"clientId": client_id, **more}


def fill(at_ms: int, side: str, quantity: str, client_id: str = "c", price: str = "100") -> dict[str, Any]:
    base = {"seq": next(NUMBERS), "atMs": at_ms, "account": "a", "what": "fill", "symbol": "BTCUSDT", "clientId": client_id}
    return base | {"side": side, "quantity": quantity, "price": price}


def book(amount: str) -> list[dict[str, Any]]:
    held = [{"symbol": "BTCUSDT", "amount": amount}] if Decimal(amount) else []
    return [{"name": "a", "positions": held, "isFlat": not held, "openOrderCount": 0, "openAlgoOrderCount": 0}]


def test_an_entry_while_the_gate_is_shut_is_found_and_an_exit_or_one_of_another_time_or_engine_is_not() -> None:
    fine = [order(AFTER_MS, reduceOnly=True), order(999), order(9_000), order(AFTER_MS, account="b"), order(AFTER_MS, what="refused")]
    assert laws.no_entry_while_closed(fine, SHUT) == []
    assert len(laws.no_entry_while_closed([*fine, order(AFTER_MS)], SHUT)) == 1
    assert len(laws.no_entry_while_closed([order(AFTER_MS, request="POST /fapi/v1/algoOrder")], SHUT)) == 1
    assert len(laws.no_entry_while_closed([order(10**9)], [Closed("a", 1_000)])) == 1


def test_an_order_id_that_was_accepted_twice_is_found() -> None:
    assert laws.no_client_order_id_twice([order(1), order(2, account="b"), order(3, "d")]) == []
    assert len(laws.no_client_order_id_twice([order(1), order(2)])) == 1


def test_an_exit_that_overshoots_is_found() -> None:
    opened = fill(500, "BUY", "2")
    assert laws.positions_only_shrink([opened, fill(AFTER_MS, "SELL", "2")], SHUT) == []
    assert len(laws.positions_only_shrink([opened, fill(AFTER_MS, "SELL", "3")], SHUT)) == 1
    assert len(laws.positions_only_shrink([opened, fill(AFTER_MS, "BUY", "1")], SHUT)) == 1


def test_books_that_differ_from_the_fills_are_found() -> None:
    assert laws.fills_make_the_position([fill(1, "BUY", "2"), fill(2, "SELL", "1")], book("1")) == []
    assert len(laws.fills_make_the_position([fill(1, "BUY", "2")], book("1"))) == 1
    assert len(laws.fills_make_the_position([], book("1"))) == 1


def test_an_entry_above_an_acknowledged_limit_is_found() -> None:
    log = [order(AFTER_MS), fill(AFTER_MS, "BUY", "10")]
    assert laws.entries_within(log, 1_000, 1_000) == []
    assert len(laws.entries_within(log, 900, 1_000)) == 1
    assert laws.entries_within(log, 900, 5_000) == []


def test_an_account_that_holds_or_rests_something_is_not_flat() -> None:
    assert laws.flat(book("0")) == []
    assert len(laws.flat(book("1"))) == 1
    assert len(laws.flat([book("0")[0] | {"openAlgoOrderCount": 1}])) == 1


def test_an_order_before_an_engine_knew_what_it_holds_is_found_exits_too() -> None:
    assert laws.no_order_at_all([order(1, account="b")], "a") == []
    assert len(laws.no_order_at_all([order(1, reduceOnly=True)], "a")) == 1
