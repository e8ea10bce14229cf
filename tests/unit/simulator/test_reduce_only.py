"""Reduce-only holds for an order's whole life: it never enlarges, never flips, and blocks a second close."""

from decimal import Decimal

import pytest

from quantum_simulator.core.floor import Floor
from quantum_simulator.refusals import VenueRefusal


def code_of(refused: pytest.ExceptionInfo[VenueRefusal]) -> int:
    return refused.value.code


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_nothing_to_reduce_is_refused(place, side: str) -> None:
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", side, "0.1", reduce_only=True)
    assert code_of(refused) == -2022


def test_an_order_that_would_enlarge_is_refused(place) -> None:
    place("alpha", "BUY", "0.1")
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "BUY", "0.1", reduce_only=True)
    assert code_of(refused) == -2022


def test_a_second_close_is_refused_while_resting_ones_cover_the_position(floor: Floor, place) -> None:
    """The live finding (-4118) that makes cancel-before-close the order of work of a stop."""
    place("alpha", "BUY", "0.1")
    place("alpha", "SELL", "0.1", "91000.0", reduce_only=True)
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "SELL", "0.1", reduce_only=True)
    assert code_of(refused) == -4118


def test_a_partly_covered_position_still_admits_a_close_capped_to_what_is_held(floor: Floor, place) -> None:
    place("alpha", "BUY", "0.1")
    place("alpha", "SELL", "0.04", "91000.0", reduce_only=True)
    order = place("alpha", "SELL", "0.1", reduce_only=True)
    assert order.status == "FILLED"
    assert floor.accounts["alpha"].amount("BTCUSDT") == 0


def test_an_oversized_close_stops_at_flat(floor: Floor, place) -> None:
    place("alpha", "SELL", "0.1")
    order = place("alpha", "BUY", "0.5", reduce_only=True)
    assert (order.status, order.filled) == ("EXPIRED", Decimal("0.100"))
    assert floor.accounts["alpha"].amount("BTCUSDT") == 0


def test_a_resting_order_is_knocked_out_when_the_position_goes_away(floor: Floor, place) -> None:
    place("alpha", "BUY", "0.1")
    resting = place("alpha", "SELL", "0.1", "91000.0", reduce_only=True)
    place("alpha", "SELL", "0.1")
    assert resting.status == "EXPIRED"
    assert [each.reason for each in floor.drain() if getattr(each, "order", None) is resting][-1] == "4"


def test_a_resting_order_does_not_flip_a_position_that_shrank(floor: Floor, place, move) -> None:
    """Checking only on arrival is the classic simulator bug: the resting close would open the other way."""
    place("alpha", "BUY", "0.1")
    resting = place("alpha", "SELL", "0.1", "91000.0", reduce_only=True)
    place("alpha", "SELL", "0.07")
    assert resting.is_open
    move("92000")
    assert floor.accounts["alpha"].amount("BTCUSDT") == 0
    assert (resting.filled, resting.status) == (Decimal("0.030"), "EXPIRED")


def test_a_position_that_flipped_leaves_no_close_of_the_old_side(floor: Floor, place) -> None:
    place("alpha", "BUY", "0.1")
    resting = place("alpha", "SELL", "0.1", "91000.0", reduce_only=True)
    place("alpha", "SELL", "0.3")
    assert resting.status == "EXPIRED"
    assert floor.accounts["alpha"].amount("BTCUSDT") == Decimal("-0.200")


def test_the_better_priced_close_survives_when_the_position_shrinks(floor: Floor, place) -> None:
    place("alpha", "BUY", "0.2")
    far = place("alpha", "SELL", "0.1", "92000.0", reduce_only=True)
    near = place("alpha", "SELL", "0.1", "91000.0", reduce_only=True)
    place("alpha", "SELL", "0.1")
    assert (near.status, far.status) == ("NEW", "EXPIRED")


def test_dust_below_the_minimum_notional_can_still_be_closed(floor: Floor, place) -> None:
    place("alpha", "BUY", "0.101")
    place("alpha", "SELL", "0.1")
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "SELL", "0.001")
    assert code_of(refused) == -4164
    assert place("alpha", "SELL", "0.001", reduce_only=True).status == "FILLED"
    assert floor.accounts["alpha"].amount("BTCUSDT") == 0
