"""Hedge mode: a long and a short one of the same symbol, each closed only by its own orders."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_simulator.core import position_mode, trading
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.algo_orders import AlgoRequest
from quantum_simulator.core.effects import AccountEffect, AlgoEffect, OrderEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS
from quantum_simulator.core.margin import equity, initial_margins, maintenance, symbol_margin
from quantum_simulator.core.orders import OrderRequest
from quantum_simulator.core.session import Quote, move_market
from quantum_simulator.core.triggers import cancel_algo, place_algo
from quantum_simulator.refusals import VenueRefusal
from quantum_simulator.rest.render import liquidation_price

BTC = "BTCUSDT"


@pytest.fixture
def alpha(floor: Floor) -> Account:
    account = floor.accounts["alpha"]
    position_mode.switch(account, True)
    return account


def stop(floor: Floor, account: Account, position_side: str, side: str, trigger: str, **more: object):
    request = AlgoRequest(BTC, side, "STOP_MARKET", Decimal("0.1"), Decimal(trigger), position_side=position_side, **more)
    return place_algo(floor, account, request, 1)


def test_a_long_and_a_short_one_stand_beside_each_other(alpha: Account, place) -> None:
    place("alpha", "BUY", "0.3", position_side="LONG")
    place("alpha", "SELL", "0.1", position_side="SHORT")
    assert (alpha.amount(BTC, "LONG"), alpha.amount(BTC, "SHORT"), alpha.amount(BTC)) == (Decimal("0.3"), Decimal("-0.1"), 0)
    assert [each.position_side for each in alpha.fills][-1] == "SHORT"


@pytest.mark.parametrize(("hedged", "side"), [(True, "BOTH"), (False, "LONG"), (False, "SHORT")])
def test_an_order_of_the_other_mode_is_refused(floor: Floor, place, hedged: bool, side: str) -> None:
    """An order that guesses its side would open where it should close."""
    if hedged:
        position_mode.switch(floor.accounts["alpha"], True)
    for attempt in (
        lambda: place("alpha", "BUY", "0.1", position_side=side),
        lambda: stop(floor, floor.accounts["alpha"], side, "BUY", "95000"),
    ):
        with pytest.raises(VenueRefusal) as refused:
            attempt()
        assert refused.value.code == -4061


def test_the_mode_is_fixed_while_anything_is_open_or_held(floor: Floor, alpha: Account, place) -> None:
    def refusal(wanted: bool) -> int:
        with pytest.raises(VenueRefusal) as refused:
            position_mode.switch(alpha, wanted)
        return refused.value.code

    assert refusal(True) == -4059
    order = place("alpha", "BUY", "0.1", "80000.0", position_side="LONG")
    assert refusal(False) == -4067
    trading.cancel(floor, order, 9)
    algo = stop(floor, alpha, "LONG", "BUY", "95000")
    assert refusal(False) == -4067
    cancel_algo(floor, alpha, algo, 9)
    place("alpha", "BUY", "0.1", position_side="LONG")
    assert refusal(False) == -4068
    place("alpha", "SELL", "0.1", position_side="LONG")
    position_mode.switch(alpha, False)


@pytest.mark.parametrize(("opens", "closes", "side"), [("BUY", "SELL", "LONG"), ("SELL", "BUY", "SHORT")])
def test_a_close_needs_its_own_position_and_stops_at_flat(alpha: Account, place, opens: str, closes: str, side: str) -> None:
    """A SELL for a long one that is not there must not open a short one."""
    other = "SHORT" if side == "LONG" else "LONG"
    place("alpha", closes, "0.2", position_side=other)
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", closes, "0.1", position_side=side)
    assert refused.value.code == -2022
    place("alpha", opens, "0.1", position_side=side)
    order = place("alpha", closes, "0.5", position_side=side)
    assert (order.status, order.filled, alpha.amount(BTC, side)) == ("EXPIRED", Decimal("0.1"), 0)
    assert abs(alpha.amount(BTC, other)) == Decimal("0.2")


def test_a_resting_close_is_capped_by_its_position_for_its_whole_life(alpha: Account, place, move) -> None:
    place("alpha", "BUY", "0.1", position_side="LONG")
    resting = place("alpha", "SELL", "0.08", "91000.0", position_side="LONG")
    place("alpha", "SELL", "0.07", position_side="LONG")
    move("92000")
    assert (resting.filled, resting.status, alpha.amount(BTC, "LONG")) == (Decimal("0.03"), "EXPIRED", 0)


def test_resting_closes_that_cover_one_side_do_not_block_the_other(alpha: Account, place) -> None:
    place("alpha", "BUY", "0.1", position_side="LONG")
    place("alpha", "SELL", "0.1", position_side="SHORT")
    place("alpha", "SELL", "0.1", "91000.0", position_side="LONG")
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "SELL", "0.1", position_side="LONG")
    assert refused.value.code == -4118
    assert place("alpha", "BUY", "0.1", position_side="SHORT").status == "FILLED"


def test_a_side_that_goes_flat_knocks_out_only_its_own_closes(floor: Floor, alpha: Account, place) -> None:
    place("alpha", "BUY", "0.1", position_side="LONG")
    place("alpha", "SELL", "0.1", position_side="SHORT")
    long_close = place("alpha", "SELL", "0.05", "91000.0", position_side="LONG")
    short_close = place("alpha", "BUY", "0.05", "89000.0", position_side="SHORT")
    closing_stops = [stop(floor, alpha, side, way, trigger, close_position=True) for side, way, trigger in
                     (("LONG", "SELL", "80000"), ("SHORT", "BUY", "99000"))]  # fmt: skip
    place("alpha", "SELL", "0.1", position_side="LONG")
    assert (long_close.status, short_close.status) == ("EXPIRED", "NEW")
    assert [each.status for each in closing_stops] == ["EXPIRED", "NEW"]


def test_dust_of_one_side_can_be_closed_below_the_minimum_notional(alpha: Account, place) -> None:
    place("alpha", "BUY", "0.101", position_side="LONG")
    place("alpha", "SELL", "0.1", position_side="LONG")
    assert place("alpha", "SELL", "0.001", position_side="LONG").status == "FILLED"
    with pytest.raises(VenueRefusal) as refused:
        place("alpha", "SELL", "0.001", position_side="SHORT")
    assert refused.value.code == -4164


def test_both_sides_cost_margin_and_a_close_costs_none(floor: Floor, alpha: Account, place) -> None:
    place("alpha", "BUY", "0.2", position_side="LONG")
    place("alpha", "SELL", "0.2", position_side="SHORT")
    place("alpha", "SELL", "0.1", "91000.0", position_side="LONG")
    place("alpha", "BUY", "0.1", "89000.0", position_side="LONG")
    margins = initial_margins(floor, alpha)
    assert set(margins) == {(BTC, "LONG"), (BTC, "SHORT")}
    assert margins[BTC, "LONG"].position == margins[BTC, "SHORT"].position == Decimal("0.2") * 90_000 / 20
    assert margins[BTC, "LONG"].orders == Decimal("0.1") * 89_000 / 20
    assert symbol_margin(floor, alpha, BTC).total == 0
    assert maintenance(floor, alpha) == Decimal("0.4") * 90_000 * 40 / 10_000


def test_equity_of_an_even_pair_does_not_move(floor: Floor, alpha: Account, place, move) -> None:
    place("alpha", "BUY", "0.2", position_side="LONG")
    place("alpha", "SELL", "0.2", position_side="SHORT")
    before = equity(floor, alpha)
    move("80000")
    assert equity(floor, alpha) == before


def test_the_liquidation_price_is_where_the_margin_really_goes(floor: Floor, place) -> None:
    poor = floor.accounts["poor"]
    position_mode.switch(poor, True)
    place("poor", "BUY", "0.15", position_side="LONG")
    place("poor", "SELL", "0.05", position_side="SHORT")
    prices = {liquidation_price(floor, poor, each) for each in poor.held()}
    assert len(prices) == 1
    floor.books[BTC].mark = prices.pop()
    assert equity(floor, poor) == pytest.approx(maintenance(floor, poor), abs=Decimal("1e-15"))


def test_a_liquidation_closes_both_sides_under_their_own_names(floor: Floor, place, move) -> None:
    poor = floor.accounts["poor"]
    position_mode.switch(poor, True)
    place("poor", "BUY", "0.15", position_side="LONG")
    place("poor", "SELL", "0.02", position_side="SHORT")
    floor.drain()
    move("80000")
    assert not poor.held()
    closing = {each.order.position_side: each.order for each in floor.drain() if isinstance(each, OrderEffect) and each.order.is_forced}
    assert {side: order.side for side, order in closing.items()} == {"LONG": "SELL", "SHORT": "BUY"}


def test_a_stop_closes_its_side_and_may_not_close_by_opening(floor: Floor, alpha: Account, place, move) -> None:
    place("alpha", "BUY", "0.1", position_side="LONG")
    place("alpha", "SELL", "0.1", position_side="SHORT")
    with pytest.raises(VenueRefusal) as refused:
        stop(floor, alpha, "LONG", "BUY", "95000", close_position=True)
    assert refused.value.code == -4136
    stop(floor, alpha, "LONG", "SELL", "89000")
    move("88900")
    assert (alpha.amount(BTC, "LONG"), alpha.amount(BTC, "SHORT")) == (0, Decimal("-0.1"))
    assert {each.algo.position_side for each in floor.drain() if isinstance(each, AlgoEffect)} == {"LONG"}


def test_only_the_touched_side_is_told(floor: Floor, alpha: Account, place) -> None:
    place("alpha", "BUY", "0.1", position_side="LONG")
    floor.drain()
    place("alpha", "SELL", "0.1", position_side="SHORT")
    told = [view.side for each in floor.drain() if isinstance(each, AccountEffect) for view in each.positions]
    assert told == ["SHORT"]


ORDER = st.tuples(
    st.sampled_from(["BUY", "SELL"]), st.sampled_from(["LONG", "SHORT"]), st.integers(1, 300), st.one_of(st.none(), st.integers(-60, 60))
)
MOVE = st.tuples(st.integers(60_000, 120_000), st.sampled_from([0.0, 0.1, 1.0]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(ORDER, MOVE), max_size=40))
def test_no_history_flips_a_side_and_each_side_is_the_sum_of_its_fills(history: list[tuple]) -> None:
    account = Account("alpha", "k", "s", Decimal(20_000), is_hedge_mode=True)
    floor = Floor.of([DEFAULT_INSTRUMENTS[BTC]], [account])
    for now_ms, step in enumerate(history):
        if len(step) == 2:
            move_market(floor, {BTC: Quote(Decimal(step[0]), step[1])}, 500, now_ms)
        else:
            try_order(floor, account, step, now_ms)
        check_sides(account)


def try_order(floor: Floor, account: Account, step: tuple, now_ms: int) -> None:
    side, position_side, lots, ticks = step
    price = Decimal(0) if ticks is None else floor.books[BTC].mark + ticks
    kind = "LIMIT" if price else "MARKET"
    try:
        trading.place(floor, account, OrderRequest(BTC, side, kind, Decimal(lots) / 1_000, price, position_side=position_side), now_ms)
    except VenueRefusal:
        return


def check_sides(account: Account) -> None:
    assert account.amount(BTC, "LONG") >= 0 >= account.amount(BTC, "SHORT")
    assert account.amount(BTC) == 0
    for side in ("LONG", "SHORT"):
        fills = [each for each in account.fills if each.position_side == side]
        assert account.amount(BTC, side) == sum(each.quantity if each.side == "BUY" else -each.quantity for each in fills)
    realised, fees = sum(each.realised for each in account.fills), sum(each.fee for each in account.fills)
    assert account.wallet == account.deposits + realised - fees
    for order in account.all_open():
        assert not order.reduce_only or account.amount(BTC, order.position_side)
