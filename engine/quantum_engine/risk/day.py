"""What equity was when the UTC day began.  Pure.

In    DayState, readings with the exchange's own time, transfers, a release
Out   the next DayState
Flow  service -> HERE -> evaluators (daily_loss), record
Why   the loss of a day is measured from one number, which no reading moves within the day and no restart forgets

A day that begins while the engine is away begins with the last equity known before.  A clock that goes back opens no new day.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class DayState:
    """``number`` counts UTC days since 1970; None = nothing was read yet."""

    number: int | None = None
    start_usdt: Decimal | None = None
    last_usdt: Decimal | None = None
    """The newest equity that was known."""


def read(state: DayState, equity_usdt: Decimal, as_of_ms: int) -> DayState:
    """One reading.  What is no number is not read."""
    if not equity_usdt.is_finite():
        return state
    number = as_of_ms // DAY_MS
    if state.number is None or state.last_usdt is None:
        return DayState(number, equity_usdt, equity_usdt)
    if number > state.number:
        return DayState(number, state.last_usdt, equity_usdt)
    return replace(state, last_usdt=equity_usdt)


def transferred(state: DayState, amount_usdt: Decimal) -> DayState:
    """Money came in or went out: the loss in USDT stays what it was."""
    if state.start_usdt is None or state.last_usdt is None or not amount_usdt.is_finite():
        return state
    return replace(state, start_usdt=state.start_usdt + amount_usdt, last_usdt=state.last_usdt + amount_usdt)


def accepted(state: DayState) -> DayState:
    """People released a stop that this loss had tripped: from here the whole limit applies again."""
    return replace(state, start_usdt=state.last_usdt)


def remembered(state: DayState, other: DayState) -> DayState:
    """Another store knew this: of the same day the higher start counts, and of an earlier day its last equity is this day's start."""
    if other.number is None or other.start_usdt is None or other.last_usdt is None:
        return state
    if state.number is None or state.start_usdt is None:
        return other
    theirs_usdt = other.last_usdt if other.number < state.number else other.start_usdt
    return replace(state, start_usdt=max(state.start_usdt, theirs_usdt))
