"""The one path in: strategy and other programs hand their intents to execution here.

In    intents, from inside the engine or from its HTTP surface
Out   one verdict each, or "too many at once"
Flow  strategy, control -> HERE -> service (gate, write-ahead, exchange)
Why   an intent that has begun is carried to its end whoever stops listening, and a flood waits nowhere: what cannot be taken at once is not
      taken, so neither memory nor the way out grows with it
"""

import asyncio
from typing import Final

import structlog

from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.domain import OrderIntent, Purpose
from quantum_engine.execution.intents import IntentRecord
from quantum_engine.execution.pace import Window
from quantum_engine.execution.service import Execution
from quantum_engine.verdicts import Accepted, Declined, Refused, Verdict

log = structlog.get_logger("quantum_engine.execution")
MOST_ENTRIES_AT_ONCE: Final = 64
MOST_EXITS_AT_ONCE: Final = 16
"""Of other programs.  They have places of their own, so entries that wait for a slow exchange leave room to get out."""
MOST_EXITS_PER_SECOND: Final = 10
"""Exits pass every limit, and the room that the exchange leaves for them is the emergency stop's too: a program that asks for them in a
loop must not use it up."""


class Router:
    """Bounded by what is being carried out; there is no queue."""

    def __init__(self, execution: Execution, clock: Clock) -> None:
        self._execution, self._clock = execution, clock
        self._own: set[asyncio.Task[Verdict]] = set()
        self._entries: set[asyncio.Task[Verdict]] = set()
        self._exits: set[asyncio.Task[Verdict]] = set()
        self._exits_lately = Window(1.0)
        self._is_closing = False

    async def submit(self, intent: OrderIntent) -> Verdict:
        """From inside the engine, which asks for one thing per symbol at a time."""
        return await asyncio.shield(self._begun(intent, "engine", self._own))

    def take(self, intent: OrderIntent) -> "asyncio.Task[Verdict] | None":
        """From another program.  None: too many at once.  Whoever awaits the task must shield it: it is nobody's to cancel."""
        if intent.purpose is Purpose.EMERGENCY_EXIT:
            raise ValueError("an emergency exit comes from a stop, not from another program")
        if self._is_closing:
            return None
        if intent.reduce_only and self._exits_lately.count(self._clock.monotonic()) >= MOST_EXITS_PER_SECOND:
            return None
        room, most = (self._exits, MOST_EXITS_AT_ONCE) if intent.reduce_only else (self._entries, MOST_ENTRIES_AT_ONCE)
        if len(room) >= most:
            return None
        if intent.reduce_only:
            self._exits_lately.add(self._clock.monotonic())
        return self._begun(intent, "program", room)

    async def finish(self, within_seconds: float) -> None:
        """Take no more, and give what has begun a moment: what is open after it is in the journal, and asked about at the next start."""
        self._is_closing = True
        begun = self._own | self._entries | self._exits
        if begun:
            await asyncio.wait(begun, timeout=within_seconds)

    def became_of(self, intent_id: str) -> IntentRecord | None:
        return self._execution.became_of(intent_id)

    @property
    def in_progress(self) -> int:
        """Of other programs."""
        return len(self._entries) + len(self._exits)

    def _begun(self, intent: OrderIntent, origin: str, room: "set[asyncio.Task[Verdict]]") -> "asyncio.Task[Verdict]":
        task = asyncio.create_task(self._carry(intent, origin), name=f"intent {intent.id}")
        room.add(task)
        task.add_done_callback(room.discard)
        task.add_done_callback(_say_what_nobody_awaits)
        metrics.INTENTS_IN_PROGRESS.labels(origin).inc()
        task.add_done_callback(lambda _: metrics.INTENTS_IN_PROGRESS.labels(origin).dec())
        return task

    async def _carry(self, intent: OrderIntent, origin: str) -> Verdict:
        began = self._clock.monotonic()
        verdict = await self._execution.submit(intent)
        metrics.INTENTS.labels(origin, _word(verdict)).inc()
        metrics.INTENT_SECONDS.labels(origin).observe(self._clock.monotonic() - began)
        return verdict


def _word(verdict: Verdict) -> str:
    match verdict:
        case Refused():
            return "refused"
        case Declined():
            return "declined"
        case Accepted(certain=certain):
            return "accepted" if certain else "unknown"


def _say_what_nobody_awaits(task: "asyncio.Task[Verdict]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("intent_failed", task=task.get_name(), error=repr(error), exc_info=error)
