"""An engine that has not yet read the exchange's clock can get out all the same (promise 7)."""

import asyncio
from collections.abc import Callable

import pytest

from quantum_engine.clock import SystemClock
from quantum_engine.errors import ThrottledError, UnknownOutcomeError
from quantum_engine.exchanges.binance_futures import transport
from quantum_engine.exchanges.binance_futures.signing import Credentials
from quantum_engine.exchanges.binance_futures.transport import Endpoint, Transport

TIME = "/fapi/v1/time"
CANCEL = "/fapi/v1/allOpenOrders"


class Venue(Transport):
    """Its clock fails, or says nothing."""

    def __init__(self, failure: Exception | None) -> None:
        super().__init__(Endpoint("http://127.0.0.1:1", "ws://127.0.0.1:1"), Credentials("key", "secret"), SystemClock())
        self.failure, self.asked = failure, list[str]()

    async def _exchange(self, method: str, path: str, query: str, may_leave: Callable[[], bool] | None = None) -> bytes:
        self.asked.append(path)
        if path == TIME:
            if self.failure is None:
                await asyncio.sleep(60)
            else:
                raise self.failure
        return b"{}"


async def cancel(venue: Venue, symbol: str = "BTCUSDT") -> bytes:
    return await venue.signed("DELETE", CANCEL, {"symbol": symbol}, is_exit=True)


async def test_a_cancel_leaves_though_the_exchanges_clock_cannot_be_read() -> None:
    venue = Venue(UnknownOutcomeError("no answer within 5 s"))
    assert await cancel(venue) == b"{}"
    assert venue.asked == [TIME, CANCEL]


async def test_cancels_do_not_queue_behind_a_clock_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "EXIT_WAITS_FOR_TIME_SECONDS", 0.05)
    venue = Venue(None)
    async with asyncio.timeout(1):
        await asyncio.gather(*(cancel(venue, f"S{number}USDT") for number in range(8)))
    assert (venue.asked.count(TIME), venue.asked.count(CANCEL)) == (1, 8)


async def test_an_entry_still_waits_for_the_clock() -> None:
    venue = Venue(UnknownOutcomeError("no answer within 5 s"))
    with pytest.raises(UnknownOutcomeError):
        await venue.signed("POST", "/fapi/v1/order", {"symbol": "BTCUSDT"})
    assert venue.asked == [TIME]


async def test_a_clock_that_throttles_is_obeyed_by_exits_too() -> None:
    venue = Venue(ThrottledError("banned", retry_after_seconds=120))
    with pytest.raises(ThrottledError):
        await cancel(venue)
    assert venue.asked == [TIME]
