"""A document in force is verified, on disk and newer than the one before, whichever way it came."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import aiohttp
import redis.asyncio as aioredis
from tests.live.engine.rig import ENGINE, EngineRig, Pen, limits, now_ms
from tests.redis_server import RedisServer

from quantum_api import names
from quantum_api.gate import Gate


def sources(status: dict[str, Any]) -> set[str]:
    return {reason["source"] for reason in status["gateReasons"]}


async def test_a_fresh_engine_is_ready_and_halted(engine: EngineRig) -> None:
    """Promise 2.  It must be Ready without a policy, because the operator reaches Ready pods only."""
    await engine.start()
    status = await engine.status()
    assert status["gate"] == "HALTED"
    assert "policy" in sources(status)
    assert "policy" not in status


async def test_an_acknowledged_document_outlives_a_kill(engine: EngineRig, pen: Pen) -> None:
    """Promise 4: acknowledged means on disk."""
    await engine.start()
    code, ack = await engine.put(pen.document(7))
    engine.kill()
    await engine.start()
    status = await engine.status()
    assert (code, status["policy"]["digest"], status["policy"]["leaseValid"]) == (200, ack["digest"], True)
    assert "policy" not in sources(status)


async def test_a_document_written_but_not_acknowledged_is_held_after_the_crash(engine: EngineRig, pen: Pen) -> None:
    """The operator pushes again and hears the acknowledgement it missed."""
    await engine.start(QT_ENGINE_CRASH_AT="after-document-before-ack")
    token = pen.document(7)
    with contextlib.suppress(aiohttp.ClientError):
        await engine.put(token)
    await engine.died()
    await engine.start()
    assert (await engine.status())["policy"]["epoch"] == 7
    assert (await engine.put(token))[0] == 200


async def test_the_status_version_of_an_acknowledgement_shows_the_document(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    before = await engine.status()
    poll = asyncio.create_task(engine.status(before["version"], before["instance"], wait=10))
    _, ack = await engine.put(pen.document(7))
    status = await poll
    assert status["version"] >= ack["statusVersion"] > before["version"]
    assert status["policy"]["epoch"] == 7


async def test_a_long_poll_returns_when_its_time_is_over_or_the_instance_is_another(engine: EngineRig) -> None:
    await engine.start()
    first = await engine.status()
    began = asyncio.get_running_loop().time()
    assert (await engine.status(first["version"], first["instance"], wait=0.3))["version"] == first["version"]
    assert asyncio.get_running_loop().time() - began >= 0.3
    assert (await engine.status(999, "another-instance", wait=30))["instance"] == first["instance"]


async def test_a_replayed_older_document_is_stale_and_changes_nothing(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    old = pen.document(6)
    await engine.put(old)
    _, ack = await engine.put(pen.document(7, gate=Gate.REDUCE_ONLY))
    code, answer = await engine.put(old)
    status = await engine.status()
    assert (code, answer["reason"], answer["heldEpoch"]) == (409, "StaleEpoch", 7)
    assert (status["policy"]["digest"], status["lastRefusal"]["reason"]) == (ack["digest"], "StaleEpoch")


async def test_a_replayed_document_cannot_stretch_a_lease(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    token = pen.document(7, lease_seconds=1)
    await engine.put(token)
    expired = await engine.until_status(lambda s: not s["policy"]["leaseValid"], "the lease runs out")
    await engine.put(token)
    again = await engine.status()
    assert "lease" in sources(expired)
    assert not again["policy"]["leaseValid"]


async def test_the_next_document_ends_a_run_out_lease(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    await engine.put(pen.document(7, lease_seconds=1, limits=limits(on_lease_expiry="ExitOnly")))
    expired = await engine.until_status(lambda s: not s["policy"]["leaseValid"], "the lease runs out")
    await engine.put(pen.document(7))
    assert {"source": "lease", "gate": "EXIT_ONLY", "detail": "the policy document's lease has run out"} in expired["gateReasons"]
    assert "lease" not in sources(await engine.status())


async def test_a_foreign_signature_is_refused(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    code, answer = await engine.put(Pen().document(7))
    forged = pen.document(7)[:-4] + b"AAAA"
    assert (code, answer["reason"]) == (422, "UnknownKey")
    assert (await engine.put(forged))[1]["reason"] == "BadSignature"
    assert "policy" not in await engine.status()


async def test_a_document_for_another_engine_is_refused(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    code, answer = await engine.put(pen.document(7, engine="trading/engine-1"))
    assert (code, answer["reason"]) == (422, "WrongEngine")


async def test_expired_and_future_documents_are_refused(engine: EngineRig, pen: Pen) -> None:
    await engine.start()
    assert (await engine.put(pen.document(7, issued_at_ms=now_ms() - 61_000)))[1]["reason"] == "Expired"
    assert (await engine.put(pen.document(7, issued_at_ms=now_ms() + 40_000)))[1]["reason"] == "IssuedInFuture"


async def test_a_new_signing_key_is_taken_up_when_its_first_document_arrives(engine: EngineRig) -> None:
    """Rotation needs no restart."""
    await engine.start()
    other = Pen()
    (engine.folder / "jwks.json").write_text(other.jwks)
    assert (await engine.put(other.document(7)))[0] == 200


async def test_a_clock_set_back_does_not_revive_the_document_on_disk(engine: EngineRig, pen: Pen) -> None:
    """A replacement whose clock stands an hour back must not trade on an old mandate; a fresh push is proof enough."""
    await engine.start()
    await engine.put(pen.document(7, lease_seconds=3_600))
    engine.kill()
    await engine.start(QT_ENGINE_WALL_OFFSET_MS="-3600000")
    status = await engine.status()
    assert (status["policy"]["epoch"], status["policy"]["leaseValid"]) == (7, False)
    assert "lease" in sources(status)
    assert (await engine.put(pen.document(8, issued_at_ms=now_ms() - 3_600_000)))[0] == 200
    assert (await engine.status())["policy"]["leaseValid"]


async def test_a_replacement_without_a_disk_starts_from_redis_while_the_operator_is_away(
    new_engine: Callable[..., EngineRig], redis_server: RedisServer, pen: Pen
) -> None:
    client = aioredis.from_url(redis_server.url)
    await client.set(names.document_key(ENGINE), pen.document(9))
    await client.aclose()
    engine = new_engine(QT_ENGINE_REDIS_URL=redis_server.url)
    await engine.start()
    status = await engine.status()
    assert (status["policy"]["epoch"], status["policy"]["leaseValid"]) == (9, True)


async def test_redis_cannot_bring_back_an_older_document(new_engine: Callable[..., EngineRig], redis_server: RedisServer, pen: Pen) -> None:
    engine = new_engine(QT_ENGINE_REDIS_URL=redis_server.url)
    await engine.start()
    await engine.put(pen.document(9))
    client = aioredis.from_url(redis_server.url)
    await client.set(names.document_key(ENGINE), pen.document(8, gate=Gate.ACTIVE))
    engine.kill()
    await engine.start()
    assert (await engine.status())["policy"]["epoch"] == 9
    await client.set(names.document_key(ENGINE), pen.document(10))
    await client.aclose()
    await engine.until_status(lambda s: s["policy"]["epoch"] == 10, "the mirror's newer document is taken")


async def test_latches_and_the_document_survive_redis_being_killed_and_restarted(
    new_engine: Callable[..., EngineRig], redis_server: RedisServer, pen: Pen
) -> None:
    """Redis is a mirror: losing it loses nothing, and it is rewritten when it comes back."""
    engine = new_engine(QT_ENGINE_REDIS_URL=redis_server.url)
    await engine.start()
    await engine.put(pen.document(9))
    redis_server.kill()
    _, latch = await engine.halt("while Redis is down", action="HaltEntries")
    await engine.until_status(lambda s: s["dependencies"]["redis"].startswith("down"), "the loss is seen")
    redis_server.start()
    client = aioredis.from_url(redis_server.url)

    async def mirrored() -> bool:
        return latch["id"].encode() in await client.hkeys(names.latches_key(ENGINE))

    await engine.until(mirrored, "the latch is mirrored")
    await client.aclose()


async def test_a_latch_outlives_the_engines_disk_by_redis(new_engine: Callable[..., EngineRig], redis_server: RedisServer) -> None:
    """Promise 3."""
    first, second = new_engine(QT_ENGINE_REDIS_URL=redis_server.url), new_engine(QT_ENGINE_REDIS_URL=redis_server.url)
    await first.start()
    _, latch = await first.halt("disk will be lost")
    client = aioredis.from_url(redis_server.url)

    async def mirrored() -> bool:
        return bool(await client.hlen(names.latches_key(ENGINE)))

    await first.until(mirrored, "the latch is mirrored")
    await client.aclose()
    first.kill()
    await second.start()
    assert [found["id"] for found in (await second.status())["latches"]] == [latch["id"]]


async def test_sigterm_ends_the_engine_within_two_seconds_even_while_the_operator_polls(engine: EngineRig) -> None:
    await engine.start()
    status = await engine.status()
    poll = asyncio.create_task(engine.status(status["version"], status["instance"], wait=30))
    await asyncio.sleep(0.1)
    seconds = await asyncio.to_thread(engine.terminate)
    await asyncio.gather(poll, return_exceptions=True)
    assert seconds < 2
