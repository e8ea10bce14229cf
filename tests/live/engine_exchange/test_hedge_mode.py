"""An account in hedge mode: this engine does not trade it, and its stop gets out of both sides of every symbol."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest_asyncio
from tests.live.engine_exchange.conftest import buy
from tests.live.engine_exchange.stops import BTC, Stoppable

from quantum_api.gate import Gate
from quantum_api.refusals import Refusal
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.domain import PositionSide
from quantum_engine.positions.mode import SOURCE
from quantum_engine.verdicts import Declined, Refused
from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Stoppable]:
    account = Account("alpha", "key-alpha", "secret-alpha", Decimal(10_000))
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    async with Venue([account], VenueOptions(mark_interval_ms=100, tick_ms=50)) as venue:
        yield Stoppable(venue, journal)
    await journal.close()


@pytest_asyncio.fixture
async def hedged(engine: Stoppable) -> AsyncIterator[Stoppable]:
    """Long 0.020 and short 0.010 of one symbol, the engine's books compared."""
    engine.venue.accounts["alpha"].is_hedge_mode = True
    await engine.start()
    await hold(engine, "BUY", "LONG", "0.020")
    await hold(engine, "SELL", "SHORT", "0.010")
    await engine.until(lambda: sides(engine) == {PositionSide.LONG: Decimal("0.020"), PositionSide.SHORT: Decimal("-0.010")})
    yield engine
    await engine.stop()


async def hold(engine: Stoppable, side: str, position_side: str, quantity: str) -> None:
    await engine.call("POST", "order", symbol=BTC, side=side, type="MARKET", quantity=quantity, positionSide=position_side)


def sides(engine: Stoppable) -> dict[PositionSide, Decimal]:
    """As the engine's books have it."""
    return {view.position_side: view.quantity for view in engine.positions.positions.values()}


def restriction(engine: Stoppable) -> str | None:
    return next((r.detail for r in engine.permission.restrictions if r.source == SOURCE), None)


async def test_both_sides_are_kept_apart_and_none_is_made_up(hedged: Stoppable) -> None:
    """The early notice of a trade names no side; taken for one-way it would be a position that nobody holds."""
    await hold(hedged, "SELL", "LONG", "0.005")
    await hedged.until(lambda: sides(hedged)[PositionSide.LONG] == Decimal("0.015"))
    await hedged.positions.reconcile()
    assert sides(hedged) == {PositionSide.LONG: Decimal("0.015"), PositionSide.SHORT: Decimal("-0.010")}
    assert {view.symbol for view in hedged.positions.positions.values()} == {BTC}
    account = await hedged.client.account()
    await hedged.until(lambda: hedged.positions.account is not None)
    assert hedged.positions.account is not None
    assert abs(hedged.positions.account.equity_usdt - account.equity_usdt) < 5


async def test_entries_are_refused_and_the_reason_says_how_to_switch(hedged: Stoppable) -> None:
    assert hedged.permission.gate is Gate.EXIT_ONLY
    refused = await hedged.execution.submit(buy())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.GATE_EXIT_ONLY
    assert "dualSidePosition=false" in (restriction(hedged) or "")


async def test_a_stop_cancels_and_closes_long_and_short(hedged: Stoppable) -> None:
    """The reduce-only flag is refused there (-1106); the position side caps each order instead."""
    mark = await hedged.client.premium(BTC)
    await hedged.call(
        "POST", "order", symbol=BTC, side="SELL", type="LIMIT", timeInForce="GTC", quantity="0.020", positionSide="LONG",
        price=str((mark * Decimal("1.03")).quantize(Decimal(1))),
    )  # fmt: skip
    await hedged.call(
        "POST", "algoOrder", algoType="CONDITIONAL", symbol=BTC, side="BUY", type="STOP_MARKET", triggerPrice="150000",
        closePosition="true", positionSide="SHORT",
    )  # fmt: skip
    hedged.trip()
    await hedged.until(lambda: hedged.is_done)
    assert hedged.rests_at_venue() == (0, 0)
    assert not hedged.venue.accounts["alpha"].held()
    await hedged.until(lambda: not hedged.positions.positions)


async def test_books_that_are_stale_close_no_more_than_there_is(hedged: Stoppable) -> None:
    """The venue caps by the position side what the engine's books make too large; nothing flips, nothing opens."""
    long, short = (each for each in hedged.venue.accounts["alpha"].held())
    for position in (long, short):
        position.apply(-position.amount + position.amount / 2, position.entry_price)
    hedged.trip()
    await hedged.until(lambda: hedged.is_done)
    assert not hedged.venue.accounts["alpha"].held()


async def test_a_switch_under_a_running_engine_is_learnt_from_the_first_refused_order_and_taken_back_when_it_is_switched_back(
    engine: Stoppable,
) -> None:
    await engine.start()
    assert restriction(engine) is None
    account = engine.venue.accounts["alpha"]
    account.is_hedge_mode = True
    declined = await engine.execution.submit(buy())
    assert isinstance(declined, Declined)
    assert declined.code == -4061
    engine.positions.doubt_mode()
    await engine.until(lambda: restriction(engine) is not None)
    account.is_hedge_mode = False
    engine.positions.doubt_mode()
    await engine.until(lambda: restriction(engine) is None and engine.permission.gate is Gate.ACTIVE)
    await engine.execution.submit(buy("again"))
    await engine.until(lambda: engine.held() == Decimal("0.020"))
    await engine.stop()
