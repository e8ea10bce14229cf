"""What an engine tells about stops: the words that name its events.  Pure.

The same word names the log line; docs/reference/events.md is generated from here.  Every event bears the class ``risk``, is written in the
transaction of what it tells, and travels in the envelope of quantum_api.bus_envelope.
"""

from enum import StrEnum


class StopEvent(StrEnum):
    """Kinds.  Times are Unix milliseconds, money is a decimal string in USDT."""

    BREAKER_TRIGGERED = "risk.circuit_breaker.triggered"
    """An evaluator found a limit breached and pulled the stop.  Payload: latch, trigger, action, trippedAtMs, measured, limit, reason, and
    every number that was compared."""
    TRIPPED = "emergency.tripped"
    """A latch is in force, or grew.  Payload: latch, trigger, action, trippedAtMs, origin, by, symbols, reason, measured, limit."""
    FLAT = "emergency.flat"
    """The exchange shows no position within the latch's scope.  Payload: latch, trigger, action, trippedAtMs, positionsFlatAtMs."""
    RELEASED = "emergency.released"
    """People released the latch.  Payload: latch, trigger, action, trippedAtMs."""
