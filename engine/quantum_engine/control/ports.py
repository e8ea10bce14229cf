"""What the control stage needs of others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from quantum_api.engine_status import (
    Acknowledgement,
    DocumentRefused,
    Drawdown,
    EmergencyState,
    HeldPolicy,
    Latch,
    Position,
    RunningStrategy,
    StageCrash,
)
from quantum_api.trading_policy import StopAction


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the stages say at one moment; the gate itself comes from the permission."""

    policy: HeldPolicy | None
    last_refusal: DocumentRefused | None
    emergency: EmergencyState
    latches: tuple[Latch, ...]
    drawdown: Drawdown
    strategy: RunningStrategy | None
    positions: tuple[Position, ...]
    open_orders: int
    reconciled: bool
    dependencies: Mapping[str, str]
    crashes: tuple[StageCrash, ...]
    refusals: Mapping[str, int]


Snapshots = Callable[[], Snapshot]


class PolicyDesk(Protocol):
    """Takes a signed document; the answer is given only when it is enforced."""

    async def __call__(self, token: bytes) -> Acknowledgement | DocumentRefused: ...


class HaltDesk(Protocol):
    """Pulls a stop by hand; answers with the latch once it is on disk, or says that it is in memory only."""

    async def __call__(self, reason: str, action: StopAction, by: str) -> Latch: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a probe looked at."""

    name: str
    ok: bool
    detail: str
    needed: bool
    """Whether the probe fails when it is not ok."""


Probe = Callable[[], list[Finding]]
