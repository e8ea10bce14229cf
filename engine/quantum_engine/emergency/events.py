"""What is told of a latch.  Pure.

In    a Latch
Out   the payload of its events (quantum_api.events)
Flow  book -> HERE -> journal (Publish) -> bus
"""

from pydantic import JsonValue

from quantum_api.engine_status import Latch

Data = dict[str, JsonValue]


def of(latch: Latch) -> Data:
    """What every event of a latch says."""
    return {"latch": latch.id, "trigger": latch.trigger, "action": str(latch.action), "trippedAtMs": latch.tripped_at_ms}


def tripped(latch: Latch) -> Data:
    symbols: list[JsonValue] = list(latch.symbols)
    return of(latch) | {
        "origin": str(latch.origin), "by": latch.by, "symbols": symbols, "reason": latch.reason, "measured": latch.measured,
        "limit": latch.limit,
    }  # fmt: skip


def flat(latch: Latch) -> Data:
    return of(latch) | {"positionsFlatAtMs": latch.positions_flat_at_ms}
