"""What a market order is held to when the book is thin, one-sided, empty, crossed, silent or nonsense."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.engine.gate.worlds import MARK, intent, quote, world

from quantum_api.refusals import Refusal
from quantum_engine.domain import Side
from quantum_engine.exchanges.binance_futures.quotes import QuoteBoard
from quantum_engine.gate.chain import judge
from quantum_engine.gate.snapshot import Snapshot
from quantum_engine.verdicts import Allowed, Refused

NAN, INF = Decimal("NaN"), Decimal("Infinity")
FAR, NEAR = MARK * Decimal("1.06"), MARK + 1


def word(snapshot: Snapshot) -> str:
    judged = judge(snapshot)
    return judged.refusal.value if isinstance(judged, Refused) else "allowed"


@pytest.mark.parametrize(
    ("side", "book", "said"),
    [
        (Side.BUY, {}, "allowed"),
        (Side.BUY, {"ask": FAR}, "PRICE_OUTSIDE_COLLAR"),
        (Side.BUY, {"bid": None, "ask": MARK * Decimal("0.94")}, "PRICE_OUTSIDE_COLLAR"),
        (Side.SELL, {"bid": MARK * Decimal("0.94")}, "PRICE_OUTSIDE_COLLAR"),
        # one side empty: the mark prices what would take it, the other side does not matter
        (Side.BUY, {"ask": None}, "allowed"),
        (Side.SELL, {"bid": None}, "allowed"),
        (Side.BUY, {"bid": None, "ask": FAR}, "PRICE_OUTSIDE_COLLAR"),
        # both: the mark alone
        (Side.BUY, {"bid": None, "ask": None}, "allowed"),
        # locked is a market, crossed is two different moments
        (Side.BUY, {"bid": NEAR, "ask": NEAR}, "allowed"),
        (Side.BUY, {"bid": NEAR + 1, "ask": NEAR}, "REFERENCE_PRICE_MISSING"),
        (Side.SELL, {"bid": NEAR + 1, "ask": NEAR}, "REFERENCE_PRICE_MISSING"),
        # no mark: a book alone says nothing of what is far
        (Side.BUY, {"mark": None}, "REFERENCE_PRICE_MISSING"),
        (Side.BUY, {"mark": Decimal(0)}, "REFERENCE_PRICE_MISSING"),
        *[(side, {name: bad}, "REFERENCE_PRICE_MISSING") for side in Side for name in ("mark", "bid", "ask")
          for bad in (NAN, Decimal("sNaN"), INF, -INF, Decimal(-5), Decimal(0))],
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_a_market_order_is_priced_from_a_book_that_can_be_one_or_from_the_mark(side: Side, book: dict[str, Any], said: str) -> None:
    assert word(world(intent=intent(side), quote=quote(**book))) == said


def test_a_limit_is_held_to_the_mark_whatever_the_book_shows() -> None:
    assert word(world(intent=intent(price=MARK), quote=quote(ask=FAR))) == "allowed"
    assert word(world(intent=intent(price=FAR), quote=quote(ask=FAR))) == "PRICE_OUTSIDE_COLLAR"


@pytest.mark.parametrize(("age", "said"), [(5.0, "allowed"), (5.001, "MARKET_DATA_STALE")])
def test_a_market_order_is_not_priced_from_a_book_stream_that_is_silent(age: float, said: str) -> None:
    """The mark goes on coming, so the quote looks fresh; the ask is from another market."""
    assert word(world(book_age_seconds=age)) == said


def test_a_silent_book_stream_does_not_matter_where_no_book_is_used() -> None:
    assert word(world(book_age_seconds=100.0, intent=intent(price=MARK))) == "allowed"
    assert word(world(book_age_seconds=100.0, quote=quote(bid=None, ask=None))) == "allowed"


def test_a_quiet_book_is_no_silent_stream() -> None:
    """Another symbol's book was heard: the stream lives, and this book has not changed."""
    board = QuoteBoard()
    board.book("THINUSDT", Decimal(1), Decimal(2), 10.0)
    board.book("BTCUSDT", Decimal(1), Decimal(2), 60.0)
    board.mark("THINUSDT", Decimal(1), 61.0)
    assert board.newest["THINUSDT"].book_heard_at == 60.0


MONSTERS = st.sampled_from([Decimal("1E+50"), Decimal("1E-50"), Decimal("9E+999999"), Decimal("1E-999999")])
NUMBERS = st.one_of(st.none(), st.decimals(allow_nan=True, allow_infinity=True), st.just(MARK), st.just(NEAR), MONSTERS)


QUANTITIES = st.one_of(st.just(Decimal("0.1")), st.decimals(), MONSTERS)


@given(side=st.sampled_from(Side), price=NUMBERS, quantity=QUANTITIES, mark=NUMBERS, bid=NUMBERS, ask=NUMBERS, flag=st.booleans())
def test_no_number_makes_the_gate_raise_and_none_but_real_prices_pass_it(side, price, quantity, mark, bid, ask, flag) -> None:
    """A NaN raises where it is compared; a gate that raises is a gate that can be off."""
    order = intent(side, "1", price=price, reduce_only=flag)
    judged = judge(world(intent=intent(side, str(quantity), price=price, reduce_only=flag), quote=quote(mark=mark, bid=bid, ask=ask)))
    if isinstance(judged, Allowed) and not order.reduce_only:
        assert quantity.is_finite()
        assert quantity > 0
        assert all(number is None or (number.is_finite() and number > 0) for number in (price, bid, ask))
        assert mark is not None
        assert mark.is_finite()
        assert mark > 0


def test_an_exit_needs_no_price_at_all() -> None:
    """Promise 7."""
    for bad in (quote(mark=NAN, bid=NAN, ask=-INF), None):
        assert word(world(intent=intent(Side.SELL, reduce_only=True), quote=bad, book_age_seconds=1e9)) == "allowed"


def test_a_refusal_for_a_crossed_book_shows_it() -> None:
    judged = judge(world(quote=quote(bid=NEAR + 1, ask=NEAR)))
    assert isinstance(judged, Refused)
    assert judged.refusal is Refusal.REFERENCE_PRICE_MISSING
    assert (judged.numbers["bid"], judged.numbers["ask"]) == (NEAR + 1, NEAR)
