"""The journal as one SQLite file: WAL, synchronous=FULL, one writer thread.

In    commits and loads from the event loop
Out   rows on disk (fsync) before a commit returns
Flow  stages -> HERE -> the engine's own disk
Why   the event loop never waits for a disk; commits that arrive while one is being written share the next fsync

Commits that share a transaction share its fate as long as it is the disk's: if that fails, every one of them raises and none is on disk.
What only one of them is to blame for (a row that cannot be stored, one too many for the room that is left) is found by writing them one
by one, in their order: a stop is not lost because an event beside it was too large.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quantum_engine import metrics
from quantum_engine.errors import CorruptStateError, EngineError, JournalUnavailableError, PermanentError
from quantum_engine.journal import Delete, DeleteThrough, Publish, Put, Stored, Table, Write

_MAX_GROUP: Final = 64
_MAX_ROWS: Final = 200
_ROW_ERRORS: Final = (sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.IntegrityError)
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=2000", "wal_autocheckpoint=500", "temp_store=MEMORY")


@dataclass(frozen=True, slots=True)
class _Commit:
    writes: tuple[Stored, ...]
    done: "asyncio.Future[None]"


@dataclass(frozen=True, slots=True)
class _Load:
    table: Table
    done: "asyncio.Future[dict[str, bytes]]"


@dataclass(frozen=True, slots=True)
class _LoadPage:
    table: Table
    after: str
    count: int
    done: "asyncio.Future[dict[str, bytes]]"


_Read = _Load | _LoadPage
_Job = _Commit | _Read


class SqliteJournal:
    """Implements quantum_engine.journal.Journal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)

    async def open(self) -> None:
        """Open or create the file.  Raises CorruptStateError for a file that is not a sound journal."""
        self._loop = asyncio.get_running_loop()
        self._connection = await asyncio.to_thread(_connect, self._path)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the writer thread runs."""
        return self._thread.is_alive()

    async def commit(self, *writes: Write) -> None:
        began = time.perf_counter()
        await self.submit(*writes)
        metrics.JOURNAL_COMMIT_SECONDS.observe(time.perf_counter() - began)

    def submit(self, *writes: Write) -> "asyncio.Future[None]":
        """Hand a commit in, now; the future is its outcome.  Raises JournalUnavailableError when the journal is not open."""
        return self._ask(lambda done: _Commit(tuple(write for write in writes if not isinstance(write, Publish)), done))

    async def load(self, table: Table) -> dict[str, bytes]:
        rows: dict[str, bytes] = await self._ask(lambda done: _Load(table, done))
        return rows

    async def load_page(self, table: Table, after: str, count: int) -> dict[str, bytes]:
        """At most ``count`` rows whose key is above ``after``, in the order of their keys."""
        rows: dict[str, bytes] = await self._ask(lambda done: _LoadPage(table, after, count, done))
        return rows

    async def close(self) -> None:
        """Finish what was asked before, then close the file."""
        if self._connection is None:
            return
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join, 5.0)
        self._connection.close()
        self._connection = None

    def _ask(self, job: "Callable[[asyncio.Future[Any]], _Job]") -> "asyncio.Future[Any]":
        if self._loop is None or not self._thread.is_alive():
            raise JournalUnavailableError("the journal is not open")
        done: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(job(done))
        return done

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, _Read):
                self._answer_load(job)
                continue
            group, following = self._group(job)
            self._answer_commits(group)
            if isinstance(following, _Read):
                self._answer_load(following)
            elif following is _END:
                return

    def _group(self, first: _Commit) -> tuple[list[_Commit], "_Read | object | None"]:
        """``first`` and the commits that wait behind it, and the job that ended the group."""
        group = [first]
        while len(group) < _MAX_GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, None
            if job is None:
                return group, _END
            if isinstance(job, _Read):
                return group, job
            group.append(job)
        return group, None

    def _answer_commits(self, group: list[_Commit]) -> None:
        """Every one is answered, whatever happens: a caller that waits for ever is an engine that stands still."""
        try:
            self._write([write for commit in group for write in commit.writes])
        except Exception as error:  # noqa: BLE001  also what no database raises, as a value of the wrong type
            if len(group) > 1 and _is_of_one(error):
                for commit in group:
                    self._answer_commits([commit])
                return
            for commit in group:
                self._settle(commit.done, error=_translated(error))
        else:
            for commit in group:
                self._settle(commit.done)

    def _answer_load(self, job: _Read) -> None:
        assert self._connection is not None
        try:
            self._settle(job.done, dict(_rows(self._connection, job)))
        except sqlite3.Error as error:
            self._settle(job.done, error=_translated(error))

    def _write(self, writes: list[Stored]) -> None:
        """One transaction.  Writes without a removal are one statement, its own transaction: each statement less is one wait less for the
        interpreter's lock, which the event loop holds."""
        assert self._connection is not None
        puts = [write for write in writes if isinstance(write, Put)]
        if 0 < len(puts) == len(writes) <= _MAX_ROWS:
            _put(self._connection, puts)
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                _apply(self._connection, write)
            self._connection.execute("COMMIT")
        except Exception:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _settle(self, done: "asyncio.Future[Any]", result: Any = None, *, error: EngineError | None = None) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(_finish, done, result, error)


_END: Final = object()


def _finish(done: "asyncio.Future[Any]", result: Any, error: EngineError | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS rows (sequence INTEGER PRIMARY KEY, room TEXT NOT NULL, key TEXT NOT NULL,"
            " value BLOB NOT NULL, UNIQUE (room, key))"
        )
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise _translated(error) from error
    if verdict != "ok":
        raise CorruptStateError(f"journal {path.name} is broken: {verdict}; keep a copy, remove the file, and the policy is pushed anew")
    return connection


def _put(connection: sqlite3.Connection, puts: list[Put]) -> None:
    rows = ", ".join(["(?, ?, ?)"] * len(puts))
    upsert = f"INSERT INTO rows (room, key, value) VALUES {rows} ON CONFLICT (room, key) DO UPDATE SET value = excluded.value"  # noqa: S608
    connection.execute(upsert, [field for put in puts for field in (put.table.value, put.key, put.value)])


def _rows(connection: sqlite3.Connection, job: _Read) -> list[tuple[str, bytes]]:
    match job:
        case _Load(table=table):
            return connection.execute("SELECT key, value FROM rows WHERE room = ? ORDER BY sequence", (table.value,)).fetchall()
        case _LoadPage(table=table, after=after, count=count):
            page = "SELECT key, value FROM rows WHERE room = ? AND key > ? ORDER BY key LIMIT ?"
            return connection.execute(page, (table.value, after, count)).fetchall()


def _apply(connection: sqlite3.Connection, write: Stored) -> None:
    match write:
        case Put():
            _put(connection, [write])
        case Delete(table=table, key=key):
            connection.execute("DELETE FROM rows WHERE room = ? AND key = ?", (table.value, key))
        case DeleteThrough(table=table, key=key):
            connection.execute("DELETE FROM rows WHERE room = ? AND key <= ?", (table.value, key))


def _is_of_one(error: Exception) -> bool:
    """Whether one commit of a group may be to blame.  A lock or a disk that fails is everybody's, and waiting for it once is enough."""
    code = getattr(error, "sqlite_errorcode", None)
    return code == sqlite3.SQLITE_FULL or _is_of_the_row(error)


def _is_of_the_row(error: Exception) -> bool:
    return not isinstance(error, sqlite3.Error) or isinstance(error, _ROW_ERRORS)


def _translated(error: Exception) -> EngineError:
    code = getattr(error, "sqlite_errorcode", None)
    translated: EngineError
    if code is not None and code & 0xFF in _BROKEN:
        translated = CorruptStateError(f"the journal is broken: {error}")
    elif _is_of_the_row(error):
        translated = PermanentError(f"the journal cannot store this row, nothing of its commit is written: {error!r}")
    else:
        translated = JournalUnavailableError(f"the journal cannot be written: {error}; check the free space of its volume")
    translated.__cause__ = error
    return translated
