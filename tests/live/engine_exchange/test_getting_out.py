"""A stop at a venue that is partly reachable, full of resting orders, throttled, banned, empty, or holds what no order can close."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from tests.live.engine_exchange.stops import BTC, Stoppable

from quantum_api.trading_policy import StopAction
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions

DOWN = "http_503_service_unavailable"
BEFORE_A_BAN = 20
"""Requests over the limit after which the venue bans an address."""


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Stoppable]:
    account = Account("alpha", "key-alpha", "secret-alpha", Decimal(10_000))
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    async with Venue([account], VenueOptions(mark_interval_ms=100, tick_ms=50)) as venue:
        started = Stoppable(venue, journal)
        await started.start()
        yield started
        await started.stop()
    await journal.close()


@pytest.mark.parametrize("path", ["/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"])
async def test_positions_that_are_seen_are_closed_though_orders_are_not_and_flat_is_not_claimed_before_they_are(
    engine: Stoppable, path: str
) -> None:
    await engine.go_long()
    await engine.rest_take_profit()
    await engine.rest_stop_loss()
    await engine.fault(DOWN, path=path, method="GET")
    engine.trip()
    await engine.until(lambda: not engine.venue_holds() and "orders" in engine.latch.message)
    assert engine.rests_at_venue() == (0, 0)
    assert (engine.latch.orders_cancelled_at_ms, engine.latch.positions_flat_at_ms) == (None, None)
    await engine.mend()
    await engine.until(lambda: engine.is_done)


async def test_regular_orders_are_cancelled_while_the_conditional_orders_service_alone_is_away(engine: Stoppable) -> None:
    await engine.go_long()
    await engine.rest_take_profit()
    await engine.rest_stop_loss()
    await engine.fault(DOWN, path="/fapi/v1/openAlgoOrders")
    await engine.fault(DOWN, path="/fapi/v1/algoOpenOrders")
    engine.trip(StopAction.CANCEL_ORDERS)
    await engine.until(lambda: engine.rests_at_venue() == (0, 1) and "conditional orders" in engine.latch.message)
    assert engine.latch.orders_cancelled_at_ms is None
    await engine.mend()
    await engine.until(lambda: engine.is_done)
    assert engine.rests_at_venue() == (0, 0)
    assert engine.venue_holds() == Decimal("0.020")


async def test_a_position_is_closed_although_cancel_all_fails_and_a_resting_order_covers_it(engine: Stoppable) -> None:
    """The real -4118: the close is refused until each resting order was cancelled by its own number."""
    await engine.go_long()
    await engine.rest_take_profit()
    await engine.fault(DOWN, path="/fapi/v1/allOpenOrders", method="DELETE")
    engine.trip()
    await engine.until(lambda: engine.is_done)
    assert [entry.code for entry in engine.venue.order_log.entries(what="refused") if entry.request == "POST /fapi/v1/order"] == [-4118]
    assert engine.rests_at_venue() == (0, 0)
    assert engine.venue_holds() == 0


async def test_a_position_that_cannot_be_listed_is_closed_as_the_books_have_it_but_proven_only_by_asking(engine: Stoppable) -> None:
    await engine.go_long()
    await engine.fault(DOWN, path="/fapi/v3/positionRisk")
    engine.trip()
    await engine.until(lambda: not engine.venue_holds() and "positions" in engine.latch.message)
    assert engine.latch.positions_flat_at_ms is None
    await engine.mend()
    await engine.until(lambda: engine.is_done)


async def test_a_book_that_refuses_market_orders_is_met_by_a_limit_within_the_band(engine: Stoppable) -> None:
    """-4131: the best price lies beyond what a market order may take."""
    await engine.go_long()
    before = len(engine.orders_sent())
    await engine.fault("reject_code", path="/fapi/v1/order", method="POST", count=1, code=-4131, message="PERCENT_PRICE")
    engine.trip()
    await engine.until(lambda: engine.is_done)
    assert engine.orders_sent()[before:] == ["MARKET", "LIMIT"]
    assert engine.venue_holds() == 0


async def test_an_empty_book_is_tried_again_until_it_fills_and_the_latch_says_why_it_waits(engine: Stoppable) -> None:
    await engine.go_long()
    before = len(engine.orders_sent())
    await engine.lever("depth", scale=0, symbol=BTC)
    engine.trip()
    await engine.until(lambda: "no taker" in engine.latch.message)
    await engine.until(lambda: engine.orders_sent()[before : before + 3] == ["MARKET", "LIMIT", "MARKET"])
    assert engine.venue_holds() == Decimal("0.020")
    await engine.lever("depth", scale=1, symbol=BTC)
    await engine.until(lambda: engine.is_done)
    assert engine.venue_holds() == 0


async def test_dust_below_the_lot_is_left_and_named_and_what_is_only_below_the_minimum_notional_is_closed(engine: Stoppable) -> None:
    """PositionsFlat means: nothing is left that an order could close."""
    await engine.go_long()
    position = engine.venue.accounts["alpha"].position(BTC)
    position.apply(Decimal("-0.0185"), position.entry_price)
    assert position.amount * 90_000 < 200
    await engine.positions.reconcile()
    engine.trip()
    await engine.until(lambda: engine.is_done)
    assert engine.venue_holds() == Decimal("0.0005")
    assert "dust" in engine.latch.message
    assert BTC in engine.latch.message
    assert engine.latch.positions_flat_at_ms is not None


async def test_a_position_above_the_largest_market_order_is_closed_in_slices(engine: Stoppable) -> None:
    await engine.go_long()
    position = engine.venue.accounts["alpha"].position(BTC)
    position.apply(Decimal("249.980"), position.entry_price)
    engine.venue.accounts["alpha"].wallet = Decimal(1_000_000_000)
    await engine.lever("depth", scale=900, symbol=BTC)
    engine.trip()
    await engine.until(lambda: engine.is_done, seconds=20)
    assert engine.venue_holds() == 0


async def test_a_ban_is_waited_out_without_a_request_more_than_a_few_and_then_the_way_out_is_taken(engine: Stoppable) -> None:
    await engine.go_long()
    await engine.fault("ban_418", count=1, path="/fapi/v1/openOrders", retryAfterSeconds=2)
    await engine.fault(DOWN, count=4, path="/fapi/v1/order", method="POST")
    engine.trip()
    await engine.until(lambda: "banned" in engine.latch.message)
    refused = [entry for entry in engine.venue.order_log.entries(what="refused") if "banned" in entry.message]
    assert len(refused) <= BEFORE_A_BAN / 4
    await engine.until(lambda: engine.is_done)
    assert engine.venue_holds() == 0
