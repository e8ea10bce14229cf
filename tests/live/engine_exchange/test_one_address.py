"""Ten engines behind one address share its 2 400 of weight a minute: they trade on it, and all of them get out on what is left."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest_asyncio
from tests.live.engine_exchange.stops import BTC, ETH, Stoppable

from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_simulator.core.accounts import Account
from quantum_simulator.venue import Venue, VenueOptions

ENGINES = 10
LIMIT = 2_400
HERE = "127.0.0.1"


@pytest_asyncio.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[list[Stoppable]]:
    """Each holds two positions with a resting order; the window of the venue has just begun."""
    names = [f"engine-{number}" for number in range(ENGINES)]
    accounts = [Account(name, f"key-{name}", f"secret-{name}", Decimal(10_000)) for name in names]
    journals = [SqliteJournal(tmp_path / f"{name}.db") for name in names]
    for journal in journals:
        await journal.open()
    async with Venue(accounts, VenueOptions(mark_interval_ms=1_000, tick_ms=200)) as venue:
        engines = [Stoppable(venue, journal, name) for name, journal in zip(names, journals, strict=True)]
        await asyncio.gather(*(invested(engine) for engine in engines))
        yield engines
        for engine in engines:
            await engine.stop()
    for journal in journals:
        await journal.close()


async def invested(engine: Stoppable) -> None:
    await engine.start()
    await engine.go_long()
    await engine.go_long(ETH, "0.500")
    await engine.rest_take_profit()


def used(venue: Venue) -> int:
    return venue.state.limits.weight_used(HERE, venue.state.wall.now_ms())


async def test_a_comparison_weighs_a_fifth_once_the_whole_account_was_seen(fleet: list[Stoppable]) -> None:
    """Two comparisons a minute of ten engines at 90 each were three quarters of what the address has."""
    before = used(fleet[0].venue)
    await asyncio.gather(*(engine.positions.reconcile() for engine in fleet))
    weight = used(fleet[0].venue) - before
    assert weight < 0 or weight <= ENGINES * 18, "less than 0: a new minute began"


async def test_all_get_out_at_once_without_one_refusal_for_frequency(fleet: list[Stoppable]) -> None:
    venue = fleet[0].venue
    before = used(venue)
    for engine in fleet:
        engine.trip()
    for engine in fleet:
        await engine.until(lambda engine=engine: engine.is_done)  # type: ignore[misc]
    weight = used(venue) - before
    assert weight < 0 or weight <= LIMIT * 45 // 100, "less than 0: a new minute began"
    for engine in fleet:
        assert (engine.rests_at_venue(), engine.venue_holds(BTC), engine.venue_holds(ETH)) == ((0, 0), 0, 0)
    assert not [entry for entry in venue.order_log.entries(what="refused") if entry.code == -1003]
