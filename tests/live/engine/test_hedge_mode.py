"""The account is switched to hedge mode under a running engine."""

import pytest
from tests.live.engine.account import AccountAtVenue
from tests.live.engine.rig import EngineRig, Pen
from tests.live.engine.test_intents import ask, intent, opened

from quantum_simulator.venue import Venue


@pytest.fixture
def account(venue: Venue, session: object) -> AccountAtVenue:
    return AccountAtVenue(venue, session)  # type: ignore[arg-type]


async def test_the_first_refused_order_closes_the_gate_and_the_status_says_how_to_switch_back(
    trader: EngineRig, account: AccountAtVenue, pen: Pen
) -> None:
    await opened(trader, pen)
    await account.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
    _, told = await ask(trader, intent("one"))
    assert told["outcome"] != "ACCEPTED"
    status = await trader.until_status(lambda s: s["gate"] == "EXIT_ONLY", "it trades no more")
    (reason,) = [each for each in status["gateReasons"] if each["source"] == "position-mode"]
    assert "dualSidePosition=false" in reason["detail"]
    assert await account.exposure() == (0, 0)
