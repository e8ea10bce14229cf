"""The venue as a process: quick to start, quick to end, even with listeners."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    command = [sys.executable, "-m", "quantum_simulator", "--port", "0", "--control-port", "0", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    return process, json.loads(await asyncio.wait_for(process.stderr.readline(), 20))


async def test_sigterm_ends_it_cleanly_although_nobody_hangs_up(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """A server waits a minute for open connections unless it is told not to: every test that ends a venue would."""
    (tmp_path / "engine-0.json").write_text('{"apiKey": "k", "apiSecret": "s"}')
    process, told = await start("--accounts-dir", str(tmp_path), "--symbols", "BTCUSDT")
    assert told["accounts"] == ["engine-0"]
    async with session.post(told["rest"] + "/fapi/v1/listenKey", headers={"X-MBX-APIKEY": "k"}) as response:
        key = (await response.json())["listenKey"]
    private = await session.ws_connect(f"{told['streams']}/private/ws/{key}")
    market = await session.ws_connect(f"{told['streams']}/market/ws/btcusdt@kline_1m")
    await market.receive_json(timeout=5)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    for stream in (private, market):
        await stream.close()


async def test_a_start_that_cannot_be_says_why(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-1s.csv").write_text("1760128200000,1,2,3\n")
    for argument, directory, reason in (
        ("--accounts-dir", tmp_path / "nowhere", "is not a directory"),
        ("--replay-dir", tmp_path, "line 1"),
    ):
        process, told = await start(argument, str(directory))
        assert await asyncio.wait_for(process.wait(), 10) == 2
        assert reason in told["reason"]


async def test_a_cut_stream_breaks_also_under_the_event_loop_of_the_process(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """uvloop's transports are no ``asyncio.Transport``: a cut that asked for one left the connection open and silent."""
    process, told = await start("--symbols", "BTCUSDT")
    market = await session.ws_connect(f"{told['streams']}/market/ws/btcusdt@markPrice@1s")
    await market.receive_json(timeout=5)
    async with session.post(told["control"] + "/control/faults", json={"kind": "stream_cut"}) as response:
        assert response.status == 200
    async with asyncio.timeout(5):
        while (await market.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert market.closed
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0
