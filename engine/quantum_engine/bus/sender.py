"""Brings the outbox to Redis, in order, for ever.

In    rows of the outbox: the newest from memory, older ones from disk
Out   entries in the stream; how far Redis holds them
Flow  the bus's journal wakes -> HERE -> Link
Why   one sender and one order: an outage needs no special path, what is not in Redis is simply still in the outbox

What Redis holds is Redis's own word, given by the script that appends.  Where it is less than was confirmed, Redis forgot, and what the
outbox still holds is sent again; consumers know what they have seen.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from quantum_api.bus_envelope import letterhead, on_the_wire
from quantum_engine import metrics
from quantum_engine.bus.books import Books
from quantum_engine.bus.outbox import Outbox, Row, key_through, row_of
from quantum_engine.bus.ports import Disk, Link
from quantum_engine.clock import Clock, IdSource
from quantum_engine.errors import RetryableError
from quantum_engine.journal import DeleteThrough, Journal, Table
from quantum_engine.logs import logger
from quantum_engine.waiting import happens

BATCH_ROWS: Final = 1_000
BATCH_BYTES: Final = 1_000_000
"""Ten thousand at once would hold the event loop for some fifty milliseconds, and with it a stop; in tens they are through as soon."""
LOOK_SECONDS: Final = 5.0
"""How often an idle sender asks whether Redis still holds what it confirmed."""
_SOON_SECONDS: Final = 1.0
_FIRST_RETRY_SECONDS: Final = 0.05
_LONGEST_RETRY_SECONDS: Final = 2.0
_log = logger("bus")


class Sender:
    """The only one that appends to the engine's stream."""

    def __init__(
        self, source: str, books: Books, outbox: Outbox, disk: Disk, journal: Journal, link: Link, clock: Clock, ids: IdSource
    ) -> None:
        self._source, self._books, self._outbox = source, books, outbox
        self._disk, self._journal, self._link, self._clock, self._ids = disk, journal, link, clock, ids
        self._read_through = books.heard

    async def run(self) -> None:
        """For ever; what Redis or the disk does not answer is tried again."""
        failures, looks = 0, False
        while True:
            self._books.has_rows.clear()
            try:
                has_sent = await self.step(looks=looks)
            except RetryableError as error:
                failures, looks = failures + 1, True
                self._note(str(error))
                await asyncio.sleep(min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** min(failures, 10)))
                continue
            failures = 0
            self._note("")
            pause = _SOON_SECONDS if self._books.grace.is_waiting else LOOK_SECONDS
            looks = not has_sent and not await happens(self._books.has_rows, pause)

    async def step(self, *, looks: bool) -> bool:
        """Send one batch, whether there was one.  ``looks``: first ask whether Redis still holds what it confirmed."""
        if self._books.confirmed is None:
            await self._meet()
        if self._books.owes_names:
            await self._link.enlist()
            await self._link.create_groups(self._books.kept.groups)
            self._books.owes_names = False
        if looks:
            await self._send([], self._read_through)
        rows, read_through = await self._next_rows()
        if rows:
            await self._send(rows, read_through)
        else:
            self._read_through = max(self._read_through, read_through)
        return bool(rows)

    async def _meet(self) -> None:
        """First contact of this process: Redis says how far it goes."""
        answer = await self._link.add(self._books.kept.epoch, -1, [])
        if answer.through > self._books.highest_restored:
            await self._begin_epoch(answer.through)
            answer = await self._link.add(self._books.kept.epoch, -1, [])
        self._books.owes_names = True
        self._confirm(answer.through)
        self._read_through = answer.through

    async def _begin_epoch(self, in_redis: int) -> None:
        """The journal is older than what it once sent (a restored volume): its numbers are taken, and would be passed over as known."""
        books, restored = self._books, self._books.highest_restored
        fresh = msgspec.structs.replace(books.kept, epoch=self._ids(), forgotten_through=0)
        _log.error("journal_older_than_redis", highest_on_disk=restored, highest_in_redis=in_redis, new_epoch=fresh.epoch)
        await self._journal.commit(DeleteThrough(Table.OUTBOX, key_through(restored)), fresh.put)
        books.kept, books.highest_restored = fresh, 0
        books.spool.forgotten(restored)

    async def _next_rows(self) -> tuple[list[Row], int]:
        """In order, and the number up to which nothing else is to be read."""
        rows = self._outbox.tail(self._read_through, BATCH_ROWS, BATCH_BYTES)
        if rows is None:
            return await self._rows_from_disk()
        return rows, rows[-1].sequence if rows else self._read_through

    async def _rows_from_disk(self) -> tuple[list[Row], int]:
        settled = self._outbox.settled_through
        page = await self._disk.load_page(Table.OUTBOX, key_through(self._read_through), BATCH_ROWS)
        rows = [row for row in (row_of(key, value) for key, value in page.items()) if row.sequence <= settled]
        if len(page) < BATCH_ROWS:
            return rows, settled
        return rows, rows[-1].sequence if rows else self._read_through

    async def _send(self, rows: Sequence[Row], read_through: int) -> None:
        asked_at = self._clock.monotonic()
        confirmed = self._books.known
        answer = await self._link.add(self._books.kept.epoch, confirmed, self._entries(rows, confirmed))
        if not answer.accepted:
            self._redis_forgot(confirmed, answer.through)
            return
        self._confirm(answer.through, asked_at)
        self._read_through = max(read_through, answer.through)
        if rows:
            metrics.EVENTS_SENT.inc(len(rows))
            self._outbox.forget(answer.through)

    def _entries(self, rows: Sequence[Row], confirmed: int) -> list[tuple[int, bytes]]:
        """Each covers the unused numbers before it, so that nobody looks for them."""
        head = letterhead(self._source, self._books.kept.epoch)
        before = max(confirmed, self._books.kept.forgotten_through)
        entries = []
        for row in rows:
            first = before + 1
            entries.append((row.sequence, on_the_wire(head, row.value, first if first < row.sequence else None)))
            before = row.sequence
        return entries

    def _confirm(self, through: int, asked_at: float | None = None) -> None:
        now = self._clock.monotonic()
        self._books.confirmed = through
        self._books.grace.confirmed(through, now if asked_at is None else asked_at, now)

    def _redis_forgot(self, confirmed: int, through: int) -> None:
        """It restarted without its last second, or empty: go back to where it is."""
        _log.error(
            "redis_forgot", confirmed=confirmed, in_redis=through, sent_again_from=max(through, self._books.kept.forgotten_through) + 1
        )
        metrics.REDIS_FORGOT.inc()
        self._books.confirmed, self._read_through = through, max(0, through)
        self._books.grace.forgot(through)
        self._books.owes_names = True

    def _note(self, problem: str) -> None:
        was, self._books.problem = self._books.problem, problem
        if bool(was) != bool(problem):
            _log.warning("bus_behind", error=problem) if problem else _log.info("bus_up")
