"""A flood of signals: ten intents a minute reach the exchange, nothing queues, and a stop is not behind it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from tests.unit.engine.execution.desk import Desk, close_all, entry, is_certain

from quantum_api.gate import Gate
from quantum_engine.domain import Purpose
from quantum_engine.execution.router import MOST_ENTRIES_AT_ONCE, Router
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Accepted, Refused

WIDE: dict[str, Any] = {"max_position_notional_usdt": 1_000_000, "max_gross_exposure_usdt": 1_000_000, "max_leverage_bps": 1_000_000}


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    """With the policy's own rates: 10 orders a second, 10 intents a minute."""
    opened = await Desk(max_orders_per_second=10, max_intents_per_minute=10, **WIDE).open()
    yield opened
    await opened.close()


async def burst(desk: Desk, router: Router, signals: int, seconds: float, name: str = "signal") -> list[str]:
    """Signals evenly over a stretch of virtual time; what was said to each."""
    words = []
    for number in range(signals):
        task = router.take(entry(f"{name}-{number}", "0.010"))
        verdict = None if task is None else await task
        words.append(verdict.refusal.value if isinstance(verdict, Refused) else "accepted" if verdict else "too many")
        desk.clock.advance(seconds / signals)
    return words


async def test_fifty_signals_in_five_seconds_are_ten_intents_and_the_next_minute_is_free_again(desk: Desk) -> None:
    router = Router(desk.execution, desk.clock)
    began = desk.clock.monotonic()
    words = await burst(desk, router, 50, 5.0)
    assert (words.count("accepted"), words.count("INTENT_RATE_ABOVE_LIMIT")) == (10, 40)
    assert len(desk.sent) == 10, "as the exchange itself counts"
    desk.clock.advance(60.0 - (desk.clock.monotonic() - began))
    assert (await burst(desk, router, 50, 5.0, "later")).count("accepted") == 10
    assert len(desk.sent) == 20


async def test_a_restart_in_the_middle_gives_no_fresh_minute(desk: Desk) -> None:
    """A process that crashes after each order would otherwise send ten more each time."""
    assert (await burst(desk, Router(desk.execution, desk.clock), 6, 5.0)).count("accepted") == 6
    for number in range(3):
        await desk.restart()
        await burst(desk, Router(desk.execution, desk.clock), 10, 5.0, f"life-{number}")
    assert len(desk.sent) == 10
    desk.clock.advance(60)
    assert (await burst(desk, Router(desk.execution, desk.clock), 10, 5.0, "later")).count("accepted") == 10


async def test_no_minute_holds_more_than_ten_however_the_signals_fall(desk: Desk) -> None:
    """A window that slides: the last second of one minute and the first of the next are one minute too."""
    router, times = Router(desk.execution, desk.clock), []
    for number in range(400):
        task = router.take(entry(str(number), "0.010"))
        assert task is not None
        if isinstance(await task, Accepted):
            times.append(desk.clock.monotonic())
        desk.clock.advance(0.7)
    assert len(times) > 20
    assert all(later - earlier >= 60.0 for earlier, later in zip(times, times[10:], strict=False))


async def test_five_thousand_signals_at_once_wait_nowhere_and_a_stop_shuts_the_gate_before_the_next(desk: Desk) -> None:
    """What is not taken is not kept; and the stop is a plain assignment, so it is in force for the very next look."""
    desk.limits = desk.limits.model_copy(update={"max_orders_per_second": 100, "max_intents_per_minute": 6_000})
    router, disk = Router(desk.execution, desk.clock), asyncio.Event()
    desk.journal.answers = disk
    began = time.monotonic()
    taken = [router.take(entry(str(number), "0.010")) for number in range(5_000)]
    await desk.settle()
    carried = [task for task in taken if task is not None]
    assert (len(carried), router.in_progress) == (MOST_ENTRIES_AT_ONCE, MOST_ENTRIES_AT_ONCE)
    assert len(desk.execution._table.open) == MOST_ENTRIES_AT_ONCE, "what was not taken is nowhere"
    assert time.monotonic() - began < 5.0
    desk.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now"))
    disk.set()
    verdicts = await asyncio.gather(*carried)
    assert {verdict.refusal.value for verdict in verdicts if isinstance(verdict, Refused)} == {"STOP_LATCHED"}
    assert desk.sent == [], "not even those that were written already"
    assert router.in_progress == 0


async def test_promise_7_the_stops_own_orders_leave_in_the_middle_of_a_flood(desk: Desk) -> None:
    await desk.execution.submit(entry("held"))
    await desk.settle()
    router, disk = Router(desk.execution, desk.clock), asyncio.Event()
    desk.journal.answers = disk
    flood = [task for number in range(5_000) if (task := router.take(entry(str(number), "0.010"))) is not None]
    desk.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "now"))
    async with asyncio.timeout(3):
        assert is_certain(await desk.execution.submit(close_all("exit", purpose=Purpose.EMERGENCY_EXIT)))
    assert desk.sent == ["held", "exit"]
    disk.set()
    await asyncio.gather(*flood)
    assert desk.sent == ["held", "exit"]
