"""Decides how much trading is permitted after each equity reading.  Pure.

In    BreakerState, one Event, BreakerLimits
Out   the next BreakerState, and the Effects a service must carry out
Flow  positions -> HERE -> gate (restriction "drawdown") and evaluators (drawdown)
Why   a breach latches: only a release reopens, whatever is read in between

Two things close, and they differ: a *breach* stays until people release it; *unknown* equity stays until equity is known again.
A release re-bases the peak to the equity of that moment (or to the next reading, if equity is unknown then): people have accepted the loss
so far, and from here the full limit applies again.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from quantum_api.gate import Gate
from quantum_engine.domain import EquityEvent, EquityLost, EquityRead, Transferred
from quantum_engine.risk.drawdown import drawdown_bps


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """Basis points of the peak."""

    warn_bps: int
    max_bps: int


@dataclass(frozen=True, slots=True)
class BreakerState:
    """``equity_usdt`` None = not known now."""

    peak_usdt: Decimal | None = None
    equity_usdt: Decimal | None = None
    as_of_ms: int | None = None
    warning: bool = False
    breached: bool = False

    @property
    def drawdown_bps(self) -> int | None:
        if self.peak_usdt is None or self.equity_usdt is None:
            return None
        return drawdown_bps(self.peak_usdt, self.equity_usdt)

    @property
    def gate(self) -> Gate:
        """What the breaker itself permits; how far a breach goes beyond that is the latch's action."""
        return Gate.REDUCE_ONLY if self.breached or self.equity_usdt is None else Gate.ACTIVE


@dataclass(frozen=True, slots=True)
class Released:
    """People released the drawdown stop."""


@dataclass(frozen=True, slots=True)
class LimitsChanged:
    """Judge the last reading again, by other limits."""


@dataclass(frozen=True, slots=True)
class PeakRemembered:
    """Another store knew this peak: the higher one counts."""

    peak_usdt: Decimal


@dataclass(frozen=True, slots=True)
class BreachRemembered:
    """A drawdown stop is latched that this process did not pull."""


Event = EquityEvent | Released | LimitsChanged | PeakRemembered | BreachRemembered


@dataclass(frozen=True, slots=True)
class Warn:
    """Tell people."""

    drawdown_bps: int
    limit_bps: int


@dataclass(frozen=True, slots=True)
class KeepPeak:
    """Write the peak now: it is the first one, or it moved for a reason other than a new high."""


Effect = Warn | KeepPeak


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from one event."""

    state: BreakerState
    effects: tuple[Effect, ...] = ()


def step(state: BreakerState, event: Event, limits: BreakerLimits) -> Step:
    """Apply one event.

    Total: every event is legal in every state, because a breaker that can raise is one that can be off.
    ``breached`` becomes False by a ``Released`` alone.
    """
    match event:
        case EquityRead(equity_usdt=equity_usdt, as_of_ms=as_of_ms) if equity_usdt.is_finite():
            judged = _judged(_seen(state, equity_usdt, as_of_ms), state, limits)
            return judged if state.peak_usdt is not None else Step(judged.state, (*judged.effects, KeepPeak()))
        case EquityRead() | EquityLost():
            return Step(replace(state, equity_usdt=None))
        case Transferred(amount_usdt=amount_usdt):
            return _moved(state, amount_usdt, limits)
        case PeakRemembered(peak_usdt=peak_usdt) if peak_usdt.is_finite():
            return _judged(replace(state, peak_usdt=_higher(state.peak_usdt, peak_usdt)), state, limits)
        case LimitsChanged() | PeakRemembered():
            return _judged(state, state, limits)
        case BreachRemembered():
            return Step(replace(state, breached=True))
        case Released():
            reopened = replace(state, breached=False, warning=False, peak_usdt=state.equity_usdt)
            return Step(reopened, (KeepPeak(),))


def _seen(state: BreakerState, equity_usdt: Decimal, as_of_ms: int) -> BreakerState:
    return replace(state, equity_usdt=equity_usdt, as_of_ms=as_of_ms, peak_usdt=_higher(state.peak_usdt, equity_usdt))


def _judged(after: BreakerState, before: BreakerState, limits: BreakerLimits) -> Step:
    bps = after.drawdown_bps
    if bps is None:
        return Step(after)
    breached, warning = after.breached or bps >= limits.max_bps, bps >= limits.warn_bps
    effects: tuple[Effect, ...] = ()
    if breached and not before.breached:
        effects = (KeepPeak(),)
    elif warning and not before.warning:
        effects = (Warn(bps, limits.warn_bps),)
    return Step(replace(after, breached=breached, warning=warning), effects)


def _moved(state: BreakerState, amount_usdt: Decimal, limits: BreakerLimits) -> Step:
    if state.peak_usdt is None or not amount_usdt.is_finite():
        return Step(state)
    moved = replace(state, peak_usdt=max(Decimal(0), state.peak_usdt + amount_usdt))
    equity = None if state.equity_usdt is None else state.equity_usdt + amount_usdt
    judged = _judged(replace(moved, equity_usdt=equity), state, limits)
    return Step(judged.state, (*judged.effects, KeepPeak()))


def _higher(peak_usdt: Decimal | None, other_usdt: Decimal) -> Decimal:
    return other_usdt if peak_usdt is None else max(peak_usdt, other_usdt)
