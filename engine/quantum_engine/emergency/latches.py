"""What one latched stop means: its gate, how its work progresses, when it may be released.  Pure.

In    a Latch, what the exchange showed, wall time, the ids that people released
Out   the next Latch, its restriction, whether it may be cleared
Flow  book -> HERE -> permission, status
Why   phases and cooldown are judged in one place, so that engine, journal and status cannot disagree
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from quantum_api.engine_status import EmergencyState, Latch
from quantum_api.gate import Gate, most_restrictive
from quantum_api.trading_policy import StopAction
from quantum_engine.emergency.table import Happening, next_state
from quantum_engine.permission import Restriction

GATE_OF: Final = {
    StopAction.HALT_ENTRIES: Gate.REDUCE_ONLY,
    StopAction.CANCEL_ORDERS: Gate.EXIT_ONLY,
    StopAction.FLATTEN: Gate.EXIT_ONLY,
}
SOURCE: Final = "stop"
_MAX_ID: Final = 63


@dataclass(frozen=True, slots=True)
class Sight:
    """What the exchange showed within one latch's scope.  ``dust`` names positions too small for the exchange to close.

    None = none was seen, and not all could be: that proves neither "done" nor "undone".
    """

    open_orders: int | None
    open_positions: int | None
    dust: tuple[str, ...] = ()


def state_of(latch: Latch) -> EmergencyState:
    return EmergencyState.TRIPPED if latch.cooldown_until_ms is None else EmergencyState.COOLDOWN


def state_of_all(latches: Iterable[Latch]) -> EmergencyState:
    """TRIPPED while any work is unproven, COOLDOWN while any latch waits for its release."""
    states = {state_of(latch) for latch in latches}
    return next((s for s in (EmergencyState.TRIPPED, EmergencyState.COOLDOWN) if s in states), EmergencyState.ARMED)


def restrictions(latches: Iterable[Latch]) -> list[Restriction]:
    """One for the whole engine, one per symbol-scoped latch."""
    whole = [latch for latch in latches if not latch.symbols]
    scoped = [latch for latch in latches if latch.symbols]
    found = [Restriction(f"{SOURCE}:{x.id}", GATE_OF[x.action], f"{x.action}: {x.reason}", frozenset(x.symbols)) for x in scoped]
    if whole:
        gate = most_restrictive(*(GATE_OF[latch.action] for latch in whole))
        found.append(Restriction(SOURCE, gate, "; ".join(f"{latch.id} {latch.action}" for latch in whole)))
    return found


def strengthened(latch: Latch, action: StopAction, symbols: Iterable[str]) -> Latch:
    """A stop only grows, in strength and in scope; growing opens its work again, and what grew is not on disk yet."""
    stronger = max(latch.action, action, key=lambda each: each.strength)
    wider = _united(latch.symbols, list(symbols))
    if (stronger, wider) == (latch.action, latch.symbols):
        return latch
    phases = dict.fromkeys(("gate_closed_at_ms", "orders_cancelled_at_ms", "positions_flat_at_ms", "cooldown_until_ms"))
    return latch.model_copy(update={"action": stronger, "symbols": wider, "message": "", "overdue": False, **phases})


def overdue(latch: Latch, now_ms: int, deadline_seconds: int) -> bool:
    """Whether its work should have been done by now."""
    return latch.cooldown_until_ms is None and now_ms >= latch.tripped_at_ms + deadline_seconds * 1000


def waiting(latch: Latch, sight: Sight | None, problem: str, *, is_overdue: bool) -> Latch:
    """The latch with a message that says what it waits for and what to check next."""
    if latch.cooldown_until_ms is not None:
        return latch
    parts = ["overdue, escalated: close by hand at the exchange if this stays"] if is_overdue else []
    if sight is not None:
        shown = ((sight.open_orders, "open orders"), (sight.open_positions, "positions"))
        counted = [f"{count} {what}" for count, what in shown if count is not None]
        parts += [f"waits for {' and '.join(counted)}"] if counted else []
    if problem:
        parts.append(problem)
    return latch.model_copy(update={"message": "; ".join(parts)[:512], "overdue": is_overdue})


def progressed(latch: Latch, sight: Sight, now_ms: int, cooldown_seconds: int) -> Latch:
    """The latch after looking at the exchange once more."""
    cancels, flattens = latch.action.strength >= 1, latch.action.strength >= 2
    cancelled = _both(_is_none(sight.open_orders), cancels)
    flat = _both(_both(_is_none(sight.open_positions), flattens), cancelled)
    proven = flat if flattens else cancelled if cancels else True
    state = state_of(latch)
    if proven is not None:
        done = proven and latch.gate_closed_at_ms is not None
        state = next_state(state, Happening.WORK_DONE if done else Happening.WORK_UNDONE)
    return latch.model_copy(
        update={
            "orders_cancelled_at_ms": _since(latch.orders_cancelled_at_ms, cancelled, now_ms),
            "positions_flat_at_ms": _since(latch.positions_flat_at_ms, flat, now_ms),
            "cooldown_until_ms": _cooldown_until(latch, state, cooldown_seconds),
            "overdue": latch.overdue and state is EmergencyState.TRIPPED,
            "message": _message(state, sight, latch.message),
        }
    )


def releasable(latch: Latch, now_ms: int) -> bool:
    """Whether a release would clear it now."""
    return next_state(state_of(latch), Happening.RELEASE) is EmergencyState.ARMED and now_ms >= (latch.cooldown_until_ms or 0)


def new_id(pod_name: str, now_ms: int, suffix: str) -> str:
    """``<pod>-<utc compact time>-<suffix>``, usable as the name of a Kubernetes object."""
    tail = f"-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%d%H%M%S}-{suffix[:4]}".lower()
    return pod_name[: _MAX_ID - len(tail)].rstrip("-.") + tail


def _united(some: list[str], others: list[str]) -> list[str]:
    """None at all = every symbol."""
    if not some or not others:
        return []
    return some + sorted(set(others) - set(some))


def _is_none(seen: int | None) -> bool | None:
    return None if seen is None else seen == 0


def _both(one: bool | None, other: bool | None) -> bool | None:
    """False if either is; unknown if either is."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _since(before: int | None, now_true: bool | None, now_ms: int) -> int | None:
    """What cannot be told now is neither proven nor taken back."""
    if now_true is None:
        return before
    if not now_true:
        return None
    return now_ms if before is None else before


def _cooldown_until(latch: Latch, state: EmergencyState, cooldown_seconds: int) -> int | None:
    if state is not EmergencyState.COOLDOWN:
        return None
    return latch.cooldown_until_ms or latch.tripped_at_ms + cooldown_seconds * 1000


def _message(state: EmergencyState, sight: Sight, before: str) -> str:
    if state is EmergencyState.COOLDOWN:
        return f"left as dust, too small for the exchange to close: {', '.join(sight.dust)}" if sight.dust else ""
    return before
