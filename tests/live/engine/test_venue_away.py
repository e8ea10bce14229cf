"""The exchange cannot be reached at all when a stop is pulled: the gate shuts without it, and the way out is taken when it is back."""

import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from tests.live.engine.account import KEY, SECRET, AccountAtVenue
from tests.live.engine.rig import EngineRig, Pen
from tests.live.engine.wire import Wire, wire_to
from yarl import URL

from quantum_simulator.venue import Venue

SOON_SECONDS = 1.0


@pytest.fixture
def account(venue: Venue, session: aiohttp.ClientSession) -> AccountAtVenue:
    return AccountAtVenue(venue, session)


@pytest.fixture
async def wire(venue: Venue) -> AsyncIterator[Wire]:
    address = URL(venue.base_url)
    async with wire_to(str(address.host), int(address.port or 0)) as wire:
        yield wire


@pytest.fixture
async def invested(
    new_engine: Callable[..., EngineRig], wire: Wire, account: AccountAtVenue, pen: Pen, tmp_path: Path
) -> EngineRig:  # fmt: skip
    """ACTIVE, with a position and a take-profit resting on it; it reaches its venue only over the wire."""
    (tmp_path / "account.json").write_text(json.dumps({"apiKey": KEY, "apiSecret": SECRET}))
    engine = new_engine(
        QT_ENGINE_REST_URL=f"http://127.0.0.1:{wire.port}",
        QT_ENGINE_STREAM_URL=f"ws://127.0.0.1:{wire.port}",
        QT_ENGINE_ACCOUNT_FILE=str(tmp_path / "account.json"),
    )
    await account.buy("BTCUSDT", "0.02")
    await account.rest_take_profit("BTCUSDT", "0.02", f"{await account.mark('BTCUSDT') * 1.03:.1f}")
    await engine.start()
    await engine.put(pen.document(10))
    await engine.until_status(lambda s: s["gate"] == "ACTIVE" and s["openOrders"] == len(s["positions"]) == 1, "trading")
    return engine


async def test_with_the_venue_gone_the_gate_is_shut_first_and_the_flatten_goes_on_when_it_returns(
    invested: EngineRig, wire: Wire, account: AccountAtVenue
) -> None:
    await wire.cut()
    began = time.monotonic()
    answered, latch = await invested.halt("the venue is gone")
    assert answered == 200
    assert time.monotonic() - began < SOON_SECONDS
    assert "gateClosedAtMs" in latch
    waiting = await invested.until_status(lambda s: "cannot be asked" in s["latches"][0].get("message", ""), "it says what it waits for")
    assert (waiting["gate"], waiting["emergency"]) == ("EXIT_ONLY", "TRIPPED")
    assert "ordersCancelledAtMs" not in waiting["latches"][0]
    assert await account.exposure() == (1, 1)
    await wire.mend()
    done = await invested.until_status(lambda s: "cooldownUntilMs" in s["latches"][0], "the way out is taken")
    assert await account.exposure() == (0, 0)
    assert done["latches"][0]["gateClosedAtMs"] < done["latches"][0]["positionsFlatAtMs"]


async def test_an_engine_that_dies_while_the_venue_is_gone_goes_on_with_its_stop_when_both_are_back(
    invested: EngineRig, wire: Wire, account: AccountAtVenue
) -> None:
    await wire.cut()
    await invested.halt("the venue is gone")
    invested.kill()
    await invested.start()
    waiting = await invested.until_status(lambda s: "cannot be asked" in s["latches"][0].get("message", ""), "it is at work again")
    assert waiting["emergency"] == "TRIPPED"
    await wire.mend()
    await invested.until_status(lambda s: "cooldownUntilMs" in s["latches"][0], "the way out is taken")
    assert await account.exposure() == (0, 0)
