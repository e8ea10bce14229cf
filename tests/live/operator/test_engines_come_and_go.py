"""Engines appear, restart, move and go deaf; the operator follows (DESIGN 5, 7)."""

import pytest
from tests.live.operator.desk import Desk, eventually

from quantum_api.gate import Gate

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def one_engine(desk: Desk, **policy: int) -> None:
    await desk.operator()
    await desk.engine("engine-0")
    await desk.share_jwks()
    await desk.policy(**policy)
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")


async def test_an_engine_that_lost_its_disk_gets_its_document_and_its_stops_again(desk: Desk) -> None:
    await one_engine(desk)
    await desk.stop()
    await desk.until("EmergencyStop", "stop", "GateClosed")
    engine = desk.engines["engine-0"]
    engine.restart(keep=False)
    await eventually(lambda: engine.held is not None and engine.latches, "document and latch are back")
    assert engine.gate is Gate.EXIT_ONLY


async def test_a_pod_that_is_replaced_at_another_address_is_found(desk: Desk) -> None:
    await one_engine(desk)
    await desk.api.delete(f"{desk.core('pods')}/engine-0", {"gracePeriodSeconds": 0})
    old = desk.ports["engine-0"]
    await desk.server.stop(old)
    desk.engines["engine-0"].restart(keep=False)
    port = await desk.server.start(desk.engines["engine-0"])
    await eventually(lambda: _gone(desk), "the old pod is gone")
    await desk.pod("engine-0", port)
    await eventually(lambda: desk.engines["engine-0"].held is not None, "the replacement is given its document")
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")


async def test_an_engine_that_cannot_be_reached_counts_until_its_lease_is_over(desk: Desk) -> None:
    await one_engine(desk, leaseSeconds=5)
    await desk.server.stop(desk.ports["engine-0"])
    lost = await desk.until("TradingPolicy", "base", "EnginesAcknowledged", "False")
    assert lost["reason"] == "EngineUnreachable"
    assert (await desk.condition("TradingPolicy", "base", "DrawdownBreached"))["status"] == "Unknown"
    await desk.server.start(desk.engines["engine-0"], port=desk.ports["engine-0"])
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")


async def test_an_engine_that_does_not_know_the_key_is_named_with_its_reason(desk: Desk) -> None:
    await one_engine(desk)
    stranger = await desk.engine("engine-1")
    stranger.jwks = None
    stranger.restart(keep=False)
    refused = await eventually(lambda: _reason(desk, "EngineRefused"), "the refusal is shown")
    assert "engine-1" in refused["message"]
    assert "UnknownKey" in refused["message"]
    await desk.share_jwks()
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")


async def test_leases_are_renewed_before_they_end(desk: Desk) -> None:
    await one_engine(desk, leaseSeconds=5)
    engine = desk.engines["engine-0"]
    count = len(engine.history)
    await eventually(lambda: len(engine.history) >= count + 2, "two renewals", 15)
    for earlier, later in zip(engine.history, engine.history[1:], strict=False):
        assert later.document.issued_at_ms < earlier.document.expires_at_ms


async def test_the_requested_at_annotation_is_handled_and_echoed(desk: Desk) -> None:
    await one_engine(desk)
    count = len(desk.engines["engine-0"].history)
    path = desk.path("TradingPolicy", "base")
    await desk.api.patch(path, {"metadata": {"annotations": {"quantumtrader.io/requestedAt": "2026-01-02T03:04:05Z"}}})
    await eventually(lambda: _handled(desk), "the echo")
    assert len(desk.engines["engine-0"].history) > count


async def test_a_rotated_key_signs_after_its_grace_and_engines_follow(desk: Desk) -> None:
    operator = await desk.operator(key_grace_seconds="2", relist_seconds="1")
    engine = await desk.engine("engine-0")
    await desk.share_jwks()
    await desk.policy(leaseSeconds=5)
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    assert engine.held is not None
    old, refused = engine.held.key_id, len(engine.refused)
    await operator.command("rotate-key")
    await desk.share_jwks()
    await eventually(lambda: engine.held is not None and engine.held.key_id != old, "a document signed with the new key", 20)
    assert len(engine.refused) == refused


async def _gone(desk: Desk) -> bool:
    return not (await desk.api.get(desk.core("pods")))["items"]


async def _reason(desk: Desk, reason: str) -> dict | None:
    found = await desk.condition("TradingPolicy", "base", "EnginesAcknowledged")
    return found if found["reason"] == reason else None


async def _handled(desk: Desk) -> bool:
    status = (await desk.get("TradingPolicy", "base")).get("status", {})
    return status.get("lastHandledReconcileAt") == "2026-01-02T03:04:05Z"
