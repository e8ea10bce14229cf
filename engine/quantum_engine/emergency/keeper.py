"""Writes the latches to the journal as soon as they are owed, and clears what was released when its time has come.

In    the book's debts, the journal
Out   latches on disk; whoever waits for one hears of it
Flow  book -> HERE -> journal -> book
"""

import asyncio
from typing import Final

from quantum_engine.clock import Clock
from quantum_engine.emergency.book import CLEARED_KEY, LatchBook
from quantum_engine.errors import CorruptStateError, JournalUnavailableError
from quantum_engine.journal import Journal, Table
from quantum_engine.logs import logger
from quantum_engine.ordered_faults import crash_point
from quantum_engine.waiting import happens

_RETRY_SECONDS: Final = 0.2
_TICK_SECONDS: Final = 0.5
_log = logger("emergency")


class LatchKeeper:
    """Writes the book to the journal."""

    def __init__(self, book: LatchBook, journal: Journal, clock: Clock) -> None:
        self._book = book
        self._journal = journal
        self._clock = clock
        self._owing = asyncio.Event()
        self._tried = asyncio.Event()
        book.on_change(self._changed)

    async def restore(self) -> None:
        """Before anything else: what was latched is latched."""
        meta = await self._journal.load(Table.META)
        self._book.restore(await self._journal.load(Table.LATCH), meta.get(CLEARED_KEY, b"[]"))

    async def run(self) -> None:
        """Write what is owed as soon as it is owed, and clear what was released when its time has come."""
        while True:
            if not await happens(self._owing, _TICK_SECONDS):
                self._book.clear_released()
                continue
            self._owing.clear()
            if self._book.owes and not await self._write():
                await asyncio.sleep(_RETRY_SECONDS)
                self._owing.set()

    async def stored(self, latch_id: str, timeout_seconds: float) -> bool:
        """Whether the latch was on disk before the time was over."""
        deadline = self._clock.monotonic() + timeout_seconds
        while self._clock.monotonic() < deadline:
            latch = self._book.get(latch_id)
            if latch is None or latch.gate_closed_at_ms is not None:
                return latch is not None
            tried = self._tried
            if not await happens(tried, deadline - self._clock.monotonic()):
                return False
        return False

    async def _write(self) -> bool:
        crash_point("after-trip-before-journal")
        snapshot, writes = self._book.owed()
        try:
            await self._journal.commit(*writes)
        except (JournalUnavailableError, CorruptStateError) as error:
            _log.error("latch_not_stored", error=str(error), latches=list(snapshot.latches))
            self._book.failed(snapshot)
            return False
        else:
            if self._book.latches:
                crash_point("after-latch-before-report")
            self._book.written(snapshot)
            return True
        finally:
            self._tried.set()
            self._tried = asyncio.Event()

    def _changed(self) -> None:
        if self._book.owes:
            self._owing.set()
