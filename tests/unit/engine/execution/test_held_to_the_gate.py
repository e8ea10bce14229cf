"""Under a gate that lets positions only shrink, the exchange itself is told so: what else fills meanwhile is not ours to see."""

from decimal import Decimal

from tests.unit.engine.execution.desk import Desk, entry

from quantum_api.gate import Gate
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Accepted

SHRINK = OrderIntent("shrink", "BTCUSDT", Side.SELL, Decimal("0.050"))
REDUCE_ONLY = Restriction("policy", Gate.REDUCE_ONLY, "now")


async def bought() -> Desk:
    desk = await Desk().open()
    await desk.execution.submit(entry())
    await desk.settle()
    return desk


async def test_an_order_that_may_only_reduce_bears_the_flag_though_its_sender_set_none() -> None:
    """A stop order may take the position while it is on its way: it would open the other side."""
    desk = await bought()
    desk.permission.restrict(REDUCE_ONLY)
    assert isinstance(await desk.execution.submit(SHRINK), Accepted)
    assert [intent.reduce_only for _, intent in desk.exchange.placed] == [False, True]
    await desk.close()


async def test_an_order_signed_before_the_gate_closed_does_not_leave_without_the_flag() -> None:
    """It waits for its connection, and its bytes are written already: it is made anew."""
    desk = await bought()
    place = desk.exchange.place
    attempts: list[bool] = []

    async def late(intent, client_order_id, may_leave):
        attempts.append(intent.reduce_only)
        desk.permission.restrict(REDUCE_ONLY)
        desk.clock.advance(1.0)
        return await place(intent, client_order_id, may_leave)

    desk.exchange.place = late  # type: ignore[method-assign]
    assert isinstance(await desk.execution.submit(SHRINK), Accepted)
    assert attempts == [False, True]
    assert [intent.reduce_only for _, intent in desk.exchange.placed] == [False, True]
    await desk.close()
