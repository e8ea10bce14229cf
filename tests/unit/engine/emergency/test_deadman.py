"""A countdown at the exchange cancels what rests when nobody here does anything any more."""

from decimal import Decimal

import pytest

from quantum_api.gate import Gate
from quantum_engine.clock import ManualClock
from quantum_engine.domain import OrderStatus, OrderView, Side
from quantum_engine.emergency.countdowns import COUNTDOWN_SECONDS, REFRESH_SECONDS
from quantum_engine.emergency.deadman import SOURCE, DeadMan
from quantum_engine.errors import RetryableError, ThrottledError
from quantum_engine.permission import Permission, Restriction

WEIGHT_OF_A_CALL = 10


class Exchange:
    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []
        self.broken: Exception | None = None

    async def arm_countdown(self, symbol: str, seconds: int) -> None:
        self.calls.append((symbol, seconds))
        if self.broken is not None:
            raise self.broken


class Desk:
    """A dead man's switch on a clock that is turned by hand."""

    def __init__(self) -> None:
        self.exchange, self.clock, self.permission = Exchange(), ManualClock(), Permission()
        self.permission.lift("policy")
        self.permission.lift("reconciliation")
        self.open_orders: dict[str, OrderView] = {}
        self.deadman = DeadMan(self.exchange, self, self.permission, self.clock)

    def rest(self, symbol: str, *, is_algo: bool = False) -> None:
        self.open_orders[symbol] = OrderView(
            symbol, 1, symbol, Side.BUY, OrderStatus.NEW, Decimal(1), Decimal(0), Decimal(1), False, 0, is_algo
        )  # fmt: skip

    async def live(self, seconds: int) -> list[tuple[str, int]]:
        """Second by second; the calls made."""
        before = len(self.exchange.calls)
        for _ in range(seconds):
            await self.deadman.look()
            self.clock.advance(1)
        return self.exchange.calls[before:]


async def test_a_resting_order_has_a_countdown_of_120_s_that_is_refreshed_each_30_s() -> None:
    desk = Desk()
    desk.rest("B")
    assert await desk.live(1) == [("B", COUNTDOWN_SECONDS)]
    assert await desk.live(29) == []
    assert await desk.live(61) == [("B", COUNTDOWN_SECONDS)] * 3
    assert (COUNTDOWN_SECONDS, REFRESH_SECONDS) == (120, 30.0)


async def test_nothing_that_rests_costs_nothing_and_conditional_orders_live_on() -> None:
    desk = Desk()
    desk.rest("B", is_algo=True)
    assert await desk.live(200) == []


async def test_what_no_longer_rests_is_disarmed_once() -> None:
    desk = Desk()
    desk.rest("B")
    await desk.live(1)
    desk.open_orders.clear()
    assert await desk.live(300) == [("B", 0)]
    assert desk.deadman.armed == ()


async def test_an_order_that_comes_and_goes_each_second_costs_no_more_than_one_that_stays() -> None:
    """Each call weighs 10 of what all engines behind one address share."""
    desk = Desk()
    calls = 0
    for second in range(60):
        desk.open_orders.clear() if second % 2 else desk.rest("B")
        calls += len(await desk.live(1))
    assert calls * WEIGHT_OF_A_CALL <= 30


async def test_a_halted_engine_refreshes_nothing_so_that_the_exchange_cancels() -> None:
    desk = Desk()
    desk.rest("B")
    await desk.live(1)
    desk.permission.restrict(Restriction("policy", Gate.HALTED, "gone"))
    assert ("B", COUNTDOWN_SECONDS) not in await desk.live(200)


async def test_a_halted_engine_does_not_disarm_what_still_rests() -> None:
    """A countdown that was set to 0 would keep the orders of an engine that is not in charge for ever."""
    desk = Desk()
    desk.rest("B")
    await desk.live(1)
    desk.permission.restrict(Restriction("policy", Gate.HALTED, "gone"))
    assert await desk.live(200) == []


@pytest.mark.parametrize("error", [RetryableError("HTTP 503"), ThrottledError("429", retry_after_seconds=3)])
async def test_failing_is_said_and_retried_and_stops_trading_only_after_the_last_countdown_has_run_out(error: Exception) -> None:
    desk = Desk()
    desk.rest("B")
    desk.exchange.broken = error
    assert len(await desk.live(60)) == 12
    assert str(error) in desk.deadman.problem
    assert desk.permission.gate is Gate.ACTIVE
    await desk.live(COUNTDOWN_SECONDS)
    assert desk.permission.gate is Gate.REDUCE_ONLY
    assert [r.source for r in desk.permission.restrictions] == [SOURCE]
    desk.exchange.broken = None
    await desk.live(6)
    assert (desk.permission.gate, desk.deadman.problem) == (Gate.ACTIVE, "")


async def test_an_order_that_went_while_arming_failed_restricts_nothing() -> None:
    desk = Desk()
    desk.rest("B")
    desk.exchange.broken = RetryableError("HTTP 503")
    await desk.live(100)
    desk.open_orders.clear()
    await desk.live(100)
    assert desk.permission.gate is Gate.ACTIVE
