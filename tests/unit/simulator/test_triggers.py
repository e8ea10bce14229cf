"""Conditional orders: own ids, triggered by mark, untouched by cancel-all of regular orders."""

from decimal import Decimal

import pytest

from quantum_simulator.core import trading
from quantum_simulator.core.algo_orders import AlgoOrder, AlgoRequest
from quantum_simulator.core.effects import AlgoEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.triggers import cancel_algo, cancel_all_algos, place_algo
from quantum_simulator.refusals import VenueRefusal


@pytest.fixture
def stop(floor: Floor):
    def order(side: str, trigger: str, kind: str = "STOP_MARKET", **more: object) -> AlgoOrder:
        request = AlgoRequest("BTCUSDT", side, kind, Decimal("0.1"), Decimal(trigger), **({"working_type": "MARK_PRICE"} | more))
        return place_algo(floor, floor.accounts["alpha"], request, 1)

    return order


def statuses(floor: Floor) -> list[str]:
    return [each.status for each in floor.drain() if isinstance(each, AlgoEffect)]


def test_a_stop_closes_the_position_when_mark_reaches_it(floor: Floor, place, move, stop) -> None:
    place("alpha", "BUY", "0.1")
    algo = stop("SELL", "89000", reduce_only=True)
    move("89000.1")
    assert algo.status == "NEW"
    move("89000")
    assert floor.accounts["alpha"].amount("BTCUSDT") == 0
    assert statuses(floor) == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    assert floor.accounts["alpha"].orders[algo.order_id].original_type == "STOP_MARKET"


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "hit"),
    [
        ("BUY", "STOP_MARKET", "91000", "91000"),
        ("SELL", "TAKE_PROFIT_MARKET", "91000", "91000"),
        ("BUY", "TAKE_PROFIT_MARKET", "89000", "89000"),
    ],
)
def test_each_kind_waits_on_its_own_side(move, stop, side: str, kind: str, trigger: str, hit: str) -> None:
    algo = stop(side, trigger, kind)
    move("90000")
    assert algo.status == "NEW"
    move(hit)
    assert algo.status == "FINISHED"


def test_a_stop_that_would_trigger_at_once_is_refused(stop) -> None:
    with pytest.raises(VenueRefusal) as refused:
        stop("SELL", "90000")
    assert refused.value.code == -2021


def test_cancel_all_of_regular_orders_leaves_conditional_ones_alive(floor: Floor, place, stop) -> None:
    """The silent trap of the algo service: a kill switch must cancel both kinds."""
    resting, algo = place("alpha", "BUY", "0.1", "89000.0"), stop("SELL", "80000")
    trading.cancel_all(floor, floor.accounts["alpha"], "BTCUSDT", 2)
    assert (resting.status, algo.status) == ("CANCELED", "NEW")
    assert cancel_all_algos(floor, floor.accounts["alpha"], "BTCUSDT", 3) == 1
    assert algo.status == "CANCELED"


def test_a_reduce_only_stop_of_a_flat_account_is_rejected_when_it_triggers(floor: Floor, move, stop) -> None:
    algo = stop("SELL", "89000", reduce_only=True)
    move("88000")
    assert algo.status == "REJECTED"
    assert next(each.reason for each in floor.drain() if isinstance(each, AlgoEffect) and each.reason) == "ReduceOnly Order is rejected."


def test_a_closing_stop_closes_everything_even_beside_resting_closes(floor: Floor, place, move, stop) -> None:
    place("alpha", "BUY", "0.3")
    place("alpha", "SELL", "0.3", "94000.0", reduce_only=True)
    stop("SELL", "89000", close_position=True)
    move("88900")
    assert floor.accounts["alpha"].amount("BTCUSDT") == 0


def test_a_closing_stop_expires_with_its_position(floor: Floor, place, stop) -> None:
    place("alpha", "BUY", "0.1")
    algo = stop("SELL", "80000", close_position=True)
    place("alpha", "SELL", "0.1")
    assert algo.status == "EXPIRED"
    with pytest.raises(VenueRefusal) as refused:
        cancel_algo(floor, floor.accounts["alpha"], algo, 9)
    assert refused.value.code == -2011
