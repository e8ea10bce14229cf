"""What can trip an emergency stop: the closed list of words.  Pure.

The same word stands in log, metric, status, event and in ``spec.origin.trigger`` of the object; docs/reference/triggers.md is generated
from here.
"""

from enum import StrEnum


class Trigger(StrEnum):
    """Why a stop was pulled."""

    DRAWDOWN = "Drawdown"
    """Equity fell from its peak by maxDrawdownBps.  Action: onDrawdown."""
    DAILY_LOSS = "DailyLoss"
    """Equity fell since 00:00 UTC by maxDailyLossBps.  Action: onDailyLoss."""
    LOSS_VELOCITY = "LossVelocity"
    """Equity fell by maxLossVelocityBps within lossVelocitySeconds.  Action: onLossVelocity."""
    ORDER_RUNAWAY = "OrderRunaway"
    """More orders reached the exchange within a minute than orderRunawayBps of maxIntentsPerMinute.  Action: onOrderFault."""
    REJECT_RATE = "RejectRate"
    """The exchange refused more than maxRejectsPerMinute orders.  Action: onOrderFault."""
    DATA_SILENCE = "DataSilence"
    """No market price for dataSilenceDeadlineSeconds while a position is held.  Action: onOutage."""
    STREAM_SILENCE = "StreamSilence"
    """The user stream has been deaf for streamSilenceDeadlineSeconds while requests show changes.  Action: onOutage."""
    RECONCILIATION_BREAK = "ReconciliationBreak"
    """The account could not be compared with the exchange for reconciliationDeadlineSeconds.  Action: onOutage."""
    MANUAL = "Manual"
    """A person: POST /v1/halt or the halt command in the pod.  Action: as asked."""
    OBJECT = "Object"
    """An EmergencyStop object.  Action: spec.action."""
