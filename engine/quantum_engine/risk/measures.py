"""Everything that is measured between two looks of the evaluators, in one place.  Pure; the time is handed in.

In    equity events, verdicts on intents, releases
Out   a RiskSnapshot
Flow  service -> HERE -> evaluators
"""

from dataclasses import dataclass, field

from quantum_api.triggers import Trigger
from quantum_engine.domain import EquityEvent, EquityRead, OrderIntent, Transferred
from quantum_engine.risk import day as days
from quantum_engine.risk.breaker import BreakerState
from quantum_engine.risk.snapshot import RiskLimits, RiskSnapshot, Senses
from quantum_engine.risk.tally import Tally
from quantum_engine.risk.transfers import TransferLog, taken
from quantum_engine.risk.velocity import EquityWindow
from quantum_engine.verdicts import Verdict


@dataclass(slots=True)
class Measures:
    """Mutable accumulator; no clock, no I/O."""

    day: days.DayState = field(default_factory=days.DayState)
    transfers: TransferLog = field(default_factory=TransferLog)
    _window: EquityWindow = field(default_factory=EquityWindow)
    _tally: Tally = field(default_factory=Tally)
    _released_at: dict[str, float] = field(default_factory=dict)

    def is_news(self, transfer: Transferred) -> bool:
        """Whether it is not in the numbers yet; the caller puts it there."""
        self.transfers, is_news = taken(self.transfers, transfer)
        return is_news

    def equity(self, event: EquityEvent) -> bool:
        """Whether the day's start moved, so that it must be written down."""
        before = (self.day.number, self.day.start_usdt)
        match event:
            case EquityRead(equity_usdt=equity_usdt, as_of_ms=as_of_ms, received_at=received_at):
                self.day = days.read(self.day, equity_usdt, as_of_ms)
                self._window.read(equity_usdt, received_at)
            case Transferred(amount_usdt=amount_usdt):
                self.day = days.transferred(self.day, amount_usdt)
                self._window.transferred(amount_usdt)
        return before != (self.day.number, self.day.start_usdt)

    def outcome(self, intent: OrderIntent, verdict: Verdict, now: float) -> None:
        self._tally.saw(intent, verdict, now)

    def remembered(self, other: days.DayState) -> None:
        self.day = days.remembered(self.day, other)

    def released(self, trigger: str, now: float) -> None:
        """An outage that lasts has its whole deadline once more; counts begin anew."""
        self._released_at[trigger] = now
        if trigger in (Trigger.ORDER_RUNAWAY, Trigger.REJECT_RATE):
            self._tally.clear()

    def accept_day(self) -> None:
        self.day = days.accepted(self.day)

    def accept_velocity(self) -> None:
        self._window.clear()

    def snapshot(self, state: BreakerState, limits: RiskLimits, senses: Senses, now: float) -> RiskSnapshot:
        return RiskSnapshot(
            limits=limits,
            equity_usdt=state.equity_usdt,
            peak_usdt=state.peak_usdt,
            drawdown_bps=state.drawdown_bps,
            is_drawdown_breached=state.breached,
            day_start_usdt=self.day.start_usdt,
            day_last_usdt=self.day.last_usdt,
            highest_usdt=self._window.highest(now, limits.loss_velocity_seconds),
            rejects_last_minute=self._tally.rejects(now),
            orders_last_minute=self._tally.orders(now),
            senses=self._since_releases(senses, now) if self._released_at else senses,
        )

    def _since_releases(self, senses: Senses, now: float) -> Senses:
        def since(trigger: Trigger, seconds: float) -> float:
            return min(seconds, now - self._released_at.get(trigger, float("-inf")))

        return Senses(
            senses.holds_position,
            since(Trigger.DATA_SILENCE, senses.data_silent_seconds),
            since(Trigger.STREAM_SILENCE, senses.stream_deaf_seconds),
            since(Trigger.RECONCILIATION_BREAK, senses.unreconciled_seconds),
        )
