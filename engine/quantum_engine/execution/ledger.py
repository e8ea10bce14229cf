"""Writes intents to the journal and reads them back.

Why   the record is on disk before the order is sent; its end may follow later, because a record without an end is only asked about again
"""

import asyncio
from typing import Final

from quantum_engine.errors import EngineError, JournalUnavailableError
from quantum_engine.execution import events
from quantum_engine.execution.intents import IntentRecord, IntentTable, decode, encode
from quantum_engine.journal import Delete, Journal, Put, Table, Write

PRUNE_EVERY_MS: Final = 60_000
EXIT_STORED_SECONDS: Final = 0.25


class Ledger:
    """The journal's table of intents."""

    def __init__(self, journal: Journal, table: IntentTable) -> None:
        self._journal, self._table = journal, table
        self._unwritten: dict[str, IntentRecord] = {}
        self._pruned_ms = 0

    async def load(self) -> None:
        for key, row in (await self._journal.load(Table.INTENT)).items():
            self._table.restore(decode(key, row))

    async def write(self, record: IntentRecord) -> None:
        """On disk when it returns.  An exit does not wait for a disk that hangs."""
        if not record.reduce_only:
            await self._journal.commit(*_writes(record))
            return
        try:
            async with asyncio.timeout(EXIT_STORED_SECONDS):
                await self._journal.commit(*_writes(record))
        except TimeoutError as error:
            raise JournalUnavailableError(f"the journal has not answered within {EXIT_STORED_SECONDS} s") from error

    async def write_later(self, record: IntentRecord) -> None:
        """Now if possible; the housekeeping tries again."""
        try:
            await self.write(record)
        except EngineError:
            self._unwritten[record.id] = record

    async def tidy(self, now_ms: int) -> None:
        if self._unwritten:
            await self._journal.commit(*(write for record in self._unwritten.values() for write in _writes(record)))
            self._unwritten.clear()
        if now_ms - self._pruned_ms < PRUNE_EVERY_MS:
            return
        self._pruned_ms = now_ms
        gone = self._table.prune(now_ms)
        if gone:
            await self._journal.commit(*(Delete(Table.INTENT, record.id) for record in gone))


def _writes(record: IntentRecord) -> tuple[Write, ...]:
    """The row and its event, in one transaction."""
    return Put(Table.INTENT, record.id, encode(record)), events.of(record)
