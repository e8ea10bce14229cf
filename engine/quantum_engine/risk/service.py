"""Feeds equity, outcomes and silence to the evaluators, and pulls the stop in the same call.

In    equity events, verdicts on intents, what the senses say, releases, limits
Out   restriction "drawdown", the emergency stop, the record in journal and mirror
Flow  positions, execution, market -> HERE -> permission, emergency; journal
Why   breach to closed gate is one synchronous call: nothing that awaits stands between them

A loss is stopped once: while a stop of the whole engine that another loss has tripped is in force and goes as far, a further loss limit
that breaks pulls no second stop, and the release accepts both.  Drawdown always has a stop of its own.
"""

import time
from collections.abc import Callable

from quantum_api.trading_policy import Limits
from quantum_api.triggers import Trigger
from quantum_engine import metrics
from quantum_engine.clock import Clock
from quantum_engine.domain import EquityEvent, EquityLost, EquityRead, OrderIntent, Transferred
from quantum_engine.journal import Journal
from quantum_engine.logs import logger
from quantum_engine.permission import Permission, Restriction
from quantum_engine.risk.breaker import (
    BreachRemembered,
    BreakerLimits,
    BreakerState,
    Effect,
    Event,
    KeepPeak,
    LimitsChanged,
    PeakRemembered,
    Released,
    Warn,
    step,
)
from quantum_engine.risk.drawdown import drawdown_bps
from quantum_engine.risk.evaluators import COVERED, LOSSES, Breach, breaches, daily_loss, loss_velocity
from quantum_engine.risk.keeping import RecordKeeper
from quantum_engine.risk.measures import Measures
from quantum_engine.risk.ports import PeakMirror, Sensing, Stops
from quantum_engine.risk.record import Record
from quantum_engine.risk.snapshot import BUILT_IN, RiskLimits, RiskSnapshot, Senses, risk_limits
from quantum_engine.risk.transfers import asked_to
from quantum_engine.verdicts import Verdict

_log = logger("risk")


class Risk:
    """Everything that may stop one account by itself."""

    def __init__(
        self, journal: Journal, permission: Permission, clock: Clock, limits: Callable[[], Limits | None], stops: Stops, mirror: PeakMirror
    ) -> None:
        self._permission, self._clock, self._policy_limits, self._stops = permission, clock, limits, stops
        self._copied: tuple[Limits | None, RiskLimits] = (None, BUILT_IN)
        self._keeper = RecordKeeper(journal, mirror, clock)
        self._sensing: Sensing = Senses
        self._read_at = clock.monotonic()
        self._judged_by: BreakerLimits | None = None
        self._listeners: list[Callable[[], None]] = []
        self.measures = Measures()
        self.state = BreakerState()
        self._restrict()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when a flag changed; it must not raise or wait."""
        self._listeners.append(listener)

    def sense_by(self, sensing: Sensing) -> None:
        """Where silence is heard; without an exchange nothing is silent."""
        self._sensing = sensing

    async def restore(self) -> None:
        """After the latches: a drawdown latch on disk is a breach."""
        found = await self._keeper.restore()
        self.state = BreakerState(peak_usdt=found.peak_usdt if found else None, breached=self._stops.is_latched(Trigger.DRAWDOWN))
        if found is not None:
            self.measures.day, self.measures.transfers = found.day, found.transfers
        self._restrict()

    def handle(self, event: EquityEvent) -> None:
        """One equity event.  A breach has closed the gate when this returns."""
        began = time.perf_counter()
        if isinstance(event, EquityRead):
            self._read_at = event.received_at
        if isinstance(event, Transferred) and not self.measures.is_news(event):
            return
        if self.measures.equity(event):
            self._keeper.soon()
        if self._apply(event):
            metrics.BREACH_TO_GATE_SECONDS.observe(time.perf_counter() - began)

    def on_outcome(self, intent: OrderIntent, verdict: Verdict) -> None:
        """What became of an order."""
        self.measures.outcome(intent, verdict, self._clock.monotonic())
        self.judge()

    @property
    def transfers_known_to_ms(self) -> int | None:
        """Implements positions.transfers.KnownTransfers."""
        return self.measures.transfers.known_to_ms

    def transfers_asked_to(self, known_to_ms: int) -> None:
        self.measures.transfers = asked_to(self.measures.transfers, known_to_ms)
        self._keeper.soon()

    def remember(self, row: bytes | None) -> None:
        """What the mirror knew: a drawdown latch is a breach, a peak counts only if the journal began anew since."""
        if self._stops.is_latched(Trigger.DRAWDOWN):
            self._apply(BreachRemembered())
        found = self._keeper.met_mirror(row)
        if found is not None:
            self.measures.remembered(found.day)
            if self.measures.transfers.known_to_ms is None:
                self.measures.transfers = found.transfers
            self._apply(LimitsChanged() if found.peak_usdt is None else PeakRemembered(found.peak_usdt))

    def released(self, trigger: str) -> None:
        """People released a stop of this trigger: what tripped it is accepted, and measured from here."""
        self.measures.released(trigger, self._clock.monotonic())
        if trigger in LOSSES:
            self._accept_losses(trigger)
        if trigger == Trigger.DRAWDOWN:
            self._apply(Released())
        else:
            self.judge()

    def limits_may_have_changed(self) -> None:
        """Judge the last reading by the limits in force now."""
        if self._breaker_limits() != self._judged_by:
            self._apply(LimitsChanged())
        else:
            self.judge()

    async def run(self) -> None:
        """Keep the record, and notice what makes no event of its own: equity that grows old, silence that lasts."""
        while True:
            self._notice_age()
            self.judge()
            await self._keeper.keep(Record(self.state.peak_usdt, self.measures.day, self.measures.transfers))
            await self._keeper.pause()

    def judge(self) -> bool:
        """Every evaluator over the world as it is now; whether a stop was pulled."""
        pulled = False
        for breach in breaches(self._snapshot()):
            if not self._has_stop(breach):
                measured, limit = f"{breach.measured} {breach.unit}", f"{breach.limit} {breach.unit}"
                self._stops.pull(breach.trigger, breach.reason, breach.action, measured, limit, breach.numbers)
                self._keeper.soon()
                pulled = True
        return pulled

    def _has_stop(self, breach: Breach) -> bool:
        """Of its own, or, for a loss, that of another loss which goes as far."""
        if self._stops.is_latched(breach.trigger):
            return True
        return breach.trigger in COVERED and self._stops.covers(LOSSES, breach.action)

    def _accept_losses(self, trigger: str) -> None:
        """The one that was released, and those that had no stop of their own only because of it."""
        seen = self._snapshot()
        if trigger == Trigger.DAILY_LOSS or self._lost_its_stop(daily_loss(seen)):
            self.measures.accept_day()
        if trigger == Trigger.LOSS_VELOCITY or self._lost_its_stop(loss_velocity(seen)):
            self.measures.accept_velocity()
        self._keeper.soon()

    def _lost_its_stop(self, breach: Breach | None) -> bool:
        return breach is not None and not self._has_stop(breach)

    def _apply(self, event: Event) -> bool:
        """Whether it pulled a stop."""
        before, self._judged_by = self.state, self._breaker_limits()
        outcome = step(before, event, self._judged_by)
        self.state = outcome.state
        self._restrict()
        pulled = self.judge()
        for effect in outcome.effects:
            self._carry_out(effect)
        self._show()
        if _flags(before) != _flags(self.state):
            for listener in self._listeners:
                listener()
        return pulled

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Warn(drawdown_bps=bps, limit_bps=limit):
                _log.warning("drawdown_warning", drawdown_bps=bps, limit_bps=limit)
            case KeepPeak():
                self._keeper.soon()

    def _snapshot(self) -> RiskSnapshot:
        return self.measures.snapshot(self.state, self._limits(), self._sensing(), self._clock.monotonic())

    def _limits(self) -> RiskLimits:
        """A document's limits are one object as long as it is held."""
        held = self._policy_limits()
        if held is not self._copied[0]:
            self._copied = (held, risk_limits(held))
        return self._copied[1]

    def _breaker_limits(self) -> BreakerLimits:
        limits = self._limits()
        return BreakerLimits(limits.warn_drawdown_bps, limits.max_drawdown_bps)

    def _notice_age(self) -> None:
        allowed_seconds = self._limits().max_balance_age_seconds
        age_seconds = self._clock.monotonic() - self._read_at
        if self.state.equity_usdt is not None and age_seconds > allowed_seconds:
            _log.warning("equity_stale", age_seconds=round(age_seconds, 1), allowed_seconds=allowed_seconds)
            self._apply(EquityLost(f"no reading for {age_seconds:.0f} s", self._clock.monotonic()))

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
        day = self.measures.day
        if day.start_usdt is not None and day.last_usdt is not None:
            metrics.DAILY_LOSS_BPS.set(drawdown_bps(day.start_usdt, day.last_usdt))


def _flags(state: BreakerState) -> tuple[bool, bool, bool]:
    return state.warning, state.breached, state.equity_usdt is None
