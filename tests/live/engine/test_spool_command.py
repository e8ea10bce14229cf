"""A disk that is given up: what Redis never heard goes to another disk by hand, and from there to everybody."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis.asyncio as aioredis
from tests.live.engine.rig import ENGINE, EngineRig
from tests.redis_server import RedisServer

from quantum_api import names
from quantum_api.bus_envelope import opened


@pytest.fixture
async def stream(redis_server: RedisServer) -> AsyncIterator[aioredis.Redis]:
    async with aioredis.from_url(redis_server.url) as client:
        yield client


def spool(rig: EngineRig, verb: str, file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "quantum_engine", "spool", verb, str(file)]
    return subprocess.run(command, env=rig.environment, capture_output=True, text=True, timeout=60, check=False)


async def test_events_move_to_another_disk_and_reach_redis_once(
    new_engine: Callable[..., EngineRig], redis_server: RedisServer, stream: aioredis.Redis, tmp_path: Path
) -> None:
    file = tmp_path / "spool.jsonl"
    old, new = (new_engine(QT_ENGINE_REDIS_URL=redis_server.url) for _ in range(2))
    redis_server.kill()
    await old.start()
    await old.halt("nobody hears this")
    refused = await asyncio.to_thread(spool, old, "export", file)
    assert (refused.returncode, "stop it first" in refused.stderr) == (6, True)
    old.terminate()
    exported = await asyncio.to_thread(spool, old, "export", file)
    assert exported.returncode == 0, exported.stderr
    told = [json.loads(line) for line in file.read_text().splitlines()[1:-1]]
    assert "emergency.tripped" in {event["kind"] for event in told}
    assert (await asyncio.to_thread(spool, old, "export", file)).returncode == 6
    imported = await asyncio.to_thread(spool, new, "import", file)
    assert imported.returncode == 0, imported.stderr
    redis_server.start()
    await new.start()
    await new.until_status(lambda s: s["dependencies"]["bus"].startswith("up 0 "), "everything is in Redis")
    entries = [opened(fields[b"e"]) for _, fields in await stream.xrange(names.events_key(ENGINE))]
    assert [e.sequence for e in entries[: len(told)]] == [event["sequence"] for event in told]
    assert [e.payload["reason"] for e in entries if e.kind == "emergency.tripped"] == ["nobody hears this"]


async def test_two_engines_never_share_a_journal(engine: EngineRig) -> None:
    """They would give two events one number, and two orders one intent."""
    await engine.start()
    command = [sys.executable, "-m", "quantum_engine", "run"]
    other = engine.environment | {"QT_ENGINE_CONTROL_PORT": "1"}
    second = await asyncio.to_thread(subprocess.run, command, env=other, capture_output=True, text=True, timeout=60)
    assert (second.returncode, "an engine runs on the journal" in second.stderr) == (2, True)
