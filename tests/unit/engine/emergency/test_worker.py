"""Getting out is never blocked: not by what cannot be read, cancelled or listed, and not by a venue that talks nonsense."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from tests.unit.engine.execution.desk import MemoryJournal

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.clock import SystemClock, random_id
from quantum_engine.domain import OrderIntent, OrderStatus, OrderView, PositionView, Side, SymbolRules
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.service import LatchKeeper, StopWorker
from quantum_engine.errors import RetryableError, ThrottledError, UnknownOutcomeError
from quantum_engine.permission import Permission
from quantum_engine.verdicts import Accepted, Verdict

BTC = "BTCUSDT"


class Venue:
    """One long position; what is named in ``broken`` raises."""

    def __init__(self, **broken: Exception) -> None:
        self.broken = broken
        self.held = Decimal("0.5")
        self.orders: list[OrderView] = []
        self.closed = asyncio.Event()
        self.asked: Counter[str] = Counter()

    async def symbol_rules(self) -> dict[str, SymbolRules]:
        self._ask("symbol_rules")
        return {}

    async def positions(self) -> list[PositionView]:
        self._ask("positions")
        return [PositionView(BTC, self.held, Decimal(50_000))] if self.held else []

    async def open_orders(self) -> list[OrderView]:
        self._ask("open_orders")
        return list(self.orders)

    async def cancel_all(self, symbol: str) -> None:
        self._ask("cancel_all")
        self.orders = [order for order in self.orders if order.symbol != symbol]

    async def submit(self, intent: OrderIntent) -> Verdict:
        assert intent.reduce_only
        self.held -= intent.quantity
        self.closed.set()
        return Accepted("c", None)

    def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if what in self.broken:
            raise self.broken[what]


@asynccontextmanager
async def flattening(venue: Venue) -> AsyncIterator[LatchBook]:
    clock = SystemClock()
    book = LatchBook(Permission(), clock)
    keeper = LatchKeeper(book, MemoryJournal(), clock)
    worker = StopWorker(book, keeper, venue, venue.submit, lambda: None, clock, random_id)
    tasks = [asyncio.create_task(keeper.run()), asyncio.create_task(worker.run())]
    book.trip(
        Latch(id="l", action=StopAction.FLATTEN, origin=LatchOrigin.MANUAL, trigger="Manual", reason="r", tripped_at_ms=clock.wall_ms())
    )
    try:
        yield book
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("symbol_rules", ThrottledError("paused", retry_after_seconds=120.0)),
        ("open_orders", RetryableError("the algo service is down")),
        ("cancel_all", UnknownOutcomeError("HTTP 500")),
    ],
)
async def test_a_position_is_closed_although_something_beside_it_cannot_be_done(what: str, error: Exception) -> None:
    venue = Venue(**{what: error})
    async with flattening(venue), asyncio.timeout(3):
        await venue.closed.wait()
    assert venue.held == 0


async def test_flat_is_not_claimed_while_orders_cannot_be_listed() -> None:
    venue = Venue(open_orders=RetryableError("the algo service is down"))
    async with flattening(venue) as book, asyncio.timeout(3):
        await venue.closed.wait()
        await asyncio.sleep(0.2)
        latch = book.latches[0]
        assert (latch.orders_cancelled_at_ms, latch.positions_flat_at_ms, latch.cooldown_until_ms) == (None, None, None)
        assert "algo service" in latch.message
        venue.broken.clear()
        while book.latches[0].positions_flat_at_ms is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_cancel_that_failed_is_said_and_done_again() -> None:
    venue = Venue(cancel_all=UnknownOutcomeError("HTTP 500"))
    venue.orders = [OrderView(BTC, 1, "o", Side.BUY, OrderStatus.NEW, Decimal(1), Decimal(0), Decimal(1), False, 0)]
    async with flattening(venue) as book, asyncio.timeout(3):
        await venue.closed.wait()
        while "HTTP 500" not in book.latches[0].message:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert book.latches[0].positions_flat_at_ms is None
        venue.broken.clear()
        while book.latches[0].positions_flat_at_ms is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert venue.orders == []


async def test_an_exchange_that_asks_for_patience_is_asked_once_and_left_alone_until_then_even_when_something_moves() -> None:
    """Three engines behind one address that asked on had it banned within a minute, and with it every way out."""
    throttled = ThrottledError("429", retry_after_seconds=0.5)
    venue = Venue(positions=throttled, open_orders=throttled)
    async with flattening(venue) as book, asyncio.timeout(3):
        while venue.asked["positions"] == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        venue.broken.clear()
        book.trip(book.latches[0].model_copy(update={"id": "another"}))
        await venue.closed.wait()
        assert asyncio.get_running_loop().time() - began > 0.4
    assert venue.asked["positions"] <= 3
