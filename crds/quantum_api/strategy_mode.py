"""`StrategyMode` (smode): how boldly the strategy trades.  Pure.

Several modes may select one engine; the most defensive wins.  No mode means no new signals.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from quantum_api.citations import audited
from quantum_api.conditions import Conditions
from quantum_api.model import ApiModel, Rule, Tightens
from quantum_api.selector import LabelSelector, Selector
from quantum_api.trading_policy import FleetCount

PLURAL = "strategymodes"


class Mode(StrEnum):
    """Boldest first; later is more defensive."""

    AGGRESSIVE = "aggressive"
    MODERATE = "moderate"
    CONSERVATIVE = "conservative"
    DEFENSIVE = "defensive"

    @property
    def defensiveness(self) -> int:
        return _DEFENSIVENESS[self]


_DEFENSIVENESS = {mode: rank for rank, mode in enumerate(Mode)}


class StrategyParameters(ApiModel):
    """Parameters of the signal and of position size.  What is left out comes from the mode."""

    RULES: ClassVar = (
        Rule(
            "!has(self.fastBars) || !has(self.slowBars) || self.fastBars < self.slowBars",
            "fastBars must be below slowBars: the fast average is the shorter one",
            lambda p: p.fast_bars is None or p.slow_bars is None or p.fast_bars < p.slow_bars,
            ".fastBars",
        ),
    )
    bar_seconds: Annotated[int | None, Field(ge=1, le=86_400, description=audited("Length of one bar.", unit="seconds"))] = None
    fast_bars: Annotated[int | None, Field(ge=2, le=500, description=audited("Length of the fast moving average.", unit="bars"))] = None
    slow_bars: Annotated[int | None, Field(ge=3, le=1_000, description=audited("Length of the slow moving average.", unit="bars"))] = None
    atr_bars: Annotated[int | None, Field(ge=2, le=500, description=audited("Length of the average true range.", unit="bars"))] = None
    risk_per_trade_bps: Annotated[
        int | None,
        Field(ge=1, le=1_000, description=audited("Equity put at risk by one ATR of adverse move.", unit="basis points of equity")),
        Tightens.SMALLER,
    ] = None
    max_leverage_bps: Annotated[
        int | None,
        Field(
            ge=100,
            le=1_250_000,
            description=audited("Largest gross exposure the strategy seeks.", unit="basis points of equity, 10000 = 1×"),
        ),
        Tightens.SMALLER,
    ] = None
    cooldown_seconds: Annotated[
        int | None,
        Field(ge=0, le=86_400, description=audited("Shortest time between two entries in one symbol.", unit="seconds")),
        Tightens.LARGER,
    ] = None


class Strategy(ApiModel):
    """A mode with every parameter settled: what the policy document carries."""

    mode: Annotated[Mode, Field(strict=False)]
    bar_seconds: int
    fast_bars: int
    slow_bars: int
    atr_bars: int
    risk_per_trade_bps: int
    max_leverage_bps: int
    cooldown_seconds: int


MODE_DEFAULTS: Final = {
    Mode.AGGRESSIVE: Strategy(
        mode=Mode.AGGRESSIVE, bar_seconds=60, fast_bars=5, slow_bars=13, atr_bars=14, risk_per_trade_bps=100,
        max_leverage_bps=30_000, cooldown_seconds=60,
    ),
    Mode.MODERATE: Strategy(
        mode=Mode.MODERATE, bar_seconds=60, fast_bars=9, slow_bars=21, atr_bars=14, risk_per_trade_bps=50,
        max_leverage_bps=20_000, cooldown_seconds=180,
    ),
    Mode.CONSERVATIVE: Strategy(
        mode=Mode.CONSERVATIVE, bar_seconds=60, fast_bars=12, slow_bars=26, atr_bars=14, risk_per_trade_bps=25,
        max_leverage_bps=10_000, cooldown_seconds=600,
    ),
    Mode.DEFENSIVE: Strategy(
        mode=Mode.DEFENSIVE, bar_seconds=60, fast_bars=20, slow_bars=50, atr_bars=14, risk_per_trade_bps=10,
        max_leverage_bps=5_000, cooldown_seconds=1_800,
    ),
}  # fmt: skip


def _settled(attribute: str, wire_name: str) -> str:
    """CEL: the parameter as written, else the mode's own."""
    own = ", ".join(f"'{mode}': {getattr(strategy, attribute)}" for mode, strategy in MODE_DEFAULTS.items())
    return f"(has(self.parameters.{wire_name}) ? self.parameters.{wire_name} : {{{own}}}[self.mode])"


def _fast_is_below_slow(spec: "StrategyModeSpec") -> bool:
    own, given = MODE_DEFAULTS[spec.mode], spec.parameters
    return (given.fast_bars or own.fast_bars) < (given.slow_bars or own.slow_bars)


class StrategyModeSpec(ApiModel):
    """Desired mode."""

    RULES: ClassVar = (
        Rule(
            f"{_settled('fast_bars', 'fastBars')} < {_settled('slow_bars', 'slowBars')}",
            "parameters.fastBars must be below slowBars, where what is left out comes from the mode",
            _fast_is_below_slow,
            ".parameters",
        ),
    )
    selector: Selector = LabelSelector()
    mode: Annotated[
        Mode,
        Field(
            strict=False,
            description=audited(
                "Parameter set: aggressive, moderate, conservative or defensive; the most defensive that selects an engine wins.",
                unit="mode",
            ),
        ),
    ]
    parameters: Annotated[StrategyParameters, Field(description=audited("Departures from the mode's own parameters.", unit="object"))] = (
        StrategyParameters()
    )
    suspend: Annotated[bool, Field(description="Take this mode out of force without deleting it. Unit: yes or no. Source: house.")] = False


class StrategyModeStatus(ApiModel):
    """Which engines run it."""

    observed_generation: Annotated[int, Field(ge=0, description="metadata.generation this status was computed for.")] = 0
    last_handled_reconcile_at: Annotated[
        str, Field(max_length=64, description="Echo of the requestedAt annotation that was handled last.")
    ] = ""
    engines: Annotated[FleetCount, Field(description="The engines this mode selects.")] = FleetCount()
    conditions: Conditions = []
