"""A benchmark that measures less than it says is worse than none."""

from decimal import Decimal

from benchmarks.gate import SYMBOLS, busy_account

from quantum_engine.domain import OrderIntent, Side
from quantum_engine.gate.chain import judge
from quantum_engine.verdicts import Allowed


async def test_the_timed_intent_passes_every_check_on_an_account_that_is_busy() -> None:
    world = await busy_account()
    snapshot = world.snapshot(OrderIntent("timed", SYMBOLS[0], Side.BUY, Decimal("0.100")))
    assert judge(snapshot) == Allowed()
    assert (len(snapshot.positions), len(snapshot.open_orders), len(snapshot.marks)) == (3, 7, 2)
