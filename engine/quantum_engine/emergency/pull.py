"""Pulls a stop that no object asked for yet: an evaluator's, or a person's in the pod.

In    a trigger with its numbers
Out   a latch in the book, gate closed; its id is usable as the name of the EmergencyStop object that the operator makes of it
Flow  risk, control, halt file -> HERE -> book
"""

from collections.abc import Collection, Mapping

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_api.triggers import Trigger
from quantum_engine.clock import Clock, IdSource
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.latches import new_id


class StopPuller:
    """Implements risk.ports.Stops."""

    def __init__(self, pod_name: str, book: LatchBook, clock: Clock, ids: IdSource) -> None:
        self._pod_name = pod_name
        self._book = book
        self._clock = clock
        self._ids = ids

    def is_latched(self, trigger: str) -> bool:
        return any(latch.trigger == trigger for latch in self._book.latches)

    def covers(self, triggers: Collection[str], action: StopAction) -> bool:
        """Whether a stop of the whole engine, by one of ``triggers`` and at least as strong, is latched."""
        return any(
            latch.trigger in triggers and not latch.symbols and latch.action.strength >= action.strength for latch in self._book.latches
        )

    def pull(self, trigger: str, reason: str, action: StopAction, measured: str, limit: str, numbers: Mapping[str, str | int]) -> None:
        self._book.shut(trigger, action)
        now_ms = self._clock.wall_ms()
        self._book.trip(
            Latch(
                id=new_id(self._pod_name, now_ms, self._ids()),
                action=action,
                origin=LatchOrigin.ENGINE,
                trigger=trigger,
                reason=reason,
                measured=measured,
                limit=limit,
                tripped_at_ms=now_ms,
            ),
            cause={"measured": measured, "limit": limit, "reason": reason, **numbers},
        )

    def pull_by_hand(self, reason: str, action: StopAction, latch_id: str | None = None, by: str = "") -> Latch:
        """``latch_id`` when the request already bears one: the same request twice is one stop.  ``by``: who asked, as they say."""
        now_ms = self._clock.wall_ms()
        return self._book.trip(
            Latch(
                id=latch_id or new_id(self._pod_name, now_ms, self._ids()),
                action=action,
                origin=LatchOrigin.MANUAL,
                trigger=Trigger.MANUAL,
                reason=reason,
                by=by,
                tripped_at_ms=now_ms,
            )
        )
