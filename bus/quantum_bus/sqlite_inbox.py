"""An inbox in one SQLite file: effects and marks in one transaction, on disk when it returns.

In    events that follow the stored mark, an effect that writes what they mean
Out   both, or neither
Flow  consumer.py -> HERE -> a file of the consumer's own
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from quantum_api.bus_envelope import Envelope
from quantum_bus.ports import InboxUnavailableError, MarksMovedError

Effect = Callable[[sqlite3.Connection, str, Sequence[Envelope]], None]
"""Runs inside the transaction; must not commit.  What it raises is the events' own fault, unless it is sqlite3.OperationalError."""
_MARKS: Final = "CREATE TABLE IF NOT EXISTS marks (source TEXT PRIMARY KEY, mark BLOB NOT NULL)"


class SqliteInbox:
    """Implements quantum_bus.ports.Inbox."""

    def __init__(self, path: Path, effect: Effect) -> None:
        self._effect = effect
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(_MARKS)

    async def mark(self, source: str) -> bytes | None:
        return await asyncio.to_thread(self._mark, source)

    async def apply(self, source: str, events: Sequence[Envelope], before: bytes | None, after: bytes) -> None:
        await asyncio.to_thread(self._apply, source, events, before, after)

    def close(self) -> None:
        self._connection.close()

    def _mark(self, source: str) -> bytes | None:
        try:
            row = self._connection.execute("SELECT mark FROM marks WHERE source = ?", (source,)).fetchone()
        except sqlite3.OperationalError as error:
            raise InboxUnavailableError(f"the inbox cannot be read: {error}") from error
        return row[0] if row else None

    def _apply(self, source: str, events: Sequence[Envelope], before: bytes | None, after: bytes) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            if self._mark(source) != before:
                raise MarksMovedError(source)  # noqa: TRY301  rolled back below as any other failure
            self._effect(self._connection, source, events)
            self._connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (source, after))
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise InboxUnavailableError(f"the inbox cannot be written: {error}; check the free space of its volume") from error
            raise
