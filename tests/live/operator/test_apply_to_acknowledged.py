"""DESIGN promise 4: acknowledged means enforced, and `kubectl wait` says so."""

import pytest
from tests.live.operator.desk import Desk, eventually

from quantum_api.gate import Gate

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_kubectl_wait_returns_when_every_selected_engine_enforces_the_policy(desk: Desk) -> None:
    await desk.operator()
    engines = [await desk.engine(f"engine-{n}") for n in range(3)]
    await desk.share_jwks()
    await desk.policy()
    await desk.kubectl("wait", "--for=condition=EnginesAcknowledged", "--timeout=15s", "tp/base")
    assert {e.gate for e in engines} == {Gate.ACTIVE}
    status = (await desk.get("TradingPolicy", "base"))["status"]
    assert status["engines"] == {"selected": 3, "acknowledged": 3, "summary": "3/3", "waitingFor": []}
    await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 500})
    await desk.kubectl("wait", "--for=condition=EnginesAcknowledged", "--timeout=15s", "tp/base")
    assert {e.held.document.limits.max_order_notional_usdt for e in engines if e.held and e.held.document.limits} == {500}
    await eventually(lambda: desk.events("base"), "a transition posts an event")
