"""Keeps the outbox small: forgets what is safe elsewhere, drops telemetry when it must, closes the gate when it may not drop.

In    how far Redis holds events and every group has acknowledged them; the bounds
Out   rows removed; the stream cut off behind its slowest group; restriction "bus" while the spool is full of events that may not be dropped
Flow  sender.py, spool.py -> HERE -> journal, Link, permission

Rows that Redis holds stay in the outbox until every consumer group has acknowledged them, as long as there is room: a Redis that comes back
empty is filled again.
"""

import asyncio
from typing import Final

import msgspec

from quantum_api.gate import Gate
from quantum_engine import metrics
from quantum_engine.bus.books import Books
from quantum_engine.bus.outbox import Outbox, key_through, row_of
from quantum_engine.bus.ports import Disk, Link
from quantum_engine.bus.spool import Shelf
from quantum_engine.clock import Clock
from quantum_engine.errors import RetryableError
from quantum_engine.journal import Delete, DeleteThrough, Journal, Table
from quantum_engine.logs import logger
from quantum_engine.permission import Permission, Restriction

SOURCE: Final = "bus"
TIDY_SECONDS: Final = 1.0
TEND_SECONDS: Final = 5.0
_PAGE_ROWS: Final = 1_000
_log = logger("bus")


class Keeper:
    """Everything about the outbox that is not sending."""

    def __init__(
        self, books: Books, outbox: Outbox, disk: Disk, journal: Journal, link: Link, clock: Clock, permission: Permission
    ) -> None:
        self._books, self._outbox, self._disk, self._journal = books, outbox, disk, journal
        self._link, self._clock, self._permission = link, clock, permission
        self._tended_at = float("-inf")

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.tend()
                await self.tidy()
            except RetryableError as error:
                _log.warning("outbox_not_tidied", error=str(error))
            await asyncio.sleep(TIDY_SECONDS)

    async def tidy(self) -> None:
        """One round of chores."""
        books = self._books
        chores = books.spool.chores(books.grace.safe_through, books.acknowledged_through, self._clock.wall_ms())
        if chores.forget_through is not None:
            await self._forget(chores.forget_through)
        for shelf in chores.drop_from:
            await self._drop(shelf)
        self._judge(is_full=chores.is_full)
        self._measure()

    async def _forget(self, through: int) -> None:
        """Known in memory first: the sender must not take a number that is about to be removed for one that was never used."""
        books = self._books
        books.kept = msgspec.structs.replace(books.kept, forgotten_through=max(through, books.kept.forgotten_through))
        await self._journal.commit(DeleteThrough(Table.OUTBOX, key_through(through)), books.kept.put)
        books.spool.forgotten(through)

    async def _drop(self, shelf: Shelf) -> None:
        page = await self._disk.load_page(Table.OUTBOX, key_through(shelf.after), _PAGE_ROWS)
        rows = [row for row in (row_of(key, value) for key, value in page.items()) if row.sequence <= shelf.last]
        gone = [row for row in rows if row.event_class.is_droppable]
        await self._journal.commit(*(Delete(Table.OUTBOX, row.key) for row in gone))
        self._books.spool.dropped(shelf)
        self._outbox.drop(gone)
        unheard = sum(row.sequence > self._books.heard for row in gone)
        self._books.dropped += unheard
        metrics.TELEMETRY_DROPPED.inc(unheard)
        _log.warning("telemetry_dropped", events=unheard, through=shelf.last)

    async def tend(self) -> None:
        """Now and then: how far are the groups?"""
        books, now = self._books, self._clock.monotonic()
        if books.confirmed is None or books.owes_names or books.problem or now - self._tended_at < TEND_SECONDS:
            return
        self._tended_at = now
        tended = await self._link.tend(books.kept.epoch, books.confirmed)
        if tended is None or books.owes_names:
            return
        books.acknowledged_through = tended.acknowledged_through
        metrics.STREAM_ROWS.set(tended.length)
        if tended.groups != frozenset(books.kept.groups):
            books.kept = books.with_groups(tended.groups)
            await self._journal.commit(books.kept.put)

    def _judge(self, *, is_full: bool) -> None:
        if is_full:
            spool = self._books.spool
            detail = f"{spool.rows} events, {spool.size} bytes wait that nobody has heard and that may not be dropped; bring Redis back"
            self._permission.restrict(Restriction(SOURCE, Gate.REDUCE_ONLY, detail))
        elif not self._books.spool.is_over:
            self._permission.lift(SOURCE)

    def _measure(self) -> None:
        books = self._books
        metrics.OUTBOX_ROWS.set(self._outbox.settled_through - books.heard)
        metrics.OUTBOX_AGE_SECONDS.set(books.spool.age_ms(books.heard, self._clock.wall_ms()) / 1000)
        metrics.SPOOL_ROWS.set(books.spool.rows)
        metrics.SPOOL_BYTES.set(books.spool.size)
