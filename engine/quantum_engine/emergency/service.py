"""Carries a stop out: remembers the latch, then cancels, closes and looks again until the exchange shows nothing.

In    the book's debts, the journal, the exchange
Out   latches on disk, cancels, closing orders, phases with their times
Flow  book -> HERE -> journal, exchange -> book
Why   the work starts from the latches alone, so a restart at any point goes on where the last process died; it never ends by giving up
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, TypeVar

from quantum_api.engine_status import Latch
from quantum_api.trading_policy import Limits
from quantum_engine import metrics
from quantum_engine.clock import Clock, IdSource
from quantum_engine.domain import OrderView, PositionView, SymbolRules
from quantum_engine.emergency.book import CLEARED_KEY, LatchBook
from quantum_engine.emergency.latches import Sight, overdue, progressed, waiting
from quantum_engine.emergency.pace import VERIFY_SECONDS, next_pause_seconds, throttled_pause_seconds
from quantum_engine.emergency.plan import Plan, SymbolWork, closing_intent, plan
from quantum_engine.emergency.ports import Submit, Venue
from quantum_engine.errors import CorruptStateError, EngineError, JournalUnavailableError, ThrottledError
from quantum_engine.journal import Journal, Table
from quantum_engine.logs import logger
from quantum_engine.ordered_faults import crash_point
from quantum_engine.verdicts import Accepted
from quantum_engine.waiting import happens

_RETRY_SECONDS: Final = 0.2
_TICK_SECONDS: Final = 0.5
_REMEMBER_SECONDS: Final = 0.25
_BUILT_IN_COOLDOWN_SECONDS: Final = 300
_BUILT_IN_DEADLINE_SECONDS: Final = 60
_log = logger("emergency")
Seen = TypeVar("Seen", OrderView, PositionView)


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
            _log.error("latch_not_stored", error=str(error), latches=list(snapshot))
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


class StopWorker:
    """Cancels and closes for every latch in force, until proven, and goes on looking while any is latched."""

    def __init__(
        self,
        book: LatchBook,
        keeper: LatchKeeper,
        venue: Venue,
        submit: Submit,
        limits: Callable[[], Limits | None],
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._book, self._keeper, self._venue, self._submit = book, keeper, venue, submit
        self._limits, self._clock, self._ids = limits, clock, ids
        self._rules: dict[str, SymbolRules] = {}
        self._wake = asyncio.Event()
        self._begun: dict[str, object] = {}
        self._last_work: tuple[SymbolWork, ...] = ()
        self._noted_at_ms = 0
        self._throttled_seconds = 0.0
        book.on_change(self._look_for_new_work)

    def look_again(self) -> None:
        """A position or an order changed."""
        if self._book.latches:
            self._wake.set()

    async def run(self) -> None:
        """Round after round while anything is latched."""
        pause_seconds = 0.0
        while True:
            if not self._book.latches or pause_seconds:
                await self._rest(pause_seconds if self._book.latches else None)
            if not self._book.latches:
                continue
            await self._remembered()
            pause_seconds = await self._round(pause_seconds)
            if self._throttled_seconds:
                await asyncio.sleep(throttled_pause_seconds(self._throttled_seconds))
                self._throttled_seconds = 0.0

    async def _rest(self, seconds: float | None) -> None:
        if await happens(self._wake, seconds):
            self._wake.clear()

    async def _remembered(self) -> None:
        """A latch goes to disk before its work; if the disk will not take it, getting out does not wait for the disk."""
        new = [latch for latch in self._book.latches if latch.id not in self._begun]
        for latch in new:
            await self._keeper.stored(latch.id, _REMEMBER_SECONDS)
        if new:
            crash_point("after-latch-before-flatten")
        self._begun = {latch.id: _stage_of(latch) for latch in self._book.latches}

    async def _round(self, pause_seconds: float) -> float:
        """One look and what it asks for; how long to wait before the next."""
        self._note({latch.id: Sight(0, 0) for latch in self._book.latches if latch.action.strength == 0}, "")
        latches = [latch for latch in self._book.latches if latch.action.strength > 0]
        if not latches:
            return VERIFY_SECONDS
        try:
            looked, unseen = await self._look(latches)
        except EngineError as error:
            metrics.STOP_ROUNDS.labels("unreachable").inc()
            self._note({}, f"the exchange cannot be asked: {error}")
            return next_pause_seconds(pause_seconds, progressed=False)
        sights = {} if unseen else looked.sights
        self._note(sights, unseen)
        if not looked.work:
            metrics.STOP_ROUNDS.labels("unreachable" if unseen else "clean").inc()
            return next_pause_seconds(pause_seconds, progressed=False) if self._unfinished() else VERIFY_SECONDS
        problems = await self._carry_out(looked.work)
        metrics.STOP_ROUNDS.labels("problem" if problems or unseen else "worked").inc()
        if problems:
            self._note(sights, "; ".join(filter(None, [unseen, *problems])))
        helped = not problems and looked.work != self._last_work
        self._last_work = looked.work
        return next_pause_seconds(pause_seconds, progressed=helped)

    async def _look(self, latches: Iterable[Latch]) -> tuple[Plan, str]:
        """What can be seen, and what cannot: work goes on with half of the picture, but nothing is proven by it."""
        orders, held = await asyncio.gather(_asked(self._venue.open_orders()), _asked(self._venue.positions()))
        self._throttled_seconds = max((e.retry_after_seconds for e in (orders, held) if isinstance(e, ThrottledError)), default=0.0)
        unseen = "; ".join(f"the exchange cannot be asked: {each}" for each in (orders, held) if isinstance(each, EngineError))
        if isinstance(orders, EngineError) and isinstance(held, EngineError):
            raise orders
        seen_orders, seen_held = [] if isinstance(orders, EngineError) else orders, [] if isinstance(held, EngineError) else held
        if any(position.symbol not in self._rules for position in seen_held):
            await self._read_rules()
        return plan(latches, seen_orders, seen_held, self._rules), unseen

    async def _read_rules(self) -> None:
        """Without them the whole position is one order: better than none, and the exchange says what it will not take."""
        try:
            self._rules = await self._venue.symbol_rules()
        except EngineError as error:
            _log.warning("stop_goes_on_without_rules", error=str(error))

    async def _carry_out(self, work: Iterable[SymbolWork]) -> list[str]:
        """Every symbol at once; the problems, one sentence each."""
        problems = await asyncio.gather(*(self._work_on(item) for item in work))
        return [problem for problem in problems if problem]

    async def _work_on(self, item: SymbolWork) -> str:
        """A cancel that failed does not keep the position: at worst the exchange refuses the close, and the next round does both again."""
        problems = []
        try:
            await self._venue.cancel_all(item.symbol)
        except EngineError as error:
            problems.append(f"{item.symbol}: {error}")
        if item.close is not None:
            try:
                verdict = await self._submit(closing_intent(item.symbol, item.close, f"exit-{self._ids()}", "emergency stop"))
            except EngineError as error:
                problems.append(f"{item.symbol}: {error}")
            else:
                problems += [] if isinstance(verdict, Accepted) else [f"{item.symbol}: closing order not taken: {verdict}"]
        for problem in problems:
            _log.warning("stop_work_failed", problem=problem)
        return "; ".join(problems)

    def _note(self, sights: Mapping[str, Sight], problem: str) -> None:
        """Write what was seen into the latches, and say aloud what is overdue."""
        now_ms = self._clock.wall_ms()
        limits = self._limits()
        cooldown_seconds = limits.stop_cooldown_seconds if limits else _BUILT_IN_COOLDOWN_SECONDS
        deadline_seconds = limits.flatten_deadline_seconds if limits else _BUILT_IN_DEADLINE_SECONDS
        late = 0
        for latch in self._book.latches:
            sight = sights.get(latch.id)
            after = progressed(latch, sight, now_ms, cooldown_seconds) if sight else latch
            is_overdue = overdue(after, now_ms, deadline_seconds)
            late += is_overdue
            if is_overdue and not overdue(latch, self._noted_at_ms, deadline_seconds):
                _log.error("stop_overdue", latch=latch.id, deadline_seconds=deadline_seconds, problem=problem)
            if sight or problem:
                self._book.update(waiting(after, sight, problem, is_overdue=is_overdue), cooldown_seconds)
        self._noted_at_ms = now_ms
        metrics.STOP_OVERDUE.set(late)
        self._book.clear_released()

    def _unfinished(self) -> bool:
        return any(latch.cooldown_until_ms is None for latch in self._book.latches)

    def _look_for_new_work(self) -> None:
        """A new latch, a stronger one, or one that reached the disk at last; not this worker's own notes."""
        if any(self._begun.get(latch.id) != _stage_of(latch) for latch in self._book.latches):
            self._wake.set()


async def _asked(question: Awaitable[list[Seen]]) -> list[Seen] | EngineError:
    try:
        return await question
    except EngineError as error:
        return error


def _stage_of(latch: Latch) -> object:
    return latch.action, tuple(latch.symbols), latch.gate_closed_at_ms is not None
