"""In a crash the book is thin, far away or gone: what the venue still admits, and what it fills."""

from decimal import Decimal

import pytest

from quantum_simulator.core.floor import Floor
from quantum_simulator.core.session import Quote, move_market
from quantum_simulator.refusals import VenueRefusal

BTC = "BTCUSDT"


@pytest.fixture
def crash(floor: Floor):
    """The index at 80 000, the nearest level so many basis points away, a tenth of the depth."""

    def to(gap_bps: float, depth: float = 0.1) -> None:
        move_market(floor, {BTC: Quote(Decimal(80_000), depth, 4.0, gap_bps)}, 60_000, 5)

    return to


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_market_order_is_refused_when_the_best_price_is_beyond_the_bound(floor: Floor, place, crash, side: str) -> None:
    """-4131 is what a flatten by market order hears in a crash: it must have another way out."""
    crash(501)
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", side, "0.1")
    assert refused.value.code == -4131
    assert not floor.accounts["alpha"].orders


def test_even_a_reduce_only_exit_is_refused_then(floor: Floor, place, crash) -> None:
    place("alpha", "BUY", "0.1")
    crash(501)
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "SELL", "0.1", reduce_only=True)
    assert refused.value.code == -4131
    crash(490)
    assert place("alpha", "SELL", "0.1", reduce_only=True).status == "FILLED"


def test_a_market_order_takes_nothing_beyond_the_bound(floor: Floor, place, crash) -> None:
    crash(480)
    order = place("alpha", "SELL", "10")
    assert order.status == "EXPIRED"
    assert 0 < order.filled < 10
    assert min(each.price for each in floor.accounts["alpha"].fills) >= Decimal(80_000) * 95 / 100
    assert any(level.left and level.price < 76_000 for level in floor.books[BTC].ladder.bids), "there was more, beyond the bound"


@pytest.mark.parametrize(("side", "price", "code"), [("SELL", "75999.9", -4024), ("BUY", "84000.1", -4016)])
def test_a_limit_price_is_banded_around_mark_so_an_exit_cannot_be_priced_through(place, crash, side: str, price: str, code: int) -> None:
    crash(501)
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", side, "0.1", price)
    assert refused.value.code == code
    inside = "76000.0" if side == "SELL" else "84000.0"
    assert place("alpha", side, "0.1", inside).status == "NEW", "at the band it is admitted, and rests"


def test_an_account_that_bids_in_the_empty_book_is_the_way_out(floor: Floor, place, crash) -> None:
    place("alpha", "BUY", "0.1")
    crash(0, depth=0.0)
    assert (place("alpha", "SELL", "0.1", reduce_only=True).status, floor.accounts["alpha"].amount(BTC)) == ("EXPIRED", Decimal("0.1"))
    place("beta", "BUY", "0.1", "77000.0")
    assert place("alpha", "SELL", "0.1", reduce_only=True).status == "FILLED"


def test_the_minimum_notional_counts_mark_for_market_and_price_for_limit_orders(floor: Floor, place, crash) -> None:
    crash(0)
    for attempt in (lambda: place("alpha", "BUY", "0.001"), lambda: place("alpha", "BUY", "0.001", "79000.0")):
        with pytest.raises(VenueRefusal) as refused:
            attempt()
        assert refused.value.code == -4164
        assert "unless you choose reduce only" in refused.value.message
    assert place("alpha", "BUY", "0.002", "79000.0").status == "NEW"
    move_market(floor, {BTC: Quote(Decimal(100_500))}, 60_000, 6)
    assert place("alpha", "BUY", "0.001").status == "FILLED", "worth enough on mark"
    with pytest.raises(VenueRefusal):
        place("alpha", "BUY", "0.001", "99000.0")
    assert place("alpha", "BUY", "0.003").status == "FILLED"
    assert place("alpha", "SELL", "0.001", reduce_only=True).status == "FILLED"


@pytest.fixture
def apart(floor: Floor):
    """The book around 80 000, mark so many basis points above it, as when a cascade runs ahead of the mark price."""

    def to(mark_bps: float) -> None:
        move_market(floor, {BTC: Quote(Decimal(80_000), mark_bps=mark_bps)}, 60_000, 5)

    return to


def test_when_mark_lags_behind_the_book_a_sale_at_market_is_refused(floor: Floor, place, apart) -> None:
    place("alpha", "BUY", "0.1")
    apart(600)
    assert (floor.books[BTC].mark, floor.books[BTC].index) == (84_800, 80_000)
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "SELL", "0.1", reduce_only=True)
    assert refused.value.code == -4131
    apart(500)
    assert place("alpha", "SELL", "0.1", reduce_only=True).average_price < 80_000


def test_equity_and_liquidation_go_by_mark_not_by_the_book(floor: Floor, place, apart, move) -> None:
    place("poor", "BUY", "0.1")
    apart(1_200)
    assert floor.accounts["poor"].held(), "the book fell by 11 %, mark did not"
    apart(0)
    assert not floor.accounts["poor"].held()
