"""What the evaluators may look at, frozen at one moment.  Pure.

In    the policy's limits, equity with what it is measured from, counts of orders, how long each sense has been silent
Out   RiskSnapshot
Flow  service gathers -> HERE -> evaluators
Why   a check that asks a live object could see two different worlds in one decision
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from quantum_api.trading_policy import Limits, StopAction

ORDERS_FLOOR_PER_MINUTE: Final = 60
"""An engine that may send one intent a minute still closes several positions at once without being out of control."""
_WHOLE_BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Those fields of the policy that the evaluators hold; names and units as there."""

    warn_drawdown_bps: int
    max_drawdown_bps: int
    on_drawdown: StopAction
    max_daily_loss_bps: int
    on_daily_loss: StopAction
    max_loss_velocity_bps: int
    loss_velocity_seconds: int
    on_loss_velocity: StopAction
    max_rejects_per_minute: int
    max_orders_per_minute: int
    on_order_fault: StopAction
    data_silence_deadline_seconds: int
    stream_silence_deadline_seconds: int
    reconciliation_deadline_seconds: int
    on_outage: StopAction
    max_balance_age_seconds: int


def risk_limits(limits: Limits | None) -> RiskLimits:
    """Without a policy the defaults hold, drawdown 10 %: an engine that was never told a limit still has one."""
    own = {name: getattr(limits, name) if limits else Limits.model_fields[name].default for name in _COPIED}
    intents = limits.max_intents_per_minute if limits else Limits.model_fields["max_intents_per_minute"].default
    runaway_bps = limits.order_runaway_bps if limits else Limits.model_fields["order_runaway_bps"].default
    orders = max(ORDERS_FLOOR_PER_MINUTE, intents * runaway_bps // _WHOLE_BPS)
    return RiskLimits(max_orders_per_minute=orders, **own)


_COPIED: Final = tuple(name for name in RiskLimits.__dataclass_fields__ if name != "max_orders_per_minute")
BUILT_IN: Final = risk_limits(None)


@dataclass(frozen=True, slots=True)
class Senses:
    """How well the engine sees; 0 seconds = well."""

    holds_position: bool = False
    data_silent_seconds: float = 0.0
    """Since the last market price of any followed symbol."""
    stream_deaf_seconds: float = 0.0
    """Since a request first showed a change that the user stream has not told."""
    unreconciled_seconds: float = 0.0
    """Since the comparison with the exchange, once made, was lost."""


@dataclass(frozen=True, slots=True)
class RiskSnapshot:
    """Money is Decimal USDT; None = not known."""

    limits: RiskLimits
    equity_usdt: Decimal | None = None
    peak_usdt: Decimal | None = None
    drawdown_bps: int | None = None
    is_drawdown_breached: bool = False
    """The breaker's own word, which latches: a recovery does not take it back."""
    day_start_usdt: Decimal | None = None
    day_last_usdt: Decimal | None = None
    highest_usdt: Decimal | None = None
    """Of the readings within ``loss_velocity_seconds``."""
    rejects_last_minute: int = 0
    orders_last_minute: int = 0
    senses: Senses = field(default_factory=Senses)
