"""Carries a stop out: cancels, closes and looks again until the exchange shows nothing.

In    the book's latches, the exchange, the engine's own books
Out   cancels, closing orders, phases with their times
Flow  book -> HERE -> exchange -> book
Why   the work starts from the latches alone, so a restart at any point goes on where the last process died; it never ends by giving up

At the trip the engine's own books are worked on at once, before the exchange was asked anything: cancels leave while the journal still
writes, closes right behind each symbol's cancel and the latch on disk.  That is safe because neither can do harm when the books are stale:
a cancel only cancels, and the exchange caps a close by the position (see plan).  Only what is then seen by asking counts as done.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from quantum_api.engine_status import Latch
from quantum_api.trading_policy import Limits
from quantum_engine import metrics
from quantum_engine.clock import Clock, IdSource
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.carrying import Carrier
from quantum_engine.emergency.keeper import LatchKeeper
from quantum_engine.emergency.latches import Sight
from quantum_engine.emergency.looking import Looker
from quantum_engine.emergency.notes import Notes
from quantum_engine.emergency.pace import QUIET_SECONDS, VERIFY_SECONDS, next_pause_seconds, throttled_pause_seconds
from quantum_engine.emergency.picture import Part, Picture
from quantum_engine.emergency.plan import Plan, SymbolWork, plan
from quantum_engine.emergency.ports import NOTHING_KNOWN, Known, Submit, Venue
from quantum_engine.emergency.troubles import How, Met
from quantum_engine.ordered_faults import crash_point
from quantum_engine.waiting import happens

__all__ = ["LatchKeeper", "StopWorker"]
_REMEMBER_SECONDS: Final = 0.25
_NOTHING_SEEN: Final = Picture(unseen=dict.fromkeys(Part, ""))
LOOK_AGAIN_AT_MOST_SECONDS: Final = 300.0
"""The engine's own books vouch for a finished stop no longer than this."""


class StopWorker:
    """Cancels and closes for every latch in force, until proven, and goes on watching while any is latched."""

    def __init__(
        self,
        book: LatchBook,
        keeper: LatchKeeper,
        venue: Venue,
        submit: Submit,
        limits: Callable[[], Limits | None],
        clock: Clock,
        ids: IdSource,
        known: Known = NOTHING_KNOWN,
    ) -> None:
        self._book, self._keeper, self._limits, self._clock = book, keeper, limits, clock
        self._books = known.books
        self._looker, self._carrier, self._notes = Looker(venue, known.rules), Carrier(venue, submit, ids), Notes(book, limits, clock)
        self._met = Met()
        self._called, self._moved = asyncio.Event(), asyncio.Event()
        self._begun: dict[str, object] = {}
        self._waited_for: set[object] = set()
        self._on_disk: frozenset[str] = frozenset()
        self._pause_seconds = 0.0
        self._scope: frozenset[str] | None = None
        self._proven_at = float("-inf")
        self._quiet_until = 0.0
        book.on_change(self._look_for_new_work)

    def look_again(self) -> None:
        """A position or an order changed."""
        if self._book.latches:
            self._moved.set()

    async def run(self) -> None:
        """Round after round while anything is latched."""
        while True:
            await self._rest()
            if not self._book.latches:
                self._pause_seconds, self._scope = 0.0, None
                self._met.forget()
                continue
            if self._has_new_work():
                await self._at_once()
            self._called.clear()
            self._on_disk = _stored(self._book.latches)
            await self._round()

    async def _rest(self) -> None:
        """Until called for new work, or the pause is over; what moved at the exchange ends only the later part of a long pause.

        Nothing cuts short the time that the exchange asked for.
        """
        await asyncio.sleep(max(0.0, self._quiet_until - self._clock.monotonic()))
        if self._has_new_work():
            return
        seconds = self._pause_seconds if self._book.latches else None
        quiet = None if seconds is None else min(seconds, QUIET_SECONDS)
        if not await happens(self._called, quiet) and seconds is not None and seconds > QUIET_SECONDS:
            await _either(self._called, self._moved, seconds - QUIET_SECONDS)
        self._moved.clear()

    async def _at_once(self) -> None:
        """What the engine's own books show, without asking first.  Without compared books, whatever may have orders is cancelled too."""
        self._begun = {latch.id: _stage_of(latch) for latch in self._book.latches}
        self._pause_seconds, self._scope, self._proven_at = 0.0, None, float("-inf")
        latches = [latch for latch in self._book.latches if latch.action.strength > 0]
        suspects = () if self._books.reconciled else self._suspects(latches)
        await self._carry_out(plan(latches, _NOTHING_SEEN, self._completed(_NOTHING_SEEN), self._looker.rules, self._how, suspects).work)

    async def _remembered(self) -> None:
        """A latch goes to disk before its closes; if the disk will not take it, getting out does not wait for the disk."""
        new = {latch.id: (latch.id, _stage_of(latch)) for latch in self._book.latches}
        new = {latch_id: stage for latch_id, stage in new.items() if stage not in self._waited_for}
        for latch_id, stage in new.items():
            await self._keeper.stored(latch_id, _REMEMBER_SECONDS)
            self._waited_for.add(stage)
        if new:
            crash_point("after-latch-before-flatten")

    async def _round(self) -> None:
        """One look and what it asks for.  Whole looks find the work and prove its end; between them only what is worked on is looked at."""
        self._notes.note({latch.id: Sight(0, 0) for latch in self._book.latches if latch.action.strength == 0}, "")
        latches = [latch for latch in self._book.latches if latch.action.strength > 0]
        if not latches or self._books_vouch_for(latches):
            self._pause_seconds = VERIFY_SECONDS
            return
        seen = await self._looker.look(self._scope)
        self._be_quiet_for(seen.throttled_seconds)
        asked = self._plan(latches, seen)
        self._notes.note(asked.sights, seen.problem)
        if not asked.work or seen.throttled_seconds:
            self._judge_idle(latches, seen)
        else:
            await self._work_on(latches, asked, seen)

    def _plan(self, latches: Sequence[Latch], seen: Picture) -> Plan:
        """While the exchange answers nothing at all, only what is known to rest is cancelled, all at once: the rest would be noise."""
        if seen.is_blind:
            return plan(latches, seen, self._completed(seen), self._looker.rules)
        return plan(latches, seen, self._completed(seen), self._looker.rules, self._how, seen.scope or self._suspects(latches))

    def _judge_idle(self, latches: Sequence[Latch], seen: Picture) -> None:
        """Nothing to do, or nothing that may be done now."""
        metrics.STOP_ROUNDS.labels("unreachable" if seen.unseen else "clean").inc()
        if seen.unseen:
            is_whole_next = seen.scope is not None and not seen.hides_orders and not seen.throttled_seconds
            self._scope = None if is_whole_next else self._suspects(latches)
            self._pause_seconds = next_pause_seconds(self._pause_seconds, progressed=False)
        elif self._scope is not None:
            self._scope, self._pause_seconds = None, 0.0
        else:
            self._met.forget()
            self._proven_at = self._clock.monotonic()
            unfinished = any(latch.cooldown_until_ms is None for latch in self._book.latches)
            self._pause_seconds = next_pause_seconds(self._pause_seconds, progressed=False) if unfinished else VERIFY_SECONDS

    async def _work_on(self, latches: Sequence[Latch], asked: Plan, seen: Picture) -> None:
        """What is looked at next: where work was done, and where something may be that could not be seen."""
        problems = await self._carry_out(asked.work, is_blind=bool(seen.unseen))
        if seen.is_blind:
            self._met.forget()
        metrics.STOP_ROUNDS.labels("problem" if problems or seen.unseen else "worked").inc()
        if problems:
            self._notes.note(asked.sights, "; ".join(filter(None, [seen.problem, *problems])))
        self._scope = frozenset(item.symbol for item in asked.work) | (self._suspects(latches) if seen.unseen else frozenset())

    async def _carry_out(self, work: Sequence[SymbolWork], *, is_blind: bool = False) -> list[str]:
        """The problems, one sentence each; how long to pause follows from what gave way.  A cancel in the dark is no progress."""
        carried = await self._carrier.carry_out(work, self._remembered())
        for each in carried:
            self._met.learn(each.symbol, each.troubles, gave_way=each.gave_way)
        self._be_quiet_for(max((each.throttled_seconds for each in carried), default=0.0))
        helped = all(each.gave_way for each in carried) and (not is_blind or any(each.closed for each in carried))
        self._pause_seconds = next_pause_seconds(self._pause_seconds, progressed=helped) if carried else self._pause_seconds
        return [problem for each in carried for problem in each.problems]

    def _completed(self, seen: Picture) -> Picture:
        """While the exchange answers nothing at all no more closes are sent: each would be one more order to be asked about later."""
        is_away = seen.is_blind and seen is not _NOTHING_SEEN
        return seen.completed(self._books.open_orders.values(), () if is_away else self._books.positions.values())

    def _how(self, symbol: str) -> How:
        return self._met.how(symbol, is_overdue=self._notes.is_overdue(symbol))

    def _suspects(self, latches: Sequence[Latch]) -> frozenset[str]:
        """Symbols that may have orders or positions, though nobody can list them now."""
        limits, books = self._limits(), self._books
        known = {order.symbol for order in books.open_orders.values()} | {position.symbol for position in books.positions.values()}
        return frozenset(known.union(*(latch.symbols for latch in latches), limits.instruments if limits else ()))

    def _books_vouch_for(self, latches: Sequence[Latch]) -> bool:
        """Whether all is done and proven, and books that are compared each 30 s show nothing since."""
        if self._clock.monotonic() - self._proven_at > LOOK_AGAIN_AT_MOST_SECONDS or not self._books.reconciled:
            return False
        if any(latch.cooldown_until_ms is None for latch in latches):
            return False
        known = self._completed(_NOTHING_SEEN)
        return not plan(latches, known, known, self._looker.rules).work

    def _be_quiet_for(self, seconds: float) -> None:
        """As long as the exchange asked for patience: asking on turns a full minute into a ban, and with it every way out."""
        if seconds:
            self._quiet_until = max(self._quiet_until, self._clock.monotonic() + throttled_pause_seconds(seconds))

    def _has_new_work(self) -> bool:
        return any(self._begun.get(latch.id) != _stage_of(latch) for latch in self._book.latches)

    def _look_for_new_work(self) -> None:
        """A new latch, a stronger one, or one that reached the disk at last; not this worker's own notes."""
        if self._has_new_work() or _stored(self._book.latches) - self._on_disk:
            self._called.set()


async def _either(one: asyncio.Event, other: asyncio.Event, within_seconds: float) -> None:
    waits = {asyncio.ensure_future(event.wait()) for event in (one, other)}
    try:
        await asyncio.wait(waits, timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()


def _stage_of(latch: Latch) -> object:
    return latch.action, tuple(latch.symbols)


def _stored(latches: Sequence[Latch]) -> frozenset[str]:
    return frozenset(latch.id for latch in latches if latch.gate_closed_at_ms is not None)
