"""Laws of the gate over random worlds."""

import random
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.engine.gate.worlds import intent, limits, position, resting, restricted, world

from quantum_api.gate import Gate
from quantum_engine.domain import OrderView, Purpose, Side
from quantum_engine.gate.chain import EVERY_ORDER, GATE, judge
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
    lambda order, held, orders, gate, age, rate, leverage: replace(
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
def test_reduce_only_never_grows_opens_or_flips_a_position_whatever_rests_or_flies(order, held, orders, seed) -> None:
    """Any of the other orders fill, by any part, before and after it: at its own moment the new order shrinks and does not cross flat.

    Without orders of the other side (entries from before the gate closed) the end is no larger than the beginning either.
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
    if all(each.side is order.side for each in orders) and _others(orders) <= abs(start):
        assert quantity * start >= 0
        assert abs(quantity) <= abs(start)


def _others(orders: list[OrderView]) -> Decimal:
    """What orders without the flag would do by themselves."""
    return sum((each.quantity for each in orders if not each.reduce_only), Decimal(0))


@given(snapshot=WORLDS)
def test_the_first_refusal_of_the_chain_wins_and_is_always_the_same(snapshot) -> None:
    refusals = []
    for check in EVERY_ORDER if snapshot.is_exit else GATE:
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
    assert isinstance(judge(replace(snapshot, gate=tighter)), Refused)
