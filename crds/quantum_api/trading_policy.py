"""`TradingPolicy` (tp): the limits for the engines it selects.  Pure.

Several policies may select one engine; per field the tightest wins, in the direction that the field's ``Tightens`` mark names.
Flow  kubectl apply -> API server (schema and CEL generated from here) -> operator: resolve -> policy document

The limits of this file are what the evaluators hold (engine: risk/evaluators.py).  No default is reached before the default of
maxDrawdownBps: a policy that does not name them behaves as before they existed.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from quantum_api import citations as cite
from quantum_api.citations import audited
from quantum_api.conditions import Conditions
from quantum_api.model import ApiModel, Rule, Tightens
from quantum_api.order_limits import Instrument, OnLeaseExpiry, OrderLimits, StopAction
from quantum_api.selector import LabelSelector, Selector

__all__ = ["PLURAL", "FleetCount", "Instrument", "Limits", "OnLeaseExpiry", "StopAction", "TradingPolicySpec", "TradingPolicyStatus"]

PLURAL = "tradingpolicies"


class Limits(OrderLimits):
    """Every limit that an engine enforces; also the shape in which the policy document carries them."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        *OrderLimits.RULES,
        Rule(
            "self.dataSilenceDeadlineSeconds >= self.maxDataAgeSeconds",
            "dataSilenceDeadlineSeconds must not be below maxDataAgeSeconds: a stop would trip while orders may still be valued so",
            lambda limits: limits.data_silence_deadline_seconds >= limits.max_data_age_seconds,
            ".dataSilenceDeadlineSeconds",
        ),
    )

    max_daily_loss_bps: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description=audited(
                "Fall of equity since the UTC day began, deposits and withdrawals adjusted, at which the emergency stop trips.",
                unit="basis points of equity at 00:00 UTC, 100 = 1 %",
                source=f"{cite.RTS6_15_4}; house",
            ),
        ),
        Tightens.SMALLER,
    ] = 1_000
    on_daily_loss: Annotated[
        StopAction,
        Field(
            strict=False,
            description=audited("What the stop does that a daily loss trips.", unit="action", source=cite.RTS6_12),
        ),
        Tightens.STRONGER,
    ] = StopAction.FLATTEN
    max_loss_velocity_bps: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description=audited(
                "Fall of equity from its highest within lossVelocitySeconds at which the emergency stop trips.",
                unit="basis points of that highest equity",
                source=f"{cite.RTS6_12}; house",
            ),
        ),
        Tightens.SMALLER,
    ] = 1_000
    loss_velocity_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=3_600,
            description=audited("Window in which maxLossVelocityBps is measured; a longer one sees more loss.", unit="seconds"),
        ),
        Tightens.LARGER,
    ] = 60
    on_loss_velocity: Annotated[
        StopAction,
        Field(
            strict=False,
            description=audited("What the stop does that a loss velocity trips.", unit="action", source=cite.RTS6_12),
        ),
        Tightens.STRONGER,
    ] = StopAction.FLATTEN
    max_rejects_per_minute: Annotated[
        int,
        Field(
            ge=1,
            le=6_000,
            description=audited(
                "Orders that the exchange itself refused in any minute, above which the emergency stop trips; refusals by the engine's "
                "own gate and the stop's closing orders do not count.",
                unit="orders per minute",
                source=cite.RTS6_15_3,
            ),
        ),
        Tightens.SMALLER,
    ] = 30
    order_runaway_bps: Annotated[
        int,
        Field(
            ge=10_000,
            le=1_000_000,
            description=audited(
                "Orders that reached the exchange in any minute, exits of the strategy included, above which the engine counts as out of "
                "control and the emergency stop trips; never fewer than 60.",
                unit="basis points of maxIntentsPerMinute, 10000 = as many as that",
                source=f"{cite.RTS6_15_3}; house",
            ),
        ),
        Tightens.SMALLER,
    ] = 30_000
    on_order_fault: Annotated[
        StopAction,
        Field(
            strict=False,
            description=audited("What the stop does that a reject rate or an order runaway trips.", unit="action", source=cite.RTS6_12),
        ),
        Tightens.STRONGER,
    ] = StopAction.CANCEL_ORDERS
    data_silence_deadline_seconds: Annotated[
        int,
        Field(
            ge=10,
            le=3_600,
            description=audited(
                "Time without any market price while a position is held, after which the emergency stop trips; until then nothing "
                "may open.",
                unit="seconds",
                source=cite.SEC_15C3_5,
            ),
        ),
        Tightens.SMALLER,
    ] = 300
    stream_silence_deadline_seconds: Annotated[
        int,
        Field(
            ge=10,
            le=3_600,
            description=audited(
                "Time in which the exchange's user stream says nothing though requests show that positions changed, after which the "
                "emergency stop trips.",
                unit="seconds",
                source=cite.RTS6_15_4,
            ),
        ),
        Tightens.SMALLER,
    ] = 300
    reconciliation_deadline_seconds: Annotated[
        int,
        Field(
            ge=10,
            le=3_600,
            description=audited(
                "Time for which positions and orders cannot be compared with the exchange, after which the emergency stop trips; until "
                "then nothing may open.",
                unit="seconds",
                source=cite.RTS6_15_4,
            ),
        ),
        Tightens.SMALLER,
    ] = 300
    on_outage: Annotated[
        StopAction,
        Field(
            strict=False,
            description=audited(
                "What the stop does that silent data, a silent stream or a lasting reconciliation break trips: an outage alone is no loss.",
                unit="action",
                source=cite.RTS6_12,
            ),
        ),
        Tightens.STRONGER,
    ] = StopAction.HALT_ENTRIES


class TradingPolicySpec(Limits):
    """Desired limits."""

    selector: Selector = LabelSelector()
    suspend: Annotated[
        bool,
        Field(
            description="Take this policy out of force without deleting it (visible in GitOps). Counts as loosening. Unit: yes or no. "
            "Source: house."
        ),
    ] = False


class FleetCount(ApiModel):
    """How many engines the object selects, and how many of them enforce this generation."""

    selected: Annotated[int, Field(ge=0, description="Engine pods selected. Unit: engines.")] = 0
    acknowledged: Annotated[int, Field(ge=0, description="Engines that verified, stored and enforce this generation. Unit: engines.")] = 0
    summary: Annotated[str, Field(max_length=32, description="acknowledged/selected, for printing.")] = "0/0"
    waiting_for: Annotated[
        list[Annotated[str, Field(max_length=253)]],
        Field(
            max_length=10,
            description="The first ten engines that do not yet enforce it.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = []


class TradingPolicyStatus(ApiModel):
    """What the engines live through."""

    observed_generation: Annotated[int, Field(ge=0, description="metadata.generation this status was computed for.")] = 0
    last_handled_reconcile_at: Annotated[
        str, Field(max_length=64, description="Echo of the requestedAt annotation that was handled last.")
    ] = ""
    engines: Annotated[FleetCount, Field(description="The engines this policy selects.")] = FleetCount()
    conditions: Conditions = []
