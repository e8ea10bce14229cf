"""The three kinds as one table: everything that differs between them outside their fields.  Pure."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from quantum_api import emergency_stop, strategy_mode, trading_policy
from quantum_api.emergency_stop import EmergencyStopSpec, EmergencyStopStatus
from quantum_api.metadata import ObjectMeta
from quantum_api.model import ApiModel
from quantum_api.strategy_mode import StrategyModeSpec, StrategyModeStatus
from quantum_api.trading_policy import TradingPolicySpec, TradingPolicyStatus

SpecT = TypeVar("SpecT", bound=ApiModel)


@dataclass(frozen=True)
class Column:
    """One printer column of `kubectl get`."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


def _condition_column(name: str, condition: str) -> Column:
    return Column(name, f'.status.conditions[?(@.type=="{condition}")].status')


@dataclass(frozen=True)
class Kind:
    """One kind of object."""

    kind: str
    plural: str
    short: str
    spec: type[ApiModel]
    status: type[ApiModel]
    columns: tuple[Column, ...]
    summary: str

    @property
    def singular(self) -> str:
        return self.kind.lower()


AGE: Final = Column("Age", ".metadata.creationTimestamp", "date")

TRADING_POLICY: Final = Kind(
    "TradingPolicy", trading_policy.PLURAL, "tp", TradingPolicySpec, TradingPolicyStatus,
    (
        _condition_column("Ready", "Ready"), Column("Engines", ".status.engines.summary"),
        _condition_column("Stopped", "EmergencyStopActive"), _condition_column("Drawdown", "DrawdownBreached"),
        Column("Generation", ".metadata.generation", "integer"), AGE,
    ),
    "Limits for the engines it selects; where several select one engine, the tightest limit wins.",
)  # fmt: skip
STRATEGY_MODE: Final = Kind(
    "StrategyMode", strategy_mode.PLURAL, "smode", StrategyModeSpec, StrategyModeStatus,
    (Column("Mode", ".spec.mode"), _condition_column("Ready", "Ready"), Column("Engines", ".status.engines.summary"), AGE),
    "How boldly the engines it selects trade; where several select one engine, the most defensive wins.",
)  # fmt: skip
EMERGENCY_STOP: Final = Kind(
    "EmergencyStop", emergency_stop.PLURAL, "estop", EmergencyStopSpec, EmergencyStopStatus,
    (
        Column("Action", ".spec.action"), _condition_column("Gate-Closed", "GateClosed"), _condition_column("Flat", "PositionsFlat"),
        Column("Approvals", ".status.approvals"), _condition_column("Released", "Released"), AGE,
        Column("Reason", ".spec.reason", priority=1),
    ),
    "Stops the engines it selects at once; latched until enough different people approve its release.",
)  # fmt: skip
KINDS: Final = (TRADING_POLICY, STRATEGY_MODE, EMERGENCY_STOP)


@dataclass(frozen=True)
class Obj(Generic[SpecT]):
    """An object as read from the API server: metadata and a verified spec."""

    kind: Kind
    meta: ObjectMeta
    spec: SpecT

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.kind.kind, self.meta.namespace, self.meta.name)
