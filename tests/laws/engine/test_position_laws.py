"""Position = sum of fills, for any interleaving, delay and repetition of what the exchange says."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_engine.domain import AccountView, Fill, OrderStatus, OrderView, PositionView, Side
from quantum_engine.exchanges.port import AccountUpdate, OrderUpdate
from quantum_engine.positions.book import Answers, PositionBook

BTC = "BTCUSDT"
START_MS = 1_000_000


@dataclass(frozen=True)
class Trade:
    quantity: int
    after_ms: int


SPACED = st.lists(st.builds(Trade, st.integers(-5, 5).filter(bool), st.sampled_from([600, 5_000])), max_size=12)
"""Further apart than our doubt about the exchange's clock."""
TRADES = st.lists(st.builds(Trade, st.integers(-5, 5).filter(bool), st.sampled_from([0, 0, 1, 3, 400, 5_000])), max_size=12)


def history(trades: list[Trade]) -> list[tuple[Fill, int]]:
    """Each fill with the position after it."""
    now_ms, held, found = START_MS, 0, []
    for number, trade in enumerate(trades, 1):
        now_ms += trade.after_ms
        held += trade.quantity
        side = Side.BUY if trade.quantity > 0 else Side.SELL
        found.append(
            (
                Fill(BTC, number, number, f"o{number}", side, Decimal(abs(trade.quantity)), Decimal(100), Decimal(0), Decimal(0), now_ms),
                held,
            )
        )
    return found


def told(fill: Fill) -> OrderUpdate:
    order = OrderView(
        BTC,
        fill.order_id,
        fill.client_order_id,
        fill.side,
        OrderStatus.FILLED,
        fill.quantity,
        fill.quantity,
        Decimal(0),
        False,
        fill.time_ms,
    )
    return OrderUpdate(order, fill)


def asked(book: PositionBook, fills: list[tuple[Fill, int]], now_ms: int) -> None:
    """The exchange answers from what has happened until ``now_ms``, whatever the stream has told by then."""
    done = [(fill, held) for fill, held in fills if fill.time_ms <= now_ms]
    held = done[-1][1] if done else 0
    listed = (PositionView(BTC, Decimal(held), Decimal(100), None, done[-1][0].time_ms),) if held else ()
    account = AccountView(Decimal(1), Decimal(0), Decimal(1), now_ms)
    book.reconcile(Answers(account, listed, (), now_ms - 5, now_ms + 5))


def told_and_asked(trades: list[Trade], data: st.DataObject) -> tuple[PositionBook, list[tuple[Fill, int]]]:
    """Each kind of event keeps its own order, as the exchange promises; between kinds anything goes, and everything may come twice."""
    fills = history(trades)
    queues = [
        [("order", fill, held) for fill, held in fills],
        [("account", fill, held) for fill, held in fills],
        [("lite", fill, held) for fill, held in fills if data.draw(st.booleans())],
    ]
    book, now_ms = PositionBook(), START_MS
    while any(queues):
        kind, fill, held = data.draw(st.sampled_from([q for q in queues if q])).pop(0)
        now_ms = max(now_ms, fill.time_ms)
        for _ in range(data.draw(st.integers(1, 2))):
            match kind:
                case "order":
                    book.order(told(fill))
                case "lite":
                    book.fill(fill)
                case _:
                    book.account(AccountUpdate(None, (PositionView(BTC, Decimal(held), Decimal(100)),), "ORDER", fill.time_ms))
        if data.draw(st.integers(0, 4)) == 0:
            now_ms += data.draw(st.sampled_from([0, 10_000]))
            asked(book, fills, now_ms)
    return book, fills


@settings(max_examples=200)
@given(trades=SPACED, data=st.data())
def test_position_is_the_sum_of_fills_for_any_interleaving_and_repetition_of_stream_and_answers(
    trades: list[Trade], data: st.DataObject
) -> None:
    book, _ = told_and_asked(trades, data)
    assert book.line(BTC).quantity == sum(trade.quantity for trade in trades)


@settings(max_examples=200)
@given(trades=TRADES, data=st.data())
def test_a_later_answer_sets_right_what_trades_of_one_millisecond_left_in_doubt(trades: list[Trade], data: st.DataObject) -> None:
    """An answer between trades of opposite sides in the same instant cannot be told apart; the next one settles it."""
    book, fills = told_and_asked(trades, data)
    asked(book, fills, (fills[-1][0].time_ms if fills else START_MS) + 20_000)
    assert book.line(BTC).quantity == sum(trade.quantity for trade in trades)


@given(trades=TRADES, data=st.data())
def test_without_asking_too_the_stream_alone_adds_up(trades: list[Trade], data: st.DataObject) -> None:
    fills = history(trades)
    book = PositionBook()
    queues = [[("order", f, h) for f, h in fills], [("account", f, h) for f, h in fills]]
    while any(queues):
        kind, fill, held = data.draw(st.sampled_from([q for q in queues if q])).pop(0)
        if kind == "order":
            for _ in range(data.draw(st.integers(1, 2))):
                book.order(told(fill))
        else:
            book.account(AccountUpdate(None, (PositionView(BTC, Decimal(held), Decimal(100)),), "ORDER", fill.time_ms))
    assert book.line(BTC).quantity == sum(trade.quantity for trade in trades)
