"""The event bus of one engine: wires outbox, sender and keeper.

In    commits with events (through ``journal``), events said without a commit of their own
Out   every event in the engine's Redis stream at least once, in order, each with its number; depth, age and losses for the status
Flow  stages -> HERE -> Redis stream -> consumers (quantum_bus)
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Final

from quantum_api.bus_envelope import opened_row
from quantum_engine.bus.books import KEY, Books, Remembered, remembered
from quantum_engine.bus.journal import OutboxJournal
from quantum_engine.bus.keeper import Keeper
from quantum_engine.bus.outbox import Asked, Outbox, key_through, row_of
from quantum_engine.bus.ports import Disk, Link
from quantum_engine.bus.sender import BATCH_ROWS, Sender
from quantum_engine.bus.spool import Bounds
from quantum_engine.clock import Clock, IdSource
from quantum_engine.errors import CorruptStateError, RetryableError
from quantum_engine.journal import Journal, Publish, Table
from quantum_engine.logs import logger
from quantum_engine.permission import Permission

SAID_AT_ONCE: Final = 200
MOST_SAID: Final = 10_000
_RETRY_SECONDS: Final = 0.5
_log = logger("bus")


@dataclass(frozen=True, slots=True)
class BusState:
    """For the status."""

    waiting: int
    """Events that Redis has not confirmed."""
    oldest_ms: int
    """Age of the oldest of them."""
    dropped: int
    problem: str


class Bus:
    """One for the process.  ``journal`` is what the stages' journal wraps."""

    def __init__(self, source: str, disk: Disk, link: Link, clock: Clock, ids: IdSource, bounds: Bounds) -> None:
        self._source, self._disk, self._link, self._clock, self._ids = source, disk, link, clock, ids
        self._books, self._outbox = Books(bounds), Outbox()
        self.journal = OutboxJournal(disk, self._outbox, clock, lambda: self._books.spool.is_over)
        self.journal.on_rows(self._written)
        self._said: deque[Publish] = deque()
        self._has_said = asyncio.Event()

    async def restore(self) -> None:
        """Before anything is published.  Raises CorruptStateError when the outbox cannot be read."""
        row = (await self._disk.load(Table.META)).get(KEY)
        if row is None:
            self._books.kept = Remembered(self._ids())
            await self._disk.commit(self._books.kept.put)
        else:
            self._books.kept = remembered(row)
        highest = max(self._books.kept.forgotten_through, await self._count_rows())
        self._books.highest_restored = highest
        self._outbox.resume(highest)

    def workers(self, journal: Journal, permission: Permission) -> tuple[Sender, Keeper]:
        """``journal`` is the one whose failures close the gate."""
        sender = Sender(self._source, self._books, self._outbox, self._disk, journal, self._link, self._clock, self._ids)
        return sender, Keeper(self._books, self._outbox, self._disk, journal, self._link, self._clock, permission)

    async def run(self, journal: Journal, permission: Permission) -> None:
        """For ever."""
        sender, keeper = self.workers(journal, permission)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sender.run())
            tasks.create_task(keeper.run())
            tasks.create_task(self._write_said(journal))

    def say(self, event: Publish) -> None:
        """An event that belongs to no commit: written as soon as the disk takes it, in the order of these calls."""
        if len(self._said) < MOST_SAID or not event.event_class.is_droppable:
            self._said.append(event)
            self._has_said.set()
        else:
            self._books.dropped += 1

    @property
    def state(self) -> BusState:
        books, confirmed = self._books, self._books.heard
        return BusState(
            waiting=self._outbox.settled_through - confirmed,
            oldest_ms=books.spool.age_ms(confirmed, self._clock.wall_ms()),
            dropped=books.dropped + self.journal.refused,
            problem=books.problem,
        )

    async def close(self, journal: Journal) -> None:
        """What was said and not yet written is written; what was not sent is in the outbox."""
        try:
            if self._said:
                await journal.commit(*self._said)
        except RetryableError as error:
            _log.error("events_lost_at_the_end", events=len(self._said), error=str(error))
        await self._link.close()

    def _written(self, asked: Asked) -> None:
        self._books.spool.add(asked.rows, self._clock.wall_ms())
        self._books.has_rows.set()

    async def _write_said(self, journal: Journal) -> None:
        while True:
            await self._has_said.wait()
            batch = list(islice(self._said, SAID_AT_ONCE))
            try:
                await journal.commit(*batch)
            except RetryableError as error:
                _log.warning("events_not_written_yet", waiting=len(self._said), error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            for _ in batch:
                self._said.popleft()
            if not self._said:
                self._has_said.clear()

    async def _count_rows(self) -> int:
        """Fill the shelves from disk; the highest number there."""
        highest, page = 0, await self._disk.load_page(Table.OUTBOX, "", BATCH_ROWS)
        while page:
            try:
                rows = [row_of(key, value) for key, value in page.items()]
                self._books.spool.add(rows, opened_row(rows[0].value).at_ms)
            except (ValueError, KeyError) as error:
                raise CorruptStateError(f"the journal's outbox cannot be read behind number {highest}: {error}") from error
            highest = rows[-1].sequence
            page = await self._disk.load_page(Table.OUTBOX, key_through(highest), BATCH_ROWS)
        self._books.spool.begin_shelf()
        return highest
