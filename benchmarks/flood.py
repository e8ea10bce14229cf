"""A flood of signals through the router: what reaches the venue, how long a signal waits, and whether a stop is behind it.

Real execution and client, SQLite journal, a venue in a process of its own that counts what arrives.  Fifty signals in five seconds under
the policy's default rates, then five thousand in five seconds; in the middle of those a stop closes the gate.
"""

import asyncio
import resource
import tempfile
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import aiohttp
import uvloop

from benchmarks.figures import Row, microseconds, milliseconds
from benchmarks.gate import SYMBOLS
from benchmarks.order_path import LIMITS, Desk, desk, stub
from quantum_api.gate import Gate
from quantum_engine import logs
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.execution.router import Router
from quantum_engine.permission import Restriction
from quantum_engine.verdicts import Accepted, Refused

POLICY = LIMITS.model_copy(update={"max_intents_per_minute": 10, "max_orders_per_second": 10})
SECONDS = 5.0
SIGNALS, MANY = 50, 5_000


@dataclass
class Told:
    """What became of a burst."""

    lags: list[float] = field(default_factory=list)
    accepted: int = 0
    too_many: int = 0
    stop_to_refusal: float | None = None


async def measure() -> list[Row]:
    """In an event loop of the engine's own kind, in a thread of its own."""
    logs.configure("critical", engine="bench", instance="bench")
    return await asyncio.to_thread(_in_the_engines_loop)


def _in_the_engines_loop() -> list[Row]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, tempfile.TemporaryDirectory() as directory, stub() as url:
        return runner.run(_both(url, Path(directory)))


async def _both(url: str, directory: Path) -> list[Row]:
    async with aiohttp.ClientSession() as session, desk(url, directory, POLICY) as engine:
        few = await _burst(engine, SIGNALS, stop=False)
        arrived = await _arrived(session, url)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        many = await _burst(engine, MANY, stop=True)
        grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1_024
        late = await _arrived(session, url) - arrived
    worst, worst_of_many, stop = max(few.lags), max(many.lags), many.stop_to_refusal or float("inf")
    return [
        Row(f"{SIGNALS} signals in {SECONDS:.0f} s -> orders at the venue", str(arrived), "<= 10", arrived == few.accepted <= 10),
        Row("signal -> verdict, the longest of them", milliseconds(worst), "<= 5 s", worst <= 5.0),
        Row(f"{MANY} signals in {SECONDS:.0f} s, the longest", milliseconds(worst_of_many), "<= 5 s", worst_of_many <= 5.0),
        Row("their memory", f"{grown_mib:.1f} MiB", "<= 16 MiB", grown_mib <= 16),
        Row("orders of theirs at the venue: the minute was used up, then the stop held", str(late), "0", not late),
        Row("stop in the middle -> the next signal is refused by it", microseconds(stop), "<= 5 ms", stop <= 5e-3),
    ]  # fmt: skip


async def _burst(engine: Desk, signals: int, *, stop: bool) -> Told:
    """Evenly spaced; every signal is handed in whatever became of those before it."""
    router, told, carried, stopped_at = Router(engine.execution, engine.world.clock), Told(), [], None
    began = time.perf_counter()
    for number in range(signals):
        await asyncio.sleep(max(0.0, began + number * SECONDS / signals - time.perf_counter()))
        if stop and number == signals // 2:
            stopped_at = time.perf_counter()
            engine.world.permission.restrict(Restriction("stop", Gate.EXIT_ONLY, "in the middle of a flood"))
        carried.append(asyncio.create_task(_signal(engine, router, f"{signals}-{number}", told, stopped_at)))
    await asyncio.gather(*carried)
    return told


async def _signal(engine: Desk, router: Router, name: str, told: Told, stopped_at: float | None) -> None:
    began = time.perf_counter()
    task = router.take(OrderIntent(name, SYMBOLS[0], Side.BUY, Decimal("0.010")))
    if task is None:
        told.too_many += 1
        return
    verdict = await asyncio.shield(task)
    told.lags.append(time.perf_counter() - began)
    if isinstance(verdict, Accepted) and verdict.order is not None:
        told.accepted += 1
        engine.shown(verdict.order)
    if stopped_at is not None and told.stop_to_refusal is None and isinstance(verdict, Refused):
        told.stop_to_refusal = time.perf_counter() - stopped_at


async def _arrived(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(f"{url}/arrivals") as answer:
        return len(await answer.json())
