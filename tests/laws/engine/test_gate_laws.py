"""Laws of the gate over random worlds."""

import random
from dataclasses import replace
from decimal import Decimal
from itertools import chain, combinations

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.engine.gate.worlds import BTC, ETH, intent, limits, position, resting, restricted, world

from quantum_api.gate import Gate, most_restrictive
from quantum_engine.domain import OrderView, Purpose, Side
from quantum_engine.gate.chain import EXITS, GATE, judge
from quantum_engine.gate.projection import project
from quantum_engine.permission import Permission, Restriction
from quantum_engine.verdicts import Allowed, Refused

SIDES = st.sampled_from(Side)
LOTS = st.integers(1, 40).map(lambda lots: f"{Decimal(lots) / 1000}")
HELD = st.integers(-40, 40).map(lambda lots: f"{Decimal(lots) / 1000}")
ORDERS = st.lists(st.builds(lambda side, lots, flag: resting(side, lots, reduce_only=flag), SIDES, LOTS, st.booleans()), max_size=5)
INTENTS = st.builds(
    lambda side, lots, flag, purpose: intent(side, lots, reduce_only=flag, purpose=purpose),
    SIDES,
    LOTS,
    st.booleans(),
    st.sampled_from([Purpose.ENTRY, Purpose.REDUCE]),
)
WORLDS = st.builds(
    lambda order, held, orders, gate, age, rate, leverage: msgspec.structs.replace(
        restricted(gate, intent=order, positions=position(held), open_orders=orders) if gate is not Gate.ACTIVE else world(intent=order),
        quote_age_seconds=age,
        orders_last_second=rate,
        limits=limits(max_leverage_bps=leverage),
    ),
    INTENTS,
    HELD,
    ORDERS,
    st.sampled_from(Gate),
    st.floats(0, 10),
    st.integers(0, 15),
    st.integers(100, 2_000),
)


def fill(held: Decimal, order: OrderView, share: int) -> Decimal:
    """Up to ``share`` quarters of it; the exchange keeps a reduce-only order from doing more than shrinking."""
    quantity = order.quantity * share / 4
    if order.reduce_only:
        quantity = min(quantity, max(-held * order.side.sign, Decimal(0)))
    return held + quantity * order.side.sign


@given(order=INTENTS, held=HELD, orders=ORDERS, seed=st.integers(0, 10_000))
@example(
    order=intent(Side.SELL, "0.001", reduce_only=True),
    held="0.002",
    orders=[resting(Side.SELL, "0.001"), resting(Side.SELL, "0.001", reduce_only=True)],
    seed=0,
)  # found by chance: the reduce-only two took all, and the third order, which had fitted before, went past flat
def test_reduce_only_never_grows_opens_or_flips_a_position_whatever_rests_or_flies(order, held, orders, seed) -> None:
    """Any of the other orders fill, by any part, before and after it: at its own moment the new order shrinks and does not cross flat.

    Without orders of the other side (entries from before the gate closed) the end is no larger than the beginning either, and no further
    past flat than the resting orders could have gone without it.
    """
    snapshot = restricted(Gate.REDUCE_ONLY, intent=order, positions=position(held), open_orders=orders)
    if judge(snapshot) != Allowed():
        return
    chance = random.Random(seed)
    new = replace(resting(order.side, str(order.quantity), reduce_only=order.reduce_only), order_id=99)
    history = [(each, chance.randint(0, 4)) for each in orders] + [(new, 4)]
    chance.shuffle(history)
    quantity = start = Decimal(held)
    for each, share in history:
        before, quantity = quantity, fill(quantity, each, share)
        if each is new:
            assert abs(quantity) <= abs(before)
            assert quantity * before >= 0
    if all(each.side is order.side for each in orders):
        past_flat = -quantity if start > 0 else quantity
        assert past_flat <= _worst_past_flat(abs(start), orders)
        assert abs(quantity) <= max(abs(start), _worst_past_flat(abs(start), orders))


def _worst_past_flat(size: Decimal, orders: list[OrderView]) -> Decimal:
    """The reduce-only orders fill first and take all they may, then those without the flag."""
    guarded = sum((each.quantity for each in orders if each.reduce_only), Decimal(0))
    unguarded = sum((each.quantity for each in orders if not each.reduce_only), Decimal(0))
    return max(unguarded - (size - min(guarded, size)), Decimal(0))


@given(snapshot=WORLDS)
def test_the_first_refusal_of_the_chain_wins_and_is_always_the_same(snapshot) -> None:
    refusals = []
    for check in EXITS if snapshot.is_exit else GATE:
        try:
            refused = check(snapshot)
        except AssertionError:
            break  # a later check may rely on an earlier one having refused
        if refused is not None:
            refusals.append(refused)
    judged = judge(snapshot)
    assert judged == judge(snapshot)
    assert judged == (refusals[0] if refusals else Allowed())


@given(snapshot=WORLDS, tighter=st.sampled_from(Gate))
def test_a_tighter_gate_never_allows_what_a_looser_one_refused(snapshot, tighter) -> None:
    if tighter.restriction < snapshot.gate.restriction or judge(snapshot) == Allowed():
        return
    assert isinstance(judge(msgspec.structs.replace(snapshot, gate=tighter)), Refused)


MANY_ORDERS = st.lists(
    st.builds(
        lambda side, lots, flag, symbol: resting(side, lots, reduce_only=flag, symbol=symbol),
        SIDES,
        LOTS,
        st.booleans(),
        st.sampled_from([BTC, ETH]),
    ),
    max_size=4,
)


@given(order=INTENTS, btc=HELD, eth=HELD, orders=MANY_ORDERS)
def test_the_projection_is_the_worst_of_everything_that_could_be_filled(order, btc, eth, orders) -> None:
    """Each subset of the opening orders is filled, with and without the new one: nothing is larger than projected, one is as large."""
    price, other = Decimal(50_000), Decimal(2_500)
    snapshot = world(intent=order, positions=position(btc) | position(eth, ETH), open_orders=orders, marks={ETH: other})
    opening = [each for each in orders if not each.reduce_only]
    own, grosses, before, after = [], [], [], []
    for some in chain.from_iterable(combinations(opening, size) for size in range(len(opening) + 1)):
        held = {BTC: Decimal(btc), ETH: Decimal(eth)}
        for each in some:
            held[each.symbol] += each.quantity * each.side.sign
        before.append(abs(held[BTC]))
        after.append(abs(held[BTC] + order.quantity * order.side.sign))
        for filled in (Decimal(0), order.quantity * order.side.sign):
            own.append((held[BTC] + filled) * order.side.sign)
            grosses.append(abs(held[BTC] + filled) * price + abs(held[ETH]) * other)
    projected = project(snapshot, price)
    assert projected.position == max(*own, Decimal(0))
    assert projected.gross_usdt == max(grosses)
    assert projected.grows == (max(after) > max(before))


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["policy", "stop:a", "stop:b", "data"]),
        st.sampled_from(Gate),
        st.sampled_from([frozenset(), frozenset({BTC}), frozenset({BTC, ETH})]),
    ),
    max_size=8,
)


@given(changes=CHANGES)
def test_what_is_in_force_is_what_was_last_said_however_often_it_is_asked(changes) -> None:
    """The answer is kept between changes, and kept no longer: a listener that asks in the moment of a change hears the change."""
    permission, heard = Permission(), []
    permission.on_change(lambda: heard.append((permission.gate, permission.gate_for(BTC))))
    for source, gate, symbols in changes:
        permission.restrict(Restriction(source, gate, "", symbols))
        for symbol in (BTC, ETH, "NOBODYUSDT"):
            holding = tuple(r for r in permission.restrictions if not r.symbols or symbol in r.symbols)
            assert permission.in_force(symbol).restrictions == holding
            assert permission.gate_for(symbol) is most_restrictive(Gate.ACTIVE, *(r.gate for r in holding))
    if heard:
        assert heard[-1] == (permission.gate, permission.gate_for(BTC))
