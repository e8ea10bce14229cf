"""The table of an intent's life."""

from decimal import Decimal

import pytest

from quantum_engine.domain import OrderIntent, Side
from quantum_engine.errors import CorruptStateError
from quantum_engine.execution.flight import FORGOTTEN_SECONDS, Flight
from quantum_engine.execution.intents import KEPT_SECONDS, TRANSITIONS, Happened, IntentState, IntentTable, decode, encode
from quantum_engine.execution.pace import Window
from quantum_engine.execution.retries import wait_before_retry

INTENT = OrderIntent("one", "BTCUSDT", Side.BUY, Decimal("0.1"), Decimal(5), reason="why")


def test_only_surely_not_done_leads_back_to_where_it_may_be_sent() -> None:
    ways_back = {arrow for arrow, state in TRANSITIONS.items() if state is IntentState.RECORDED}
    assert ways_back == {(IntentState.SENT, Happened.SURELY_NOT_DONE)}
    ways_to_send = {arrow[0] for arrow, state in TRANSITIONS.items() if state is IntentState.SENT}
    assert ways_to_send == {IntentState.RECORDED}


def test_a_final_state_stays() -> None:
    for (state, _), after in TRANSITIONS.items():
        if state.is_final:
            assert after is state


def test_an_arrow_that_is_not_in_the_table_raises_and_changes_nothing() -> None:
    table = IntentTable()
    record = table.record(INTENT, 0)
    table.move(record, Happened.SENDING, 5)
    with pytest.raises(KeyError):
        table.move(record, Happened.SENDING, 9)
    assert (record.state, record.sent_times, record.last_sent_ms) == (IntentState.SENT, 1, 5)


def test_a_record_comes_back_from_the_journal_as_it_was() -> None:
    record = IntentTable().record(INTENT, 7)
    assert decode("one", encode(record)) == record
    assert record.intent == INTENT


def test_a_record_that_cannot_be_read_is_named() -> None:
    with pytest.raises(CorruptStateError, match="one"):
        decode("one", b"{")


def test_final_intents_are_forgotten_after_a_day_and_open_ones_never() -> None:
    table = IntentTable()
    done, still_open = table.record(INTENT, 0), table.record(OrderIntent("two", "BTCUSDT", Side.BUY, Decimal(1)), 0)
    table.move(done, Happened.NOT_THERE, 0)
    assert table.prune(KEPT_SECONDS * 1_000) == []
    assert table.prune(KEPT_SECONDS * 1_000 + 1) == [done]
    assert "one" not in table
    assert table.open == (still_open,)


def test_a_window_forgets_what_is_older() -> None:
    window = Window(1.0)
    window.add(10.0)
    window.add(10.5)
    assert (window.count(10.99), window.count(11.0), window.count(11.5)) == (2, 1, 0)


def test_an_answered_order_counts_until_the_books_show_it() -> None:
    flight, order = Flight(), IntentTable().record(INTENT, 0).as_order
    flight.left(order)
    flight.answered(order.client_order_id, 10.0)
    assert flight.besides({}, 11.0) == [order]
    assert flight.besides({order.client_order_id: order}, 11.0) == []
    assert flight.besides({}, 10.0 + FORGOTTEN_SECONDS + 1) == []


@pytest.mark.parametrize(
    ("attempts", "is_exit", "retry_after", "wait"),
    [(1, False, 0.0, 0.1), (2, False, 0.0, 0.2), (3, False, 0.5, 0.5), (4, False, 0.0, None), (1, False, 7.0, None), (1, True, 7.0, 0.1),
     (4, True, 0.0, None)],
)  # fmt: skip
def test_an_exit_tries_on_where_an_entry_gives_up(attempts: int, is_exit: bool, retry_after: float, wait: float | None) -> None:
    assert wait_before_retry(attempts, is_exit, retry_after) == wait
