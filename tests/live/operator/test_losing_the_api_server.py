"""The API server dies and comes back: nothing is loosened meanwhile, and all is true again soon after (DESIGN 7)."""

import signal
import time

import pytest
from tests.live.operator.desk import Desk, eventually

from quantum_operator.sight import NEWS_SECONDS
from quantum_operator.stops import stop_name

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_after_an_outage_of_the_api_server_conditions_are_true_again_within_seconds(desk: Desk) -> None:
    """Meanwhile leases run out: an operator that cannot see a stop being applied must not keep engines trading."""
    await desk.operator()
    engine = await desk.engine("engine-0")
    await desk.share_jwks()
    await desk.policy(leaseSeconds=6)
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged")
    await desk.cluster.apiserver.kill()
    killed_ms = time.time() * 1000
    engine.trip("trip-1")
    await eventually(lambda: time.time() * 1000 > engine.history[-1].document.expires_at_ms, "the last lease ends", 20)
    bound_ms = killed_ms + 1000 * (6 + NEWS_SECONDS)
    assert engine.history[-1].document.expires_at_ms <= bound_ms, "a lease from the last look, and one piece of news"
    await desk.cluster.apiserver.start()
    await desk.cluster.apiserver.wait_ready()
    await desk.until("TradingPolicy", "base", "DrawdownBreached", within_seconds=30)
    await desk.until("EmergencyStop", stop_name("engine-0", "trip-1"), "GateClosed", within_seconds=30)
    assert engine.history[-1].document.expires_at_ms > time.time() * 1000, "and once it sees again, leases run again"
    await desk.patch("TradingPolicy", "base", {"maxOrderNotionalUsdt": 55})
    await desk.until("TradingPolicy", "base", "EnginesAcknowledged", within_seconds=30)


async def test_what_was_deleted_while_the_watch_was_dead_is_noticed(desk: Desk) -> None:
    await desk.operator(relist_seconds="2")
    engine = await desk.engine("engine-0")
    await desk.share_jwks()
    await desk.policy()
    await desk.policy("strict", maxOrderNotionalUsdt=1)
    await desk.until("TradingPolicy", "strict", "EnginesAcknowledged")
    operator = desk.operators[0]
    operator.signal(signal.SIGSTOP)
    await desk.api.delete(desk.path("TradingPolicy", "strict"))
    await desk.cluster.apiserver.kill()
    await desk.cluster.apiserver.start()
    await desk.cluster.apiserver.wait_ready()
    operator.signal(signal.SIGCONT)

    def loosened() -> bool:
        limits = engine.held.document.limits if engine.held else None
        return limits is not None and limits.max_order_notional_usdt == 1000

    await eventually(loosened, "the deletion is noticed by a LIST", 30)
