"""The whole engine trades at the venue, under a signed policy, and loses nothing when it is killed."""

from typing import Any

import aiohttp
import pytest
from tests.live.engine.account import AccountAtVenue
from tests.live.engine.rig import EngineRig, Pen, limits

from quantum_api.strategy_mode import Mode, Strategy
from quantum_simulator.venue import Venue

EAGER = Strategy(
    mode=Mode.AGGRESSIVE, bar_seconds=1, fast_bars=2, slow_bars=3, atr_bars=2, risk_per_trade_bps=100, max_leverage_bps=30_000,
    cooldown_seconds=0,
)  # fmt: skip
WIDE: dict[str, Any] = {"max_intents_per_minute": 6_000, "max_orders_per_second": 100}


@pytest.fixture
def account(venue: Venue, session: aiohttp.ClientSession) -> AccountAtVenue:
    return AccountAtVenue(venue, session)


async def orders_at(account: AccountAtVenue) -> list[dict[str, Any]]:
    return [order for symbol in ("BTCUSDT", "ETHUSDT") for order in await account.call("GET", "/fapi/v1/allOrders", symbol=symbol)]


async def test_an_engine_trades_only_under_a_policy_with_a_strategy(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    """Promise 2, and the chain from price to position."""
    await trader.start()
    await trader.put(pen.document(10, limits=limits(**WIDE)))
    await trader.until_status(lambda s: s["gate"] == "ACTIVE", "the gate opens")
    assert await orders_at(account) == []
    await trader.put(pen.document(11, limits=limits(**WIDE), strategy=EAGER))
    status = await trader.until_status(lambda s: bool(s["positions"]), "it holds a position of its own", seconds=40)
    assert status["strategy"]["mode"] == "aggressive"
    assert await orders_at(account)


async def test_a_kill_between_intent_and_send_doubles_nothing(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    """Promise 5: the restarted engine asks about the intent it wrote, finds that it never arrived, and goes on."""
    await trader.start(QT_ENGINE_CRASH_AT="after-intent-before-send")
    await trader.put(pen.document(11, limits=limits(**WIDE), strategy=EAGER))
    await trader.died()
    assert await orders_at(account) == []
    await trader.start()
    await trader.until_status(lambda s: s["gate"] == "ACTIVE", "recovered and reconciled")
    await trader.until_status(lambda s: bool(s["positions"]), "it trades again", seconds=40)
    ids = [order["clientOrderId"] for order in await orders_at(account)]
    assert len(ids) == len(set(ids))


async def test_a_pod_deleted_while_a_stop_is_engaging_ends_flat_and_stopped(trader: EngineRig, account: AccountAtVenue, pen: Pen) -> None:
    """SIGTERM, as kubelet does it, in the middle of the work."""
    await account.buy("BTCUSDT", "0.2")
    await trader.start()
    await trader.put(pen.document(11))
    await trader.until_status(lambda s: len(s["positions"]) == 1, "the position is seen")
    await account.lever("POST", "faults", kind="http_503_service_unavailable", path="/fapi/v1/order", method="POST", count=5)
    _, latch = await trader.halt("pod will be deleted")
    assert trader.terminate() < 2
    await trader.start()
    status = await trader.until_status(lambda s: "cooldownUntilMs" in s["latches"][0], "the replacement ends the work")
    assert (status["latches"][0]["id"], status["gate"]) == (latch["id"], "EXIT_ONLY")
    assert await account.exposure() == (0, 0)
