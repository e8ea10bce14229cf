"""An intent is never sent twice unless the exchange surely did nothing, and becomes at most one live order."""

import asyncio
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.exchange.fake_exchange import Trouble
from tests.unit.engine.execution.desk import Desk, entry

from quantum_engine.execution import asking, service
from quantum_engine.verdicts import Accepted, Declined, Refused

SURE = {Trouble.NOT_DONE, Trouble.THROTTLED}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 11, 60])),
        st.tuples(st.just("late"), st.just(0)),
        st.tuples(st.just("settle"), st.just(0)),
        st.tuples(st.just("reach"), st.integers(0, 1)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=14,
)


async def live_through(steps: list[tuple[str, int]], troubles: list[Trouble]) -> Desk:
    desk = Desk()
    await desk.open()
    desk.trouble(*troubles)
    for what, number in steps:
        match what:
            case "submit":
                await desk.execution.submit(entry(f"intent-{number}", "0.010"))
            case "wait":
                desk.clock.advance(number)
            case "late":
                desk.exchange.deliver_late()
            case "settle":
                await desk.execution._settle_open()
            case "reach":
                desk.exchange.can_be_asked = bool(number)
            case "restart":
                desk.exchange.can_be_asked = True
                await desk.restart()
        await desk.settle()
    desk.exchange.can_be_asked = True
    desk.exchange.deliver_late()
    await desk.settle()
    desk.clock.advance(60)
    await desk.execution._settle_open()
    await desk.settle()
    await desk.close()
    return desk


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, troubles=st.lists(st.sampled_from(Trouble), max_size=12))
def test_an_intent_is_never_sent_twice_unless_the_exchange_surely_did_nothing(
    steps: list[tuple[str, int]], troubles: list[Trouble], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request may be on its way for up to nine seconds; the venue refuses it later (receive window)."""
    monkeypatch.setattr(asking, "ASK_AFTER_SECONDS", (0.0,))
    monkeypatch.setattr(service, "wait_before_retry", lambda attempts, *_: 0.0 if attempts < 4 else None)
    desk = asyncio.run(live_through(steps, troubles))
    answers = [troubles[n] if n < len(troubles) else Trouble.NONE for n in range(len(desk.exchange.placed))]
    unsure = Counter(intent.id for (_, intent), answer in zip(desk.exchange.placed, answers, strict=True) if answer not in SURE)
    assert all(count == 1 for count in unsure.values())
    done = sum((order.executed for order in desk.exchange._orders.values()), Decimal(0))
    positions = asyncio.run(desk.exchange.positions())
    assert sum((p.quantity for p in positions), Decimal(0)) == done
    lines = desk.positions.positions.values()
    assert sum((p.quantity for p in lines), Decimal(0)) == done, "the engine holds what the exchange holds"
    last = {name: verdict for name, verdict in desk.outcomes if not isinstance(verdict, Refused)}
    for name, verdict in last.items():
        if isinstance(verdict, Declined):
            assert desk.exchange._orders.get(verdict.client_order_id) is None, f"{name} was declared dead and is live"
        assert not (isinstance(verdict, Accepted) and not verdict.certain), f"{name} was never settled"
