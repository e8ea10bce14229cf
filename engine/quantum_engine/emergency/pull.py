"""Pulls a stop that no object asked for yet: the breaker's, or a person's in the pod.

In    a trigger with its numbers
Out   a latch in the book, gate closed; its id is usable as the name of the EmergencyStop object that the operator makes of it
Flow  risk, control, halt file -> HERE -> book
"""

from quantum_api.engine_status import Latch, LatchOrigin
from quantum_api.trading_policy import StopAction
from quantum_engine.clock import Clock, IdSource
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.latches import new_id

MANUAL: str = "Manual"


class StopPuller:
    """Implements risk.ports.Stops."""

    def __init__(self, pod_name: str, book: LatchBook, clock: Clock, ids: IdSource) -> None:
        self._pod_name = pod_name
        self._book = book
        self._clock = clock
        self._ids = ids

    def is_latched(self, trigger: str) -> bool:
        return any(latch.trigger == trigger for latch in self._book.latches)

    def pull(self, trigger: str, reason: str, action: StopAction, measured: str, limit: str) -> None:
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
            )
        )

    def pull_by_hand(self, reason: str, action: StopAction, latch_id: str | None = None) -> Latch:
        """``latch_id`` when the request already bears one: the same request twice is one stop."""
        now_ms = self._clock.wall_ms()
        return self._book.trip(
            Latch(
                id=latch_id or new_id(self._pod_name, now_ms, self._ids()),
                action=action,
                origin=LatchOrigin.MANUAL,
                trigger=MANUAL,
                reason=reason,
                tripped_at_ms=now_ms,
            )
        )
