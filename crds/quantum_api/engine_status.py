"""What an engine answers: acknowledgement, refusal, status, latch.  Pure.

Flow  engine control stage -> HTTP (PUT /v1/policy, GET /v1/status?since=N&instance=I&wait=S) -> operator link -> conditions
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from quantum_api.gate import Gate
from quantum_api.model import ApiModel
from quantum_api.policy_document import Seen, Source
from quantum_api.refusals import DocumentRefusal
from quantum_api.strategy_mode import Mode
from quantum_api.trading_policy import StopAction

UnixMs = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""Until the end of year 9999: a time that no calendar can show must not reach one."""


class Acknowledgement(ApiModel):
    """Answer 200 of PUT /v1/policy: verified, on disk, gate switched.  Never before."""

    engine: str
    instance: str
    epoch: int
    digest: str
    gate: Annotated[Gate, Field(strict=False)]
    applied_at_ms: int
    status_version: int


class DocumentRefused(ApiModel):
    """Answer 409 (stale) or 422 of PUT /v1/policy.  The document held before stays in force."""

    reason: Annotated[DocumentRefusal, Field(strict=False)]
    message: str
    held_epoch: int | None = None
    held_digest: str | None = None


class EmergencyState(StrEnum):
    """Where the emergency stop stands."""

    ARMED = "ARMED"
    TRIPPED = "TRIPPED"
    COOLDOWN = "COOLDOWN"


class LatchOrigin(StrEnum):
    """Who pulled it."""

    OBJECT = "Object"
    """An EmergencyStop object, through a policy document."""
    ENGINE = "Engine"
    """One of the engine's own evaluators."""
    MANUAL = "Manual"
    """POST /v1/halt or the halt command in the pod."""


class Latch(ApiModel):
    """One stop in force on the engine, on disk, and how far its work is.  Times are Unix milliseconds."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    action: Annotated[StopAction, Field(strict=False)]
    symbols: list[str] = []
    origin: Annotated[LatchOrigin, Field(strict=False)]
    trigger: str
    """A word of quantum_api.triggers."""
    reason: str
    by: Annotated[str, Field(max_length=256)] = ""
    """Who pulled it by hand, as they say themselves: nobody checks it, unlike the approvals of a release."""
    measured: str = ""
    limit: str = ""
    tripped_at_ms: UnixMs
    gate_closed_at_ms: UnixMs | None = None
    """Gate closed in memory and the latch in the journal."""
    orders_cancelled_at_ms: UnixMs | None = None
    positions_flat_at_ms: UnixMs | None = None
    cooldown_until_ms: UnixMs | None = None
    """Set once the latch's work is proven done."""
    overdue: bool = False
    """Not done although flattenDeadlineSeconds have passed: it is tried harder, and a person should look."""
    message: str = ""
    """What it waits for, or the last error with what to check next."""


class HeldPolicy(ApiModel):
    """The document in force."""

    epoch: int
    seen: Seen
    digest: str
    key_id: str
    issued_at_ms: int
    expires_at_ms: int
    applied_at_ms: int
    lease_valid: bool
    sources: list[Source] = []
    released: list[str] = []


class GateReason(ApiModel):
    """One reason that holds the gate where it is."""

    source: str
    """policy, lease, stop, drawdown, data, stream, reconciliation, journal, start, DEGRADED:<stage>."""
    gate: Annotated[Gate, Field(strict=False)]
    detail: str


class Drawdown(ApiModel):
    """Equity against its persisted peak.  Money is a decimal string in USDT."""

    equity_usdt: str | None
    peak_usdt: str | None
    drawdown_bps: int | None
    warning: bool = False
    breached: bool = False
    as_of_ms: int | None = None


class Position(ApiModel):
    """One position as the exchange last said."""

    symbol: str
    quantity: str
    entry_price: str
    mark_price: str | None = None
    unrealised_usdt: str | None = None


class RunningStrategy(ApiModel):
    """What the strategy stage runs."""

    mode: Annotated[Mode, Field(strict=False)]
    applied_at_ms: int


class StageCrash(ApiModel):
    """One crash of a stage of the engine, and what followed."""

    stage: str
    at_ms: UnixMs
    error: str
    crashes: Annotated[int, Field(ge=1)]
    """Of this stage, without 300 s of calm between them."""
    delay_seconds: float | None = None
    """Until it was started again; None = given up, see the gate reason DEGRADED:<stage>."""


class EngineStatus(ApiModel):
    """Everything the operator needs to know, level-triggered: a lost message costs nothing."""

    engine: str
    instance: str
    """New for each start of the process; ``version`` counts within it."""
    version: int
    """Grows with each material change (not with each price)."""
    started_at_ms: int
    as_of_ms: int
    gate: Annotated[Gate, Field(strict=False)]
    gate_reasons: list[GateReason] = []
    policy: HeldPolicy | None = None
    last_refusal: DocumentRefused | None = None
    emergency: Annotated[EmergencyState, Field(strict=False)] = EmergencyState.ARMED
    latches: list[Latch] = []
    drawdown: Drawdown
    strategy: RunningStrategy | None = None
    positions: list[Position] = []
    open_orders: int = 0
    reconciled: bool = False
    dependencies: dict[str, str] = {}
    """Name -> up, down, or unknown with a word why."""
    crashes: list[StageCrash] = []
    """The newest ones, oldest first."""
    refusals: dict[str, int] = {}
    """Orders refused since start, by word."""
