"""Says which limits are breached.  Pure.

In    one RiskSnapshot
Out   every Breach, in the order of EVALUATORS: what was measured, against which limit, and how far the stop shall go
Flow  service -> HERE -> emergency stop
Why   each check is one sentence; the order is the order in which several causes of one event are named

Losses flatten by default.  Orders out of control are cancelled, and nothing more is opened.  An outage alone is no loss: the gate is at
REDUCE_ONLY from its first moment (sources data, stream, reconciliation, drawdown), and only one that lasts past its deadline trips,
HaltEntries by default.  A person's halt is no evaluator: it must work when this file does not (emergency/pull.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from quantum_api.trading_policy import StopAction
from quantum_api.triggers import Trigger
from quantum_engine.risk.drawdown import drawdown_bps
from quantum_engine.risk.snapshot import RiskSnapshot


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that does not hold."""

    trigger: Trigger
    measured: int
    limit: int
    unit: str
    action: StopAction
    reason: str
    numbers: Mapping[str, str | int] = field(default_factory=dict)
    """Everything that was compared, by name."""


Evaluator = Callable[[RiskSnapshot], Breach | None]


def drawdown(seen: RiskSnapshot) -> Breach | None:
    if not seen.is_drawdown_breached or seen.drawdown_bps is None:
        return None
    return Breach(
        Trigger.DRAWDOWN, seen.drawdown_bps, seen.limits.max_drawdown_bps, "bps", seen.limits.on_drawdown,
        f"equity {seen.equity_usdt} USDT is {seen.drawdown_bps} bps below its peak {seen.peak_usdt} USDT",
        {"equityUsdt": str(seen.equity_usdt), "peakUsdt": str(seen.peak_usdt), "warnBps": seen.limits.warn_drawdown_bps},
    )  # fmt: skip


def daily_loss(seen: RiskSnapshot) -> Breach | None:
    """By the last equity that was known: while it is unknown, a loss is not forgotten."""
    if seen.day_start_usdt is None or seen.day_last_usdt is None:
        return None
    lost_bps = drawdown_bps(seen.day_start_usdt, seen.day_last_usdt)
    if lost_bps < seen.limits.max_daily_loss_bps:
        return None
    return Breach(
        Trigger.DAILY_LOSS, lost_bps, seen.limits.max_daily_loss_bps, "bps", seen.limits.on_daily_loss,
        f"equity {seen.day_last_usdt} USDT is {lost_bps} bps below {seen.day_start_usdt} USDT at the start of the UTC day",
        {"equityUsdt": str(seen.day_last_usdt), "dayStartUsdt": str(seen.day_start_usdt)},
    )  # fmt: skip


def loss_velocity(seen: RiskSnapshot) -> Breach | None:
    if seen.highest_usdt is None or seen.equity_usdt is None:
        return None
    lost_bps, seconds = drawdown_bps(seen.highest_usdt, seen.equity_usdt), seen.limits.loss_velocity_seconds
    if lost_bps < seen.limits.max_loss_velocity_bps:
        return None
    return Breach(
        Trigger.LOSS_VELOCITY, lost_bps, seen.limits.max_loss_velocity_bps, f"bps in {seconds} s", seen.limits.on_loss_velocity,
        f"equity {seen.equity_usdt} USDT is {lost_bps} bps below {seen.highest_usdt} USDT of the last {seconds} s",
        {"equityUsdt": str(seen.equity_usdt), "highestUsdt": str(seen.highest_usdt), "windowSeconds": seconds},
    )  # fmt: skip


def order_runaway(seen: RiskSnapshot) -> Breach | None:
    """The gate allows far fewer: whatever sent these did not ask it, or it does not count."""
    count, limit = seen.orders_last_minute, seen.limits.max_orders_per_minute
    if count <= limit:
        return None
    reason = f"{count} orders reached the exchange within a minute"
    return Breach(Trigger.ORDER_RUNAWAY, count, limit, "orders/min", seen.limits.on_order_fault, reason)


def reject_rate(seen: RiskSnapshot) -> Breach | None:
    count, limit = seen.rejects_last_minute, seen.limits.max_rejects_per_minute
    if count <= limit:
        return None
    reason = f"the exchange refused {count} orders within a minute"
    return Breach(Trigger.REJECT_RATE, count, limit, "rejects/min", seen.limits.on_order_fault, reason)


def data_silence(seen: RiskSnapshot) -> Breach | None:
    """Flat, silence costs nothing; nothing can be opened in it either."""
    if not seen.senses.holds_position:
        return None
    what = "no market price has come while a position is held"
    return _outage(seen, Trigger.DATA_SILENCE, seen.senses.data_silent_seconds, seen.limits.data_silence_deadline_seconds, what)


def stream_silence(seen: RiskSnapshot) -> Breach | None:
    what = "the user stream does not tell what requests show"
    return _outage(seen, Trigger.STREAM_SILENCE, seen.senses.stream_deaf_seconds, seen.limits.stream_silence_deadline_seconds, what)


def reconciliation_break(seen: RiskSnapshot) -> Breach | None:
    what = "positions and orders cannot be compared with the exchange"
    deadline = seen.limits.reconciliation_deadline_seconds
    return _outage(seen, Trigger.RECONCILIATION_BREAK, seen.senses.unreconciled_seconds, deadline, what)


def _outage(seen: RiskSnapshot, trigger: Trigger, seconds: float, deadline_seconds: int, what: str) -> Breach | None:
    if seconds <= deadline_seconds:
        return None
    return Breach(trigger, int(seconds), deadline_seconds, "s", seen.limits.on_outage, f"{what}, for {seconds:.0f} s")


EVALUATORS: Final[tuple[Evaluator, ...]] = (
    drawdown,              # RTS 6 art. 12: kill functionality
    daily_loss,            # RTS 6 art. 15(4): credit limits
    loss_velocity,
    order_runaway,         # RTS 6 art. 15(3): repeated automated execution
    reject_rate,
    data_silence,          # SEC rule 15c3-5(c)(1)
    stream_silence,
    reconciliation_break,
)  # fmt: skip
LOSSES: Final = frozenset({Trigger.DRAWDOWN, Trigger.DAILY_LOSS, Trigger.LOSS_VELOCITY})
COVERED: Final = LOSSES - {Trigger.DRAWDOWN}
"""Those for which the stop of another loss may stand."""


def breaches(seen: RiskSnapshot) -> tuple[Breach, ...]:
    """All of them: which one is named first must not hide the others."""
    return tuple(breach for evaluate in EVALUATORS if (breach := evaluate(seen)) is not None)
