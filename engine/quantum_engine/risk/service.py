"""Feeds equity events to the breaker, pulls the stop in the same call, and keeps the peak.

In    equity events, releases, limits
Out   restriction "drawdown", the emergency stop, the peak in journal and mirror
Flow  positions -> HERE -> permission, emergency; journal
Why   breach to closed gate is one synchronous call

The peak reaches the disk at most a second after it rose, not with every tick: what a crash can forget is one second of *rise*, which makes
the limit stricter by nothing and looser by at most that rise.  When it matters (trip, transfer, release) it is written at once.
"""

import asyncio
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from quantum_api.trading_policy import Limits, StopAction
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.domain import EquityEvent, EquityLost, EquityRead
from quantum_engine.errors import CorruptStateError, JournalUnavailableError
from quantum_engine.journal import Journal, Put, Table
from quantum_engine.logs import logger
from quantum_engine.permission import Permission, Restriction
from quantum_engine.risk.breaker import (
    BUILT_IN,
    BreachRemembered,
    BreakerLimits,
    BreakerState,
    Effect,
    Event,
    KeepPeak,
    LimitsChanged,
    PeakRemembered,
    Released,
    Trip,
    Warn,
    step,
)
from quantum_engine.risk.ports import PeakMirror, Stops
from quantum_engine.waiting import happens

TRIGGER: Final = "Drawdown"
PEAK_KEY: Final = "equity"
BUILT_IN_BALANCE_AGE_SECONDS: Final = 300
_PEAK_SECONDS: Final = 1.0
_log = logger("risk")


class Risk:
    """The drawdown breaker of one account."""

    def __init__(
        self, journal: Journal, permission: Permission, clock: Clock, limits: Callable[[], Limits | None], stops: Stops, mirror: PeakMirror
    ) -> None:
        self._journal = journal
        self._permission = permission
        self._clock = clock
        self._limits = limits
        self._stops = stops
        self._mirror = mirror
        self._kept: Decimal | None = None
        self._begun_anew = True
        """No journal knew a peak, and the mirror has not been asked yet: whatever it knows still counts."""
        self._keep_now = asyncio.Event()
        self._read_at = clock.monotonic()
        self._judged_by: BreakerLimits = BUILT_IN
        self._listeners: list[Callable[[], None]] = []
        self.state = BreakerState()
        self._restrict()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when a flag changed; it must not raise or wait."""
        self._listeners.append(listener)

    async def restore(self) -> None:
        """After the latches: a drawdown latch on disk is a breach."""
        row = (await self._journal.load(Table.PEAK)).get(PEAK_KEY)
        self.state = BreakerState(peak_usdt=peak_of(row) if row else None, breached=self._stops.is_latched(TRIGGER))
        self._kept = self.state.peak_usdt
        self._begun_anew = row is None or begun_anew(row)
        if row is not None:
            self._mirror.keep_peak(row)
        self._restrict()

    def handle(self, event: EquityEvent) -> None:
        """One equity event.  A breach has closed the gate when this returns."""
        began = time.perf_counter()
        if isinstance(event, EquityRead):
            self._read_at = event.received_at
        if self._apply(event):
            metrics.BREACH_TO_GATE_SECONDS.observe(time.perf_counter() - began)

    def remember(self, row: bytes | None) -> None:
        """What the mirror knew: a drawdown latch is a breach, a peak counts only if the journal began anew since."""
        if self._stops.is_latched(TRIGGER):
            self._apply(BreachRemembered())
        if not self._begun_anew:
            return
        self._begun_anew, self._kept = False, None
        if row is not None:
            try:
                self._apply(PeakRemembered(peak_of(row)))
            except CorruptStateError as error:
                _log.error("mirrored_peak_unreadable", error=str(error))
        self._keep_now.set()

    def released(self) -> None:
        """People released the drawdown stop."""
        self._apply(Released())

    def limits_may_have_changed(self) -> None:
        """Judge the last reading by the limits in force now."""
        if self._breaker_limits() != self._judged_by:
            self._apply(LimitsChanged())

    async def run(self) -> None:
        """Keep the peak, and notice equity that grows old."""
        while True:
            self._notice_age()
            await self._keep_peak()
            await happens(self._keep_now, _PEAK_SECONDS)

    def _apply(self, event: Event) -> bool:
        """Whether it was a breach."""
        before, self._judged_by = self.state, self._breaker_limits()
        outcome = step(before, event, self._judged_by)
        self.state = outcome.state
        self._restrict()
        for effect in outcome.effects:
            self._carry_out(effect)
        self._show()
        if _flags(before) != _flags(self.state):
            for listener in self._listeners:
                listener()
        return self.state.breached and not before.breached

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Trip(drawdown_bps=bps, limit_bps=limit):
                if not self._stops.is_latched(TRIGGER):
                    reason = f"equity {self.state.equity_usdt} USDT is {bps} bps below its peak {self.state.peak_usdt} USDT"
                    self._stops.pull(TRIGGER, reason, self._action(), f"{bps} bps", f"{limit} bps")
            case Warn(drawdown_bps=bps, limit_bps=limit):
                _log.warning("drawdown_warning", drawdown_bps=bps, limit_bps=limit)
            case KeepPeak():
                self._keep_now.set()

    def _action(self) -> StopAction:
        limits = self._limits()
        return limits.on_drawdown if limits else StopAction.FLATTEN

    def _breaker_limits(self) -> BreakerLimits:
        limits = self._limits()
        return BreakerLimits(limits.warn_drawdown_bps, limits.max_drawdown_bps) if limits else BUILT_IN

    def _notice_age(self) -> None:
        limits = self._limits()
        allowed_seconds = limits.max_balance_age_seconds if limits else BUILT_IN_BALANCE_AGE_SECONDS
        age_seconds = self._clock.monotonic() - self._read_at
        if self.state.equity_usdt is not None and age_seconds > allowed_seconds:
            _log.warning("equity_stale", age_seconds=round(age_seconds, 1), allowed_seconds=allowed_seconds)
            self._apply(EquityLost(f"no reading for {age_seconds:.0f} s", self._clock.monotonic()))

    async def _keep_peak(self) -> None:
        self._keep_now.clear()
        peak_usdt = self.state.peak_usdt
        if peak_usdt is None or peak_usdt == self._kept:
            return
        was_anew = self._begun_anew
        row = json.dumps({"peakUsdt": str(peak_usdt), "asOfMs": self._clock.wall_ms(), "begunAnew": was_anew}).encode()
        try:
            await self._journal.commit(Put(Table.PEAK, PEAK_KEY, row))
        except JournalUnavailableError:
            return
        self._kept = peak_usdt if was_anew == self._begun_anew else None
        self._mirror.keep_peak(row)

    def _restrict(self) -> None:
        if self.state.breached:
            detail = "drawdown has breached its limit; a release reopens"
        else:
            detail = "equity is not known, which is not the same as no loss"
        self._permission.restrict(Restriction("drawdown", self.state.gate, detail))

    def _show(self) -> None:
        metrics.DRAWDOWN_BPS.set(self.state.drawdown_bps or 0)
        metrics.EQUITY_USDT.set(float(self.state.equity_usdt) if self.state.equity_usdt is not None else float("nan"))
        metrics.PEAK_USDT.set(float(self.state.peak_usdt or 0))


def peak_of(row: bytes) -> Decimal:
    """The peak in a stored row."""
    try:
        peak_usdt = Decimal(json.loads(row)["peakUsdt"])
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise CorruptStateError(f"the stored equity peak cannot be read: {error}") from error
    if not peak_usdt.is_finite():
        raise CorruptStateError(f"the stored equity peak is no number: {peak_usdt}")
    return peak_usdt


def begun_anew(row: bytes) -> bool:
    """Whether the readable row was written by an engine that had lost its journal and could not ask the mirror yet."""
    return json.loads(row).get("begunAnew") is True


def _flags(state: BreakerState) -> tuple[bool, bool, bool]:
    return state.warning, state.breached, state.equity_usdt is None
