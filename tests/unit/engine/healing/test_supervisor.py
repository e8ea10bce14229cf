"""A crashed stage comes back, five times; then the gate says that it is gone."""

import asyncio

import pytest

from quantum_api.gate import Gate
from quantum_engine.clock import SystemClock
from quantum_engine.healing import service
from quantum_engine.healing.backoff import delay_seconds
from quantum_engine.healing.service import Supervisor
from quantum_engine.permission import Permission


@pytest.mark.parametrize(("crashes", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 16.0), (6, None)])
def test_delays_double_and_end(crashes: int, seconds: float | None) -> None:
    assert delay_seconds(crashes, 0.5) == seconds


def test_jitter_is_ten_percent() -> None:
    assert (delay_seconds(1, 0.0), delay_seconds(1, 1.0)) == (0.9, 1.1)


async def test_a_stage_that_keeps_crashing_is_given_up_and_restricts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "delay_seconds", lambda crashes, chance: 0.0 if delay_seconds(crashes, chance) else None)
    permission = Permission()
    supervisor = Supervisor(permission, SystemClock(), lambda: 0.5)
    given_up = asyncio.Event()
    permission.on_change(given_up.set)
    starts = 0

    async def crash() -> None:
        nonlocal starts
        starts += 1
        raise ZeroDivisionError("boom")

    supervisor.start("strategy", crash)
    async with asyncio.timeout(5):
        await given_up.wait()
    assert starts == 6
    assert "boom" in supervisor.given_up["strategy"]
    assert ("healing:strategy", Gate.REDUCE_ONLY) in {(r.source, r.gate) for r in permission.restrictions}


async def test_stopping_ends_every_stage() -> None:
    supervisor = Supervisor(Permission(), SystemClock(), lambda: 0.5)
    supervisor.start("idle", lambda: asyncio.sleep(3_600))
    await supervisor.stop()
    assert supervisor.running == []


async def test_promise_7_a_stage_that_gets_us_out_is_never_given_up_though_the_gate_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "delay_seconds", lambda crashes, chance: 0.0 if delay_seconds(crashes, chance) else None)
    monkeypatch.setattr(service, "LONGEST_SECONDS", 0.0)
    permission = Permission()
    supervisor = Supervisor(permission, SystemClock(), lambda: 0.5)
    recovered = asyncio.Event()
    starts = 0

    async def crash_nine_times() -> None:
        nonlocal starts
        starts += 1
        if starts < 10:
            raise ZeroDivisionError("boom")
        recovered.set()
        await asyncio.sleep(3_600)

    supervisor.start("emergency", crash_nine_times, is_vital=True)
    async with asyncio.timeout(5):
        await recovered.wait()
    assert ("healing:emergency", Gate.REDUCE_ONLY) in {(r.source, r.gate) for r in permission.restrictions}
    await supervisor.stop()


async def test_a_stage_whose_library_swallows_a_cancellation_ends_all_the_same() -> None:
    """redis-py sends with wait_for, which in Python 3.11 may lose one: the process would then never end on SIGTERM."""
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    supervisor = Supervisor(Permission(), SystemClock(), lambda: 0.5)
    supervisor.start("mirror", stubborn)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await supervisor.stop()
    assert swallowed.is_set()
    assert supervisor.running == []
