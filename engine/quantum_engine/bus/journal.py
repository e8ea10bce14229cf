"""A journal that numbers the events of a commit, so that a fact and its event are one write.

In    commits, some with ``Publish`` among their writes
Out   the same commits with rows of the outbox in their place; who waits for new rows is woken
Flow  stages -> GuardedJournal -> HERE -> SqliteJournal; the outbox -> service.py
Why   event and state cannot part: both are on disk, or neither is (outbox pattern)

A caller that stops waiting does not undo its commit: the outcome is awaited here, so no number is taken for unused that is on disk.
"""

import asyncio
from collections.abc import Callable

from quantum_engine import metrics
from quantum_engine.bus.outbox import Asked, Outbox
from quantum_engine.bus.ports import Disk
from quantum_engine.clock import Clock
from quantum_engine.journal import Publish, Put, Stored, Table, Write


class OutboxJournal:
    """Implements quantum_engine.journal.Journal over the engine's file."""

    def __init__(self, disk: Disk, outbox: Outbox, clock: Clock, spool_is_full: Callable[[], bool] = lambda: False) -> None:
        self._disk, self._outbox, self._clock = disk, outbox, clock
        self._spool_is_full = spool_is_full
        self.refused = 0
        """Telemetry that found the spool full and was not written at all."""
        self._listeners: list[Callable[[Asked], None]] = []

    def on_rows(self, callback: Callable[[Asked], None]) -> None:
        """Called with the rows of each commit once they are on disk."""
        self._listeners.append(callback)

    async def commit(self, *writes: Write) -> None:
        events = self._taken([write for write in writes if isinstance(write, Publish)])
        if not events:
            await self._disk.commit(*writes)
            return
        asked = self._outbox.number(events, self._clock.wall_ms())
        kept: list[Stored] = [write for write in writes if not isinstance(write, Publish)]
        try:
            done = self._disk.submit(*kept, *(Put(Table.OUTBOX, row.key, row.value) for row in asked.rows))
        except BaseException:
            self._outbox.settle(asked, on_disk=False)
            raise
        done.add_done_callback(lambda future: self._settle(asked, future))
        await asyncio.shield(done)

    async def load(self, table: Table) -> dict[str, bytes]:
        return await self._disk.load(table)

    async def close(self) -> None:
        await self._disk.close()

    def _taken(self, events: list[Publish]) -> list[Publish]:
        """Telemetry is the first to go when too much waits."""
        if not events or not self._spool_is_full():
            return events
        taken = [event for event in events if not event.event_class.is_droppable]
        self.refused += len(events) - len(taken)
        metrics.TELEMETRY_DROPPED.inc(len(events) - len(taken))
        return taken

    def _settle(self, asked: Asked, done: "asyncio.Future[None]") -> None:
        on_disk = not done.cancelled() and done.exception() is None
        self._outbox.settle(asked, on_disk=on_disk)
        if on_disk:
            for listener in self._listeners:
                listener(asked)
