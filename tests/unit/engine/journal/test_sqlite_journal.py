"""The journal on a real file: what was committed is there, whole transactions only."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from quantum_api.gate import Gate
from quantum_engine.adapters.guarded_journal import GuardedJournal
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.errors import CorruptStateError, JournalUnavailableError, PermanentError
from quantum_engine.journal import Delete, Put, Table
from quantum_engine.permission import Permission


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "deep" / "journal.db")
    await opened.open()
    yield opened
    await opened.close()


async def reopened(tmp_path: Path, table: Table) -> dict[str, bytes]:
    again = SqliteJournal(tmp_path / "deep" / "journal.db")
    await again.open()
    rows = await again.load(table)
    await again.close()
    return rows


async def test_rows_come_back_in_insertion_order_after_reopening(journal: SqliteJournal, tmp_path: Path) -> None:
    await journal.commit(Put(Table.INTENT, "b", b"1"), Put(Table.INTENT, "a", b"2"), Put(Table.META, "a", b"other room"))
    await journal.commit(Put(Table.INTENT, "b", b"3"), Delete(Table.INTENT, "never there"))
    await journal.close()
    assert list((await reopened(tmp_path, Table.INTENT)).items()) == [("b", b"3"), ("a", b"2")]


async def test_it_writes_ahead_and_syncs_fully(journal: SqliteJournal) -> None:
    assert journal._connection is not None
    assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_commits_that_wait_together_are_written_in_their_order(journal: SqliteJournal) -> None:
    await asyncio.gather(*(journal.commit(Put(Table.META, "k", str(n).encode())) for n in range(200)))
    assert await journal.load(Table.META) == {"k": b"199"}


async def test_what_was_asked_before_the_close_is_written(journal: SqliteJournal, tmp_path: Path) -> None:
    asked = [asyncio.create_task(journal.commit(Put(Table.META, str(n), b"x"))) for n in range(20)]
    await asyncio.sleep(0)
    await journal.close()
    await asyncio.gather(*asked)
    assert len(await reopened(tmp_path, Table.META)) == 20


async def test_a_closed_journal_says_so(journal: SqliteJournal) -> None:
    await journal.close()
    with pytest.raises(JournalUnavailableError):
        await journal.commit(Put(Table.META, "k", b"v"))


async def test_a_file_that_is_no_journal_is_named_corrupt(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(CorruptStateError):
        await SqliteJournal(tmp_path / "journal.db").open()


async def test_a_failed_commit_leaves_nothing_and_closes_the_gate_until_one_succeeds(journal: SqliteJournal) -> None:
    """The lock is a real one, held by another connection: the writer times out as on a disk that does not answer."""
    permission = Permission()
    guarded = GuardedJournal(journal, permission)
    assert journal._connection is not None
    journal._connection.execute("PRAGMA busy_timeout=1")
    other = sqlite3.connect(journal._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalUnavailableError):
        await guarded.commit(Put(Table.META, "lost", b"v"))
    assert ("journal", Gate.REDUCE_ONLY) in {(r.source, r.gate) for r in permission.restrictions}
    other.execute("ROLLBACK")
    other.close()
    await guarded.commit(Put(Table.META, "kept", b"v"))
    assert "journal" not in {r.source for r in permission.restrictions}
    assert set(await journal.load(Table.META)) == {"kept"}


async def test_a_lock_that_does_not_go_away_is_waited_for_once_by_all_who_share_the_transaction(journal: SqliteJournal) -> None:
    """One by one, sixty-four commits would wait sixty-four times; all of them fail, and none is half written."""
    assert journal._connection is not None
    journal._connection.execute("PRAGMA busy_timeout=100")
    other = sqlite3.connect(journal._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked = [asyncio.create_task(journal.commit(Put(Table.META, str(n), b"x"))) for n in range(40)]
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, JournalUnavailableError) for answer in answers)
    other.execute("ROLLBACK")
    other.close()
    assert await journal.load(Table.META) == {}


async def test_a_row_that_cannot_be_stored_ends_neither_the_writer_nor_the_trading(journal: SqliteJournal) -> None:
    """It is nobody's disk that failed: the gate stays as it is, and the next commit is written."""
    permission = Permission()
    guarded = GuardedJournal(journal, permission)
    with pytest.raises(PermanentError, match="cannot store this row"):
        await guarded.commit(Put(Table.META, "k", "\ud800"))  # type: ignore[arg-type]
    assert journal.alive
    assert "journal" not in {r.source for r in permission.restrictions}
    await guarded.commit(Put(Table.META, "k", b"v"))
    assert await journal.load(Table.META) == {"k": b"v"}
