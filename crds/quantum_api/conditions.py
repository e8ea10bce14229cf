"""metav1.Condition, and the condition types and reasons that the three kinds use.  Pure."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from quantum_api.model import ApiModel

Status = Literal["True", "False", "Unknown"]


class Condition(ApiModel):
    """One observed fact about an object, as metav1.Condition."""

    type: Annotated[str, Field(max_length=316, description="Condition type, CamelCase.")]
    status: Annotated[Status, Field(description="True, False or Unknown.")]
    observed_generation: Annotated[int, Field(ge=0, description="metadata.generation this condition was computed for.")] = 0
    last_transition_time: Annotated[
        str, Field(max_length=40, description="When status last flipped, RFC 3339.", json_schema_extra={"format": "date-time"})
    ]
    reason: Annotated[str, Field(min_length=1, max_length=1024, description="Machine-readable CamelCase word for the status.")]
    message: Annotated[str, Field(max_length=32768, description="Sentence for people.")] = ""


class ConditionType(StrEnum):
    """Every condition type, on whichever kind it stands."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    SUSPENDED = "Suspended"
    ENGINES_ACKNOWLEDGED = "EnginesAcknowledged"
    EMERGENCY_STOP_ACTIVE = "EmergencyStopActive"
    DRAWDOWN_BREACHED = "DrawdownBreached"
    GATE_CLOSED = "GateClosed"
    ORDERS_CANCELLED = "OrdersCancelled"
    POSITIONS_FLAT = "PositionsFlat"
    RELEASED = "Released"


class Reason(StrEnum):
    """Every condition reason."""

    SUCCEEDED = "Succeeded"
    PROGRESSING = "Progressing"
    INVALID_SPEC = "InvalidSpec"
    SUSPENDED = "Suspended"
    NOT_SUSPENDED = "NotSuspended"
    NO_ENGINES_SELECTED = "NoEnginesSelected"
    ALL_ENGINES_ENFORCE = "AllEnginesEnforce"
    WAITING_FOR_ENGINES = "WaitingForEngines"
    ENGINE_UNREACHABLE = "EngineUnreachable"
    ENGINE_REFUSED = "EngineRefused"
    LEASE_EXPIRED = "LeaseExpired"
    STOP_IN_FORCE = "StopInForce"
    NO_STOP = "NoStop"
    ABOVE_LIMIT = "AboveLimit"
    WITHIN_LIMIT = "WithinLimit"
    EQUITY_UNKNOWN = "EquityUnknown"
    NOT_ASKED_FOR = "NotAskedFor"
    ENGAGING = "Engaging"
    ENGAGED = "Engaged"
    OVERDUE = "Overdue"
    """Past flattenDeadlineSeconds, and an engine is still at it."""
    AWAITING_APPROVALS = "AwaitingApprovals"
    AWAITING_COOLDOWN = "AwaitingCooldown"
    RELEASED = "Released"


LISTED_BY_TYPE: Final = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
Conditions = Annotated[list[Condition], Field(max_length=16, description="Observed facts, one per type.", json_schema_extra=LISTED_BY_TYPE)]
