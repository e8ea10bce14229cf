"""A crashed stage comes back, five times; then the gate says that it is gone.  In virtual time: the schedule is the promise."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from quantum_api.gate import Gate
from quantum_engine.healing.backoff import FORGIVEN_AFTER_SECONDS, delay_seconds
from quantum_engine.healing.service import HISTORY, Supervisor
from quantum_engine.permission import Permission

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
MIDDLE = 0.5
"""No jitter."""


class LoopClock:
    """The event loop's own time, which looptime lets pass at once."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> int:
        return 1_800_000_000_000 + round(self.monotonic() * 1000)


class Stage:
    """Runs ``seconds`` each time, then crashes; the last entry for ever after."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = seconds
        self.starts: list[float] = []

    async def run(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._seconds[min(len(self.starts), len(self._seconds)) - 1])
        raise ZeroDivisionError("boom")

    @property
    def gaps(self) -> list[float]:
        return [round(later - earlier, 3) for earlier, later in zip(self.starts, self.starts[1:], strict=False)]


class Engine:
    def __init__(self, chance: Callable[[], float] = lambda: MIDDLE) -> None:
        self.permission = Permission()
        for source in ("policy", "reconciliation"):
            self.permission.lift(source)
        self.supervisor = Supervisor(self.permission, LoopClock(), chance)

    async def after(self, seconds: float, stage: Stage, **how: Any) -> None:
        self.supervisor.start("strategy", stage.run, **how)
        await asyncio.sleep(seconds)
        await self.supervisor.stop()


@pytest.mark.parametrize(("crashes", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 16.0), (6, None)])
async def test_delays_double_and_end(crashes: int, seconds: float | None) -> None:
    assert delay_seconds(crashes, MIDDLE) == seconds


async def test_jitter_is_ten_percent() -> None:
    assert (delay_seconds(1, 0.0), delay_seconds(1, 1.0)) == (0.9, 1.1)


async def test_a_stage_is_started_again_after_1_2_4_8_16_seconds_and_then_no_more() -> None:
    engine, stage = Engine(), Stage(0)
    await engine.after(1_000, stage)
    assert stage.gaps == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert engine.supervisor.running == []


async def test_the_schedule_is_jittered_by_ten_percent_either_way() -> None:
    chances = iter([0.0, 1.0, 0.0, 1.0, 0.0, 0.5])
    engine, stage = Engine(lambda: next(chances)), Stage(0)
    await engine.after(1_000, stage)
    assert stage.gaps == [0.9, 2.2, 3.6, 8.8, 14.4]


async def test_a_stage_that_is_given_up_degrades_the_engine_to_a_named_state() -> None:
    engine = Engine()
    await engine.after(30.9, Stage(0))
    assert engine.permission.gate is Gate.ACTIVE, "five tries are not over"
    engine = Engine()
    await engine.after(31.1, Stage(0))
    (restriction,) = engine.permission.restrictions
    assert (restriction.source, restriction.gate) == ("DEGRADED:strategy", Gate.REDUCE_ONLY)
    assert "boom" in restriction.detail
    assert "boom" in engine.supervisor.given_up["strategy"]


async def test_crashes_are_forgotten_after_300_seconds_of_calm_and_not_before() -> None:
    calm, restless = Stage(0, 0, 0, 0, 0, FORGIVEN_AFTER_SECONDS + 0.1, 0), Stage(0, 0, 0, 0, 0, FORGIVEN_AFTER_SECONDS, 0)
    engine = Engine()
    await engine.after(400, calm)
    assert calm.gaps[5:7] == [FORGIVEN_AFTER_SECONDS + 0.1 + 1.0, 2.0], "it begins with one second anew"
    engine = Engine()
    await engine.after(400, restless)
    assert len(restless.starts) == 6
    assert "strategy" in engine.supervisor.given_up


async def test_promise_7_a_vital_stage_goes_on_every_16_seconds_though_the_gate_closes() -> None:
    engine, stage = Engine(), Stage(0)
    await engine.after(31 + 16 * 10 + 1, stage, is_vital=True)
    assert stage.gaps == [1.0, 2.0, 4.0, 8.0] + [16.0] * 11
    assert engine.permission.restrictions[0].source == "DEGRADED:strategy"


async def test_a_vital_stage_that_recovers_goes_on_working() -> None:
    engine, stage = Engine(), Stage(0, 0, 0, 0, 0, 0, 0, 0, 3_600)
    await engine.after(1_000, stage, is_vital=True)
    assert len(stage.starts) == 9


async def test_every_crash_is_remembered_with_its_time_error_and_what_followed() -> None:
    engine = Engine()
    await engine.after(1_000, Stage(0))
    history = list(engine.supervisor.history)
    assert [(crash.stage, crash.crashes, crash.delay_seconds) for crash in history] == [
        ("strategy", n, delay) for n, delay in zip(range(1, 7), [1.0, 2.0, 4.0, 8.0, 16.0, None], strict=True)
    ]
    assert [crash.at_ms - history[0].at_ms for crash in history] == [0, 1_000, 3_000, 7_000, 15_000, 31_000]
    assert {crash.error for crash in history} == {"ZeroDivisionError('boom')"}


async def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    engine = Engine()
    await engine.after(16 * 60, Stage(0), is_vital=True)
    assert len(engine.supervisor.history) == HISTORY
    assert engine.supervisor.history[-1].crashes > HISTORY


async def test_one_stage_that_crashes_leaves_the_others_running() -> None:
    engine, other = Engine(), Stage(10_000)
    engine.supervisor.start("other", other.run)
    await engine.after(1_000, Stage(0))
    assert len(other.starts) == 1


async def test_a_stage_that_ends_by_itself_has_crashed_too() -> None:
    engine = Engine()
    engine.supervisor.start("idle", lambda: asyncio.sleep(0))
    await asyncio.sleep(0.5)
    assert engine.supervisor.history[0].error == "RuntimeError('the stage ended by itself')"
    await engine.supervisor.stop()


async def test_stopping_ends_every_stage_but_those_that_are_spared() -> None:
    engine = Engine()
    for stage in ("control", "idle"):
        engine.supervisor.start(stage, lambda: asyncio.sleep(3_600))
    await asyncio.sleep(0)
    await engine.supervisor.stop(but={"control"})
    assert engine.supervisor.running == ["control"]
    await engine.supervisor.stop()
    assert engine.supervisor.running == []


async def test_a_stage_whose_library_swallows_a_cancellation_ends_all_the_same() -> None:
    """redis-py sends with wait_for, which in Python 3.11 may lose one: the process would then never end on SIGTERM."""
    engine, swallowed = Engine(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    engine.supervisor.start("mirror", stubborn)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await engine.supervisor.stop()
    assert swallowed.is_set()
    assert engine.supervisor.running == []
