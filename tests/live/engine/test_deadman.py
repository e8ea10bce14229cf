"""An engine that no longer does anything: the exchange itself cancels what rests, and nobody needs to notice (issue: dead-man switch)."""

import signal

import aiohttp
import pytest
from tests.live.engine.account import AccountAtVenue
from tests.live.engine.rig import EngineRig, Pen

from quantum_simulator.core.trading import run_countdowns
from quantum_simulator.venue import Venue

BTC = "BTCUSDT"


@pytest.fixture
def account(venue: Venue, session: aiohttp.ClientSession) -> AccountAtVenue:
    return AccountAtVenue(venue, session)


@pytest.fixture
async def armed(trader: EngineRig, account: AccountAtVenue, venue: Venue, pen: Pen) -> EngineRig:
    """ACTIVE, with an entry, a take-profit and a conditional stop resting, and the venue's countdown running."""
    await account.buy(BTC, "0.02")
    mark = await account.mark(BTC)
    await account.call(
        "POST", "/fapi/v1/order", symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.02", price=f"{mark * 0.97:.1f}"
    )
    await account.rest_take_profit(BTC, "0.02", f"{mark * 1.03:.1f}")
    await account.rest_stop_loss(BTC, f"{mark * 0.5:.1f}")
    await trader.start()
    await trader.put(pen.document(10))
    await trader.until_status(lambda s: s["gate"] == "ACTIVE" and s["openOrders"] == 3, "trading, and it sees what rests")
    await trader.until(lambda: _has_countdown(venue), "the countdown is armed")
    return trader


async def _has_countdown(venue: Venue) -> bool:
    return BTC in venue.accounts["alpha"].countdowns


def live_until(venue: Venue, at_ms: int) -> int:
    """What the venue does when its clock reaches ``at_ms``; how many regular orders still rest."""
    run_countdowns(venue.floor, at_ms)
    venue.state.flush()
    return len(venue.accounts["alpha"].all_open())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_venue_cancels_what_a_dead_or_frozen_engine_left_resting(armed: EngineRig, venue: Venue, how: signal.Signals) -> None:
    assert armed.process is not None
    armed.process.send_signal(how)
    account = venue.accounts["alpha"]
    deadline_ms = account.countdowns[BTC]
    assert 80_000 < deadline_ms - venue.state.clock.now_ms() <= 120_000
    assert live_until(venue, deadline_ms - 1) == 2
    assert live_until(venue, deadline_ms) == 0
    assert len(account.open_algos()) == 1, "the protective stop lives on"
    armed.process.send_signal(signal.SIGCONT)


async def test_an_engine_whose_countdown_cannot_be_armed_says_so_and_trades_on(
    armed: EngineRig, account: AccountAtVenue, venue: Venue
) -> None:
    await account.lever("POST", "faults", kind="http_503_service_unavailable", path="/fapi/v1/countdownCancelAll")
    venue.accounts["alpha"].countdowns.clear()
    armed.kill()
    await armed.start()
    status = await armed.until_status(
        lambda s: s["gate"] == "ACTIVE" and s["dependencies"]["deadman"].startswith("down"), "its failure is in the status"
    )
    assert "BTCUSDT" in status["dependencies"]["deadman"]
    await account.lever("DELETE", "faults")
    await armed.until_status(lambda s: s["dependencies"]["deadman"] == "up", "it is armed as soon as it can be")
    assert BTC in venue.accounts["alpha"].countdowns
