"""What an engine tells: the words that name its events.  Pure.

docs/reference/events.md is generated from here.  Events travel in the envelope of quantum_api.bus_envelope; the word of a stop's event
names its log line too.  Prices, quantities and money are decimal strings.
"""

from enum import StrEnum


class StopEvent(StrEnum):
    """Kinds of class ``risk``, each in the transaction of what it tells.  Times are Unix milliseconds."""

    BREAKER_TRIGGERED = "risk.circuit_breaker.triggered"
    """An evaluator found a limit breached and pulled the stop.  Payload: latch, trigger, action, trippedAtMs, measured, limit, reason, and
    every number that was compared."""
    TRIPPED = "emergency.tripped"
    """A latch is in force, or grew.  Payload: latch, trigger, action, trippedAtMs, origin, by, symbols, reason, measured, limit."""
    FLAT = "emergency.flat"
    """The exchange shows no position within the latch's scope.  Payload: latch, trigger, action, trippedAtMs, positionsFlatAtMs."""
    RELEASED = "emergency.released"
    """People released the latch.  Payload: latch, trigger, action, trippedAtMs."""


class OrderEvent(StrEnum):
    """Kinds of class ``order``.  Each is written in the transaction of the intent's row.

    Payload of all: intent, clientOrderId, symbol, side, quantity, price, reduceOnly, purpose, state, note, code, refusal.  An exit whose
    journal hung may be told twice: same intent, same state.
    """

    INTENT = "order.intent"
    """The gate let it through; it is on disk and about to be sent."""
    ACCEPTED = "order.accepted"
    """The exchange has it."""
    REFUSED = "order.refused"
    """Surely not live: refused by the exchange, withdrawn by the gate before it left, or asked about and not there."""


class FillEvent(StrEnum):
    """Kinds of class ``fill``."""

    TRADE = "fill.trade"
    """One trade, by (symbol, tradeId).  Payload: symbol, tradeId, orderId, clientOrderId, side, quantity, price, commissionUsdt,
    realisedUsdt, timeMs.  May be told again after a restart of the engine."""


class ReadingEvent(StrEnum):
    """Kinds of class ``telemetry``: the first to be dropped, and counted, when too much waits."""

    GATE_REFUSED = "order.gate_refused"
    """The gate refused an intent: nothing was recorded or sent.  Payload: intent, symbol, side, quantity, purpose, refusal, numbers."""
    POSITION = "position.changed"
    """Payload: symbol, quantity (0 = flat), entryPrice."""
    STRATEGY = "strategy.mode_changed"
    """Payload: mode (null = none in force)."""
