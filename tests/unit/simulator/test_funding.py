"""Funding moves money between longs and shorts at its times, and tells the balance only."""

from decimal import Decimal

import pytest

from quantum_simulator.clock import HandClock
from quantum_simulator.core import funding, position_mode
from quantum_simulator.core.effects import AccountEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.session import Quote, move_market
from quantum_simulator.venue import Venue, VenueOptions

BTC = "BTCUSDT"


@pytest.fixture
def at(floor: Floor):
    floor.schedule_funding(1_000_000, 1_000)

    def reach(now_ms: int, price: str = "90000") -> None:
        move_market(floor, {BTC: Quote(Decimal(price))}, 100, now_ms)

    return reach


def told(floor: Floor) -> list[AccountEffect]:
    return [each for each in floor.drain() if isinstance(each, AccountEffect) and each.reason == "FUNDING_FEE"]


def test_a_long_pays_a_short_the_rate_of_its_notional_on_mark(floor: Floor, place, at) -> None:
    place("alpha", "BUY", "0.5")
    place("beta", "SELL", "0.2")
    before = {name: each.wallet for name, each in floor.accounts.items()}
    at(1_000_000, "80000")
    assert floor.accounts["alpha"].wallet == before["alpha"] - Decimal("0.5") * 80_000 / 10_000
    assert floor.accounts["beta"].wallet == before["beta"] + Decimal("0.2") * 80_000 / 10_000
    assert floor.accounts["poor"].wallet == before["poor"]


def test_it_is_paid_once_per_interval_and_not_before(floor: Floor, place, at) -> None:
    place("alpha", "BUY", "0.5")
    at(999_999)
    assert floor.accounts["alpha"].funding == 0
    for now_ms in (1_000_000, 1_000_100, 1_999_999):
        at(now_ms)
    assert floor.accounts["alpha"].funding == Decimal("-4.5")
    assert floor.next_funding_ms == 2_000_000
    at(2_000_000)
    assert floor.accounts["alpha"].funding == -9


def test_an_ordered_negative_rate_lets_shorts_pay(floor: Floor, place, at) -> None:
    place("alpha", "BUY", "0.5")
    funding.order_rate(floor, [BTC], Decimal("-0.002"))
    at(1_000_000)
    assert floor.accounts["alpha"].funding == 90
    assert floor.funding_points[0][:2] == (BTC, Decimal("-0.002"))


def test_the_event_bears_the_balance_and_no_position(floor: Floor, place, at) -> None:
    """Binance sends B only for cross margin: a client that waits for P misses the payment."""
    place("alpha", "BUY", "0.5")
    at(1_000_000)
    (event,) = told(floor)
    assert (event.account, event.change, event.positions) == ("alpha", Decimal("-4.5"), ())
    income = floor.accounts["alpha"].income[-1]
    assert (income.kind, income.symbol, income.amount) == ("FUNDING_FEE", BTC, Decimal("-4.5"))


def test_a_position_opened_by_the_same_moment_does_not_pay(floor: Floor, place, at) -> None:
    place("alpha", "BUY", "0.5", "89000.0")
    at(1_000_000, "88000")
    assert floor.accounts["alpha"].amount(BTC) > 0
    assert floor.accounts["alpha"].funding == 0


def test_an_even_hedge_pays_itself(floor: Floor, place, at) -> None:
    position_mode.switch(floor.accounts["alpha"], True)
    place("alpha", "BUY", "0.1", position_side="LONG")
    place("alpha", "SELL", "0.1", position_side="SHORT")
    at(1_000_000)
    assert floor.accounts["alpha"].funding == 0
    assert [each.change for each in told(floor)] == [Decimal("-0.9"), Decimal("0.9")]


def test_funding_can_take_the_last_margin(floor: Floor, place, at) -> None:
    place("poor", "BUY", "0.2")
    funding.order_rate(floor, [BTC], Decimal("0.053"))
    floor.drain()
    at(1_000_000)
    assert not floor.accounts["poor"].held()
    assert any(each.order.is_forced for each in floor.drain() if hasattr(each, "order"))


def test_a_hand_stepped_venue_reaches_its_funding_time() -> None:
    clock = HandClock(1_795_000_000_000 // 28_800_000 * 28_800_000 + 100)
    venue = Venue(options=VenueOptions(is_hand_stepped=True, funding_interval_ms=5_000), clock=clock)
    venue.step(11_000)
    assert [each.at_ms - clock.now_ms() for each in venue.floor.funding_points][::3] == [-6_100, -1_100]
