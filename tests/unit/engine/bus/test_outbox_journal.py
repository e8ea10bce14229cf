"""State and event are one write on a real file, whoever stops waiting for it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quantum_api.bus_envelope import EventClass
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.bus.journal import OutboxJournal
from quantum_engine.bus.outbox import Outbox
from quantum_engine.clock import ManualClock
from quantum_engine.errors import JournalUnavailableError
from quantum_engine.journal import DeleteThrough, Publish, Put, Table

LATCH = Put(Table.LATCH, "l", b"{}")
TRIPPED = Publish(EventClass.RISK, "risk.circuit_breaker.triggered", {"trigger": "Drawdown"})


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "journal.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def journal(disk: SqliteJournal, outbox: Outbox) -> OutboxJournal:
    return OutboxJournal(disk, outbox, ManualClock())


async def test_a_fact_and_its_event_are_on_disk_together(journal: OutboxJournal, outbox: Outbox) -> None:
    await journal.commit(LATCH, TRIPPED)
    assert set(await journal.load(Table.LATCH)) == {"l"}
    assert list(await journal.load(Table.OUTBOX)) == ["0000000000000001r"]
    assert outbox.settled_through == 1


async def test_neither_is_there_when_the_commit_fails(journal: OutboxJournal, disk: SqliteJournal, outbox: Outbox) -> None:
    assert disk._connection is not None
    disk._connection.execute("PRAGMA busy_timeout=1")
    other = sqlite3.connect(disk._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalUnavailableError):
        await journal.commit(LATCH, TRIPPED)
    other.execute("ROLLBACK")
    other.close()
    assert await journal.load(Table.LATCH) == await journal.load(Table.OUTBOX) == {}
    await journal.commit(TRIPPED)
    rows = outbox.tail(0, 10, 10**6)
    assert rows is not None
    assert [row.sequence for row in rows] == [2]


async def test_a_caller_that_stops_waiting_does_not_undo_the_event(journal: OutboxJournal, disk: SqliteJournal, outbox: Outbox) -> None:
    """Execution waits 0.25 s for a hanging disk, then sends the exit: the row may be on disk a moment later and must be sent."""
    assert disk._connection is not None
    other = sqlite3.connect(disk._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await journal.commit(LATCH, TRIPPED)
    assert outbox.settled_through == 0
    other.execute("ROLLBACK")
    other.close()
    assert list(await journal.load(Table.OUTBOX)) == ["0000000000000001r"]
    await asyncio.sleep(0)
    assert outbox.settled_through == 1


async def test_a_closed_journal_gives_no_number_for_ever_open(journal: OutboxJournal, outbox: Outbox) -> None:
    await journal.close()
    with pytest.raises(JournalUnavailableError):
        await journal.commit(TRIPPED)
    assert outbox.settled_through == 1


async def test_events_of_concurrent_commits_are_numbered_in_commit_order(journal: OutboxJournal) -> None:
    await asyncio.gather(*(journal.commit(Put(Table.META, "k", str(n).encode()), TRIPPED) for n in range(100)))
    assert [int(key[:-1]) for key in await journal.load(Table.OUTBOX)] == list(range(1, 101))
    assert await journal.load(Table.META) == {"k": b"99"}


async def test_rows_are_read_by_the_page_and_removed_by_the_stretch(journal: OutboxJournal, disk: SqliteJournal) -> None:
    await journal.commit(LATCH, *[TRIPPED] * 5)
    page = await disk.load_page(Table.OUTBOX, "0000000000000002r", 2)
    assert list(page) == ["0000000000000003r", "0000000000000004r"]
    await journal.commit(DeleteThrough(Table.OUTBOX, "0000000000000003~"))
    assert list(await journal.load(Table.OUTBOX)) == ["0000000000000004r", "0000000000000005r"]
    assert set(await journal.load(Table.LATCH)) == {"l"}


async def test_without_a_bus_nobody_is_told_and_the_fact_is_kept(disk: SqliteJournal) -> None:
    await disk.commit(LATCH, TRIPPED)
    assert set(await disk.load(Table.LATCH)) == {"l"}
    assert await disk.load(Table.OUTBOX) == {}
