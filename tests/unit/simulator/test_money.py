"""Wallets, positions, fees, equity, liquidation: exact to the last digit."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_simulator.core import trading
from quantum_simulator.core.accounts import Account, Position
from quantum_simulator.core.amend import amend
from quantum_simulator.core.effects import OrderEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS
from quantum_simulator.core.margin import available, equity, maintenance, symbol_margin, unrealised
from quantum_simulator.core.orders import OrderRequest
from quantum_simulator.core.session import Quote, move_market
from quantum_simulator.core.settlement import deposit
from quantum_simulator.refusals import VenueRefusal


def test_a_round_trip_costs_two_fees_and_the_spread(floor: Floor, place) -> None:
    account = floor.accounts["alpha"]
    place("alpha", "BUY", "0.1")
    place("alpha", "SELL", "0.1")
    spread = Decimal("0.1") * (Decimal("89999.9") - Decimal("90000.1"))
    fees = Decimal("0.1") * (Decimal("89999.9") + Decimal("90000.1")) * 5 / 10_000
    assert account.wallet == 100_000 + spread - fees
    assert account.fees == fees


def test_a_maker_pays_the_maker_fee(floor: Floor, place, move) -> None:
    place("alpha", "BUY", "0.1", "89900.0")
    move("89800")
    assert floor.accounts["alpha"].fees == Decimal("0.1") * Decimal("89900.0") * 2 / 10_000


def test_equity_is_wallet_plus_unrealised_on_mark(floor: Floor, place, move) -> None:
    account = floor.accounts["alpha"]
    place("alpha", "SELL", "0.2")
    move("81000")
    assert unrealised(floor, account) == Decimal("0.2") * (Decimal("89999.9") - 81_000)
    assert equity(floor, account) == account.wallet + unrealised(floor, account)


def test_a_flip_realises_the_old_side_and_opens_the_new_at_the_price(floor: Floor) -> None:
    position = Position("BTCUSDT")
    position.apply(Decimal(2), Decimal(100))
    assert position.apply(Decimal(-5), Decimal(110)) == 20
    assert (position.amount, position.entry_price) == (-3, 110)


def test_partial_closes_together_realise_exactly_what_one_close_would(floor: Floor) -> None:
    parts, whole = Position("X"), Position("X")
    for each in (parts, whole):
        each.apply(Decimal("0.007"), Decimal("101.3"))
    total = sum(parts.apply(Decimal("-0.001"), Decimal("99.7")) for _ in range(7))
    assert total == whole.apply(Decimal("-0.007"), Decimal("99.7"))
    assert parts.cost == 0


def test_margin_counts_only_what_enlarges_the_exposure(floor: Floor, place) -> None:
    account = floor.accounts["alpha"]
    place("alpha", "BUY", "0.2")
    before = symbol_margin(floor, account, "BTCUSDT")
    place("alpha", "SELL", "0.2", "91000.0")
    assert symbol_margin(floor, account, "BTCUSDT").total == before.total
    place("alpha", "BUY", "0.1", "89000.0")
    assert symbol_margin(floor, account, "BTCUSDT").orders == Decimal("0.1") * 89_000 / 20


def test_leverage_decides_how_much_can_be_opened(floor: Floor, place) -> None:
    account = floor.accounts["poor"]
    trading.set_leverage(floor, account, "BTCUSDT", 1, 1)
    with pytest.raises(VenueRefusal):
        place("poor", "BUY", "0.1")
    trading.set_leverage(floor, account, "BTCUSDT", 20, 2)
    assert place("poor", "BUY", "0.1").status == "FILLED"


def test_a_position_may_not_grow_beyond_what_its_leverage_allows(floor: Floor, place) -> None:
    alpha = floor.accounts["alpha"]
    alpha.wallet = Decimal(10_000_000)
    trading.set_leverage(floor, alpha, "BTCUSDT", 100, 1)
    place("alpha", "BUY", "11", "90000.0")
    assert place("alpha", "SELL", "10", "91000.0").is_open, "the other direction is counted by itself"
    for side, quantity, price in (("BUY", "0.2", "90000.0"), ("SELL", "1.2", "91000.0")):
        with pytest.raises(VenueRefusal) as refused:
            place("alpha", side, quantity, price)
        assert refused.value.code == -2027


def test_a_leverage_that_the_money_does_not_carry_is_refused_and_changes_nothing(floor: Floor, place) -> None:
    poor = floor.accounts["poor"]
    place("poor", "BUY", "0.1")
    with pytest.raises(VenueRefusal) as refused:
        trading.set_leverage(floor, poor, "BTCUSDT", 5, 2)
    assert (refused.value.code, poor.leverage("BTCUSDT")) == (-2028, 20)
    assert trading.set_leverage(floor, poor, "BTCUSDT", 10, 3) == 10
    assert trading.set_leverage(floor, poor, "BTCUSDT", 50, 4) == 50


def test_a_liquidation_takes_its_fee_and_says_why_orders_expired(floor: Floor, place, move) -> None:
    place("poor", "BUY", "0.2")
    place("poor", "SELL", "0.2", "92000.0")
    floor.drain()
    move("85100")
    poor = floor.accounts["poor"]
    effects = floor.drain()
    assert [each.reason for each in effects if isinstance(each, OrderEffect) and each.status == "EXPIRED"] == ["5"]
    income = poor.income[-1]
    assert (income.kind, income.amount < 0, poor.wallet) == ("INSURANCE_CLEAR", True, 0), (
        "1.25 % of the notional is more than what was left"
    )


def test_an_account_without_margin_is_closed_by_the_venue(floor: Floor, place, move) -> None:
    place("poor", "BUY", "0.2")
    resting = place("poor", "BUY", "0.002", "88000.0")
    floor.drain()
    move("86500")
    assert maintenance(floor, floor.accounts["poor"]) > 0
    move("85100")
    poor = floor.accounts["poor"]
    assert poor.amount("BTCUSDT") == 0
    assert resting.status in {"CANCELED", "FILLED"}
    closing = [each for each in floor.drain() if isinstance(each, OrderEffect) and each.order.is_forced]
    assert closing[0].order.client_id.startswith("autoclose-")
    assert {each.execution for each in closing} == {"NEW", "CALCULATED"}


def test_a_gap_through_the_margin_leaves_an_empty_wallet_not_a_debt(floor: Floor, place, move) -> None:
    place("poor", "BUY", "0.2")
    move("60000", depth=0.01)
    poor = floor.accounts["poor"]
    assert (poor.wallet, poor.amount("BTCUSDT")) == (0, 0)
    assert poor.income[-1].kind == "INSURANCE_CLEAR"


def test_a_healthy_account_is_left_alone(floor: Floor, place, move) -> None:
    place("alpha", "BUY", "0.2")
    move("50000")
    assert floor.accounts["alpha"].amount("BTCUSDT") == Decimal("0.200")


def test_a_deposit_raises_the_wallet_and_is_income(floor: Floor) -> None:
    account = floor.accounts["alpha"]
    deposit(floor, account, Decimal("-250.5"), 9)
    assert account.wallet == account.deposits == Decimal("99749.5")
    assert account.income[-1].kind == "TRANSFER"
    assert available(floor, account) == account.wallet


STEP = st.tuples(
    st.sampled_from(["alpha", "beta", "poor"]),
    st.sampled_from(["BUY", "SELL"]),
    st.integers(1, 400),
    st.one_of(st.none(), st.integers(-60, 60)),
    st.booleans(),
    st.sampled_from(["GTC", "IOC", "FOK", "GTX"]),
)
AMEND = st.tuples(st.sampled_from(["alpha", "beta", "poor"]), st.integers(1, 400), st.integers(-60, 60))
MOVE = st.tuples(st.integers(60_000, 120_000), st.sampled_from([0.0, 0.1, 1.0]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(STEP, AMEND, MOVE), max_size=40))
def test_whatever_happens_positions_are_sums_of_fills_and_wallets_are_conserved(history: list[tuple]) -> None:
    """wallet = deposits + realised - fees + funding; position = sum of fills; reduce-only orders never exceed what they close."""
    accounts = [Account(name, f"k-{name}", "s", Decimal(wallet)) for name, wallet in (("alpha", 50_000), ("beta", 9_000), ("poor", 900))]
    floor = Floor.of([DEFAULT_INSTRUMENTS["BTCUSDT"]], accounts)
    floor.schedule_funding(5, 0)
    for now_ms, step in enumerate(history):
        if len(step) == 2:
            move_market(floor, {"BTCUSDT": Quote(Decimal(step[0]), step[1])}, 500, now_ms)
        elif len(step) == 3:
            try_amend(floor, step, now_ms)
        else:
            try_order(floor, step, now_ms)
        for account in accounts:
            check_books(floor, account)


def try_order(floor: Floor, step: tuple, now_ms: int) -> None:
    name, side, lots, ticks, reduce_only, time_in_force = step
    price = Decimal(0) if ticks is None else floor.books["BTCUSDT"].mark + ticks * 10 * Decimal("0.1")
    request = OrderRequest(
        "BTCUSDT", side, "LIMIT" if price else "MARKET", Decimal(lots) / 1_000, price, time_in_force if price else "GTC", reduce_only
    )
    before = floor.accounts[name].amount("BTCUSDT")
    try:
        order = trading.place(floor, floor.accounts[name], request, now_ms)
    except VenueRefusal:
        return
    if reduce_only:
        after = floor.accounts[name].amount("BTCUSDT")
        assert abs(after) <= abs(before)
        assert after * before >= 0
        assert order.filled <= abs(before)


def try_amend(floor: Floor, step: tuple, now_ms: int) -> None:
    """The account's youngest order, if it has one."""
    name, lots, ticks = step
    account, price = floor.accounts[name], floor.books["BTCUSDT"].mark + ticks * 10 * Decimal("0.1")
    order = max(account.all_open(), key=lambda each: each.id, default=None)
    before = (account.amount("BTCUSDT"), order.filled) if order else None
    try:
        amend(floor, account, order, Decimal(lots) / 1_000, price, now_ms)
    except VenueRefusal:
        assert before == ((account.amount("BTCUSDT"), order.filled) if order else None)
        return
    assert order.filled <= order.quantity
    if order.reduce_only:
        assert account.amount("BTCUSDT") * before[0] >= 0


def check_books(floor: Floor, account: Account) -> None:
    held = sum((each.quantity if each.side == "BUY" else -each.quantity for each in account.fills), Decimal(0))
    assert account.amount("BTCUSDT") == held
    realised, fees = sum(each.realised for each in account.fills), sum(each.fee for each in account.fills)
    assert account.wallet == account.deposits + realised - fees + account.funding
    cash = sum((-each.quantity if each.side == "BUY" else each.quantity) * each.price for each in account.fills)
    assert realised == cash + account.position("BTCUSDT").cost
    assert account.wallet >= 0 or account.amount("BTCUSDT")
    resting = floor.books["BTCUSDT"].resting
    assert {each.place for each in account.all_open()} == {key for key, each in resting.orders.items() if each.account == account.name}
    assert len(resting.bids) + len(resting.asks) == len(resting.orders)
    for order in account.all_open():
        assert not order.reduce_only or account.amount("BTCUSDT") * (1 if order.buys else -1) < 0
