"""Applies every event once, in its source's order, whatever is delivered twice, late or not at all.

In    entries of a feed
Out   effects with their marks in the inbox; acknowledgements; notices of what is missing; dead letters
Flow  Redis streams -> feed -> HERE -> inbox
Why   acknowledged only when the effect is stored; what comes again is known by its number; a hole is looked up in the stream, so members of
      one group may take over from each other at any moment without changing the order
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from quantum_api.bus_envelope import BadEnvelopeError, Envelope, opened
from quantum_bus.marks import Duplicate, Mark, Missing, Next, Notice, accept, decode, encode, judge
from quantum_bus.ports import Entry, Feed, FeedUnavailableError, Inbox, InboxUnavailableError, MarksMovedError

MOST_TRIES: Final = 5
"""Of an event that fails alone, before it is buried."""
MOST_DELIVERIES: Final = 10
"""Of an event that never comes back with an error: it may be what kills the process."""
_PAGE: Final = 1_000
_FIRST_RETRY_SECONDS: Final = 0.05
_LONGEST_RETRY_SECONDS: Final = 2.0


@dataclass
class _Batch:
    """Events of one source that follow each other."""

    before: Mark | None
    after: Mark | None
    events: list[tuple[Entry, Envelope]] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    """Ids that were applied before."""
    notices: list[Notice] = field(default_factory=list)

    def take(self, entry: Entry, envelope: Envelope, verdict: Next) -> None:
        self.events.append((entry, envelope))
        self.after = verdict.mark
        self.notices += verdict.notices


class Consumer:
    """One member of one group."""

    def __init__(self, feed: Feed, inbox: Inbox, on_notice: Callable[[str, Notice], None]) -> None:
        self._feed, self._inbox, self._on_notice = feed, inbox, on_notice
        self._held: list[Entry] = []
        """Read, and not yet applied as a whole: kept when the inbox or Redis is away, so that no outage counts as a delivery."""
        self._has_begun = False
        """Whether this process has got past the first event it was given."""
        self.problem = ""
        """Why it waits; empty while it reads."""

    async def run(self) -> None:
        """For ever."""
        failures = 0
        while True:
            try:
                await self.step()
            except (FeedUnavailableError, InboxUnavailableError) as error:
                self.problem = str(error)
                failures += 1
                await asyncio.sleep(min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2 ** min(failures, 10)))
            else:
                self.problem, failures = "", 0

    async def step(self) -> int:
        """Read once and apply what came; how many entries there were."""
        if not self._held:
            self._held = await self._feed.read()
        for source, delivered in _by_source(self._held):
            await self._take_anew(source, delivered)
        count, self._held = len(self._held), []
        return count

    async def _take_anew(self, source: str, delivered: list[Entry]) -> None:
        while True:
            try:
                return await self._take(source, delivered)
            except MarksMovedError:
                continue

    async def _take(self, source: str, delivered: list[Entry]) -> None:
        row = await self._inbox.mark(source)
        mark = decode(row) if row else None
        batch = _Batch(mark, mark)
        for entry in delivered:
            try:
                envelope = opened(entry.data)
            except BadEnvelopeError as error:
                await self._feed.bury(entry, str(error))
                continue
            await self._place(batch, entry, envelope)
        await self._apply(source, batch)

    async def _place(self, batch: _Batch, entry: Entry, envelope: Envelope) -> None:
        verdict = judge(batch.after, envelope)
        if isinstance(verdict, Missing):
            await self._look_up(batch, entry)
            verdict = judge(batch.after, envelope)
        if isinstance(verdict, Duplicate):
            batch.known.append(entry.id)
        else:
            batch.take(entry, envelope, accept(batch.after, envelope) if isinstance(verdict, Missing) else verdict)

    async def _look_up(self, batch: _Batch, entry: Entry) -> None:
        """The stream is in order: what is missing stands before ``entry``, or nowhere."""
        after = ""
        while page := await self._feed.page(entry.source, after, entry.id, _PAGE):
            after = page[-1].id
            for older, envelope in _readable(page):
                if not isinstance(judge(batch.after, envelope), Duplicate):
                    batch.take(older, envelope, accept(batch.after, envelope))

    async def _apply(self, source: str, batch: _Batch) -> None:
        if batch.events:
            try:
                if any(entry.deliveries > MOST_TRIES for entry, _ in batch.events):
                    await self._apply_singly(source, batch)
                else:
                    await self._store(source, batch, [envelope for _, envelope in batch.events])
            except (InboxUnavailableError, MarksMovedError, FeedUnavailableError):
                raise
            except Exception:  # noqa: BLE001  one of them is at fault; alone, each shows whether it is the one
                await self._apply_singly(source, batch)
            for notice in batch.notices:
                self._on_notice(source, notice)
        ids = [*batch.known, *(entry.id for entry, _ in batch.events)]
        if ids:
            await self._feed.acknowledge(source, ids)
            self._has_begun = True

    async def _apply_singly(self, source: str, batch: _Batch) -> None:
        mark = batch.before
        for entry, envelope in batch.events:
            verdict = accept(mark, envelope)
            single = _Batch(mark, verdict.mark)
            reason = self._too_often(entry) or await self._try(source, single, envelope)
            if reason:
                await self._feed.bury(entry, reason)
                await self._store(source, single, [])
            mark, self._has_begun = verdict.mark, True

    async def _try(self, source: str, single: _Batch, envelope: Envelope) -> str:
        """Why it cannot be applied, after some tries; empty when it was."""
        reason = ""
        for number in range(1, MOST_TRIES + 1):
            try:
                await self._store(source, single, [envelope])
            except (InboxUnavailableError, MarksMovedError):
                raise
            except Exception as error:  # noqa: BLE001  whatever an event does to its consumer, the next one has its turn
                reason = f"failed {number} times, last with {error!r}"
                await asyncio.sleep(min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2**number))
            else:
                return ""
        return reason

    def _too_often(self, entry: Entry) -> str:
        """What kills its process is the first that the next process is given; those behind it were delivered as often, and are innocent."""
        if self._has_begun or entry.deliveries <= MOST_DELIVERIES:
            return ""
        return f"delivered {entry.deliveries} times without an answer"

    async def _store(self, source: str, batch: _Batch, events: list[Envelope]) -> None:
        assert batch.after is not None
        await self._inbox.apply(source, events, encode(batch.before) if batch.before else None, encode(batch.after))


def _by_source(entries: Iterable[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    for source, delivered in groupby(entries, key=lambda entry: entry.source):
        yield source, list(delivered)


def _readable(page: Iterable[Entry]) -> Iterator[tuple[Entry, Envelope]]:
    """What cannot be read is buried when it is delivered."""
    for entry in page:
        try:
            yield entry, opened(entry.data)
        except BadEnvelopeError:
            continue
