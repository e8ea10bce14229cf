"""Ordered disorder over the wire: late, swapped, twice, lost."""

import asyncio
from decimal import Decimal

from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions


async def kinds(stream, count: int) -> list[str]:
    async with asyncio.timeout(5):
        return [(await stream.receive_json())["e"] for _ in range(count)]


async def test_rest_answers_at_once_while_the_stream_is_late(alpha) -> None:
    stream = await alpha.user_stream()
    await alpha.control("POST", "faults", {"kind": "stream_delay", "account": "alpha", "delayMs": 2_000})
    await alpha.order("BUY", "0.1", newClientOrderId="late")
    assert (await alpha.call("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="late")).body["status"] == "FILLED"
    alpha.venue.step(1_900)
    await alpha.control("DELETE", "faults")
    await alpha.order("BUY", "0.1", newClientOrderId="behind")
    await stream.ping()
    alpha.venue.step(100)
    async with asyncio.timeout(5):
        told = [await stream.receive_json() for _ in range(5)]
    assert [each["o"]["c"] for each in told if each["e"] == "ORDER_TRADE_UPDATE"] == ["late", "late", "behind"]
    assert told[0]["E"] == alpha.venue.state.clock.now_ms() - 2_000, "the stamp is of the event, not of its delivery"


async def test_a_running_venue_releases_what_is_late_on_time_not_with_the_next_tick(alpha, await_event) -> None:
    async with Venue([Account("alpha", "key-alpha", "secret-alpha", Decimal(10_000))], VenueOptions(tick_ms=60_000)) as venue:
        client = type(alpha)(venue, alpha.session, "alpha")
        stream = await client.user_stream()
        await client.control("POST", "faults", {"kind": "stream_delay", "delayMs": 40})
        await client.order("BUY", "0.1", newClientOrderId="late")
        assert await await_event(stream, "ORDER_TRADE_UPDATE", c="late", X="FILLED")


async def test_the_account_can_be_told_before_the_order(alpha) -> None:
    stream = await alpha.user_stream()
    await alpha.order("BUY", "0.1")
    assert await kinds(stream, 4) == ["ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]
    await alpha.control("POST", "faults", {"kind": "stream_swap", "count": 1})
    await alpha.order("BUY", "0.1")
    assert await kinds(stream, 4) == ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE"]


async def test_an_event_can_come_twice_and_another_never(alpha) -> None:
    stream = await alpha.user_stream()
    await alpha.control("POST", "faults", [{"kind": "stream_duplicate", "event": "ACCOUNT_UPDATE", "count": 1},
                                           {"kind": "stream_silent", "event": "TRADE_LITE"}])  # fmt: skip
    await alpha.order("BUY", "0.1")
    assert await kinds(stream, 4) == ["ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "ACCOUNT_UPDATE"]
    struck = [each["struck"] for each in await alpha.control("GET", "faults")]
    assert struck == [1, 1]


async def test_the_schema_tells_the_disorder_that_can_be_ordered(alpha) -> None:
    async with alpha.session.get(f"{alpha.venue.control_url}/control") as response:
        bodies = (await response.json())["bodies"]
    assert {"stream_delay", "stream_swap", "stream_duplicate"} <= set(bodies["FaultKind"]["enum"])
    assert "event" in bodies["FaultOrder"]["properties"]
