"""Whatever is commanded, the venue's own books hold: a test that trusts them as the truth must be able to.

Money is conserved, positions are sums of fills, a closing order never opens, and what waits or rests is listed exactly once.
"""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from laws.simulator.scenario import NAMES, SYMBOLS, Day
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.effects import OrderEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.margin import available, equity, maintenance
from quantum_simulator.decimals import ZERO

NAME, SYMBOL, SIDE = st.sampled_from(NAMES), st.sampled_from(SYMBOLS), st.sampled_from(["BUY", "SELL"])
KIND = st.sampled_from(["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
FLAGS = st.sampled_from([{}, {}, {"reduceOnly": "true"}, {"timeInForce": "IOC"}, {"timeInForce": "GTX"}, {"timeInForce": "FOK"}])
OFFSET = st.one_of(st.none(), st.integers(-900, 900))
STEP = st.tuples(st.just("step"), st.sampled_from([100, 300, 2_500]))
ORDER = st.tuples(st.just("order"), NAME, SYMBOL, SIDE, st.integers(30, 3_000), OFFSET, FLAGS)
CLOSE = st.tuples(st.just("close"), NAME, SYMBOL, SIDE, st.integers(1, 900), OFFSET)
AMEND = st.tuples(st.just("amend"), NAME, st.integers(0, 5), st.integers(20, 900), st.integers(-900, 900))
ALGO = st.tuples(st.just("algo"), NAME, SYMBOL, SIDE, KIND, st.integers(-60, 60))
SHOCK = st.tuples(st.just("shock"), SYMBOL, st.sampled_from([-4_000, -1_000, 300, 3_000]))
RARE = st.one_of(
    st.tuples(st.just("cancel_all"), NAME, SYMBOL),
    st.tuples(st.just("depth"), SYMBOL, st.sampled_from([0.0, 0.05, 1.0])),
    st.tuples(st.just("deposit"), NAME, st.integers(-500, 5_000)),
    st.tuples(st.just("adl"), NAME),
    st.tuples(st.just("hedge"), NAME),
    st.tuples(st.just("countdown"), NAME, SYMBOL),
)


OFTEN = [ORDER] * 10 + [CLOSE] * 4 + [STEP] * 7 + [ALGO] * 3 + [AMEND] * 2 + [SHOCK] * 2 + [RARE] * 2
"""``one_of`` would draw each rare command as often as an order, and hardly anything would be held."""
COMMANDS = st.lists(st.sampled_from(OFTEN).flatmap(lambda each: each), min_size=15, max_size=50)


class Trader(Day):
    """Commands that need to look before they ask."""

    def do_close(self, name: str, symbol: str, side: str, lots: int, ticks: int | None) -> None:
        """In hedge mode the side of the position that this direction closes, else reduce-only."""
        if self.venue.accounts[name].is_hedge_mode:
            book = self.venue.floor.books[symbol]
            params = {"symbol": symbol, "side": side, "quantity": str(lots * book.instrument.step), "type": "MARKET"}
            if ticks is not None:
                params |= {"type": "LIMIT", "timeInForce": "GTC", "price": str(book.mark + ticks * book.instrument.tick)}
            self.ask(name, "POST", "/fapi/v1/order", positionSide="SHORT" if side == "BUY" else "LONG", **params)
        else:
            self.do_order(name, symbol, side, lots, ticks, {"reduceOnly": "true"})

    def do_amend(self, name: str, number: int, lots: int, ticks: int) -> None:
        orders = self.venue.accounts[name].all_open()
        for order in orders[number : number + 1]:
            book = self.venue.floor.books[order.symbol]
            price, quantity = book.mark + ticks * book.instrument.tick, lots * book.instrument.step
            named = {"symbol": order.symbol, "side": order.side, "orderId": str(order.id)}
            self.ask(name, "PUT", "/fapi/v1/order", quantity=str(quantity), price=str(price), **named)

    def do_countdown(self, name: str, symbol: str) -> None:
        self.ask(name, "POST", "/fapi/v1/countdownCancelAll", symbol=symbol, countdownTime="500")


@settings(max_examples=60, deadline=None)
@given(COMMANDS, st.booleans())
def test_the_books_of_the_venue_hold_after_every_command(commands: list[tuple], hedged: bool) -> None:
    day = Trader(7)
    if hedged:
        day.do(("hedge", "alpha"))
    told = heard(day)
    for command in commands:
        day.do(command)
        for account in day.venue.accounts.values():
            money_is_conserved(account)
            positions_are_sums_of_fills(account)
            closes_have_something_to_close(account)
            what_is_open_is_listed_once(day.venue.floor, account)
            if command[0] == "step":
                nobody_lives_below_the_margin(day.venue.floor, account)
    closing_orders_never_opened(told)


def heard(day: Day) -> list[OrderEffect]:
    """Every order effect from now on, with the publisher still in its place."""
    told: list[OrderEffect] = []
    publish = day.venue.state.publish

    def keep(effects: list) -> None:
        told.extend(each for each in effects if isinstance(each, OrderEffect))
        publish(effects)

    day.venue.state.publish = keep
    return told


def money_is_conserved(account: Account) -> None:
    realised, fees = sum(each.realised for each in account.fills), sum(each.fee for each in account.fills)
    assert account.wallet == account.deposits + realised - fees + account.funding
    told = sum(each.amount for each in account.income)
    assert account.wallet == 20_000 + told, "the incomes tell the whole story"


def positions_are_sums_of_fills(account: Account) -> None:
    held: dict[tuple[str, str], Decimal] = {}
    for each in account.fills:
        key = (each.symbol, each.position_side)
        held[key] = held.get(key, ZERO) + (each.quantity if each.side == "BUY" else -each.quantity)
    assert {key: amount for key, amount in held.items() if amount} == {(each.symbol, each.side): each.amount for each in account.held()}
    assert all(each.side in account.sides for each in account.held())
    assert all((each.side, each.amount > 0) not in {("LONG", False), ("SHORT", True)} for each in account.held())


def closes_have_something_to_close(account: Account) -> None:
    for order in account.all_open():
        if order.reduce_only:
            amount = account.amount(order.symbol, order.position_side)
            assert amount
            assert (amount < 0) == order.buys


def what_is_open_is_listed_once(floor: Floor, account: Account) -> None:
    rests = [order.id for book in floor.books.values() for order in book.resting.orders.values() if order.account == account.name]
    assert sorted(rests) == sorted(order.id for order in account.all_open())
    assert all(order.is_open and order.remaining > 0 for order in account.all_open())
    assert {each.id for each in account.algos.values() if each.status == "NEW"} == set(account.waiting_algos)
    for algo in account.algos.values():
        assert (algo.status == "TRIGGERED") == (algo.order_id in account.orders and account.orders[algo.order_id].is_open)
    for book in floor.books.values():
        assert not book.resting.bids or not book.resting.asks or -book.resting.bids[0][0] < book.resting.asks[0][0], "no crossed book"


def nobody_lives_below_the_margin(floor: Floor, account: Account) -> None:
    """After a moment of the market an account holds nothing that its money does not carry, and owes nothing."""
    assert available(floor, account) >= 0
    assert not account.held() or equity(floor, account) > maintenance(floor, account)
    assert account.held() or account.wallet >= 0


def closing_orders_never_opened(told: list[OrderEffect]) -> None:
    """Every fill of a closing order makes its position smaller."""
    amounts: dict[tuple[str, str, str], Decimal] = {}
    for each in told:
        if each.fill is None:
            continue
        key = (each.order.account, each.order.symbol, each.order.position_side)
        before = amounts.get(key, ZERO)
        after = amounts[key] = before + (each.fill.quantity if each.order.buys else -each.fill.quantity)
        if each.order.reduce_only or each.order.is_forced:
            assert abs(after) < abs(before)
            assert after * before >= 0
