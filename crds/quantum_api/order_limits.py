"""The limits on orders, positions, drawdown, data age and lease: what the gate and the drawdown breaker hold.  Pure.

Flow  trading_policy (adds what the evaluators hold) -> HERE
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from quantum_api import citations as cite
from quantum_api.citations import audited
from quantum_api.model import ApiModel, Rule, Tightens

Instrument = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,20}USD[TC]$", max_length=24)]


class OnLeaseExpiry(StrEnum):
    """What the engine does by itself when its policy document runs out; later is stronger."""

    REDUCE_ONLY = "ReduceOnly"
    EXIT_ONLY = "ExitOnly"
    HALTED = "Halted"


class StopAction(StrEnum):
    """How far an emergency stop goes; later is stronger and includes the earlier."""

    HALT_ENTRIES = "HaltEntries"
    CANCEL_ORDERS = "CancelOrders"
    FLATTEN = "Flatten"

    @property
    def strength(self) -> int:
        return _STRENGTH[self]


_STRENGTH = {action: rank for rank, action in enumerate(StopAction)}


class OrderLimits(ApiModel):
    """Judged with each order and each equity reading."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.warnDrawdownBps < self.maxDrawdownBps",
            "warnDrawdownBps must be below maxDrawdownBps: a policy that halts before it warns never warns",
            lambda limits: limits.warn_drawdown_bps < limits.max_drawdown_bps,
            ".warnDrawdownBps",
        ),
        Rule(
            "self.maxOrderNotionalUsdt <= self.maxPositionNotionalUsdt",
            "maxOrderNotionalUsdt must not be above maxPositionNotionalUsdt: one order could pass the position limit",
            lambda limits: limits.max_order_notional_usdt <= limits.max_position_notional_usdt,
            ".maxOrderNotionalUsdt",
        ),
        Rule(
            "self.maxPositionNotionalUsdt <= self.maxGrossExposureUsdt",
            "maxPositionNotionalUsdt must not be above maxGrossExposureUsdt: one position could pass the exposure limit",
            lambda limits: limits.max_position_notional_usdt <= limits.max_gross_exposure_usdt,
            ".maxPositionNotionalUsdt",
        ),
    )

    instruments: Annotated[
        list[Instrument],
        Field(
            min_length=1,
            max_length=100,
            description=audited(
                "Symbols that may be opened; all others may only be closed.", unit="exchange symbol", source=cite.RTS6_15_5
            ),
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
        Tightens.SUBSET,
    ]
    max_order_notional_usdt: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000_000,
            description=audited("Largest value of one order, quantity × price.", unit="whole USDT", source=cite.RTS6_15_1B),
        ),
        Tightens.SMALLER,
    ]
    max_position_notional_usdt: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000_000,
            description=audited(
                "Largest absolute value of the position in one symbol, resting orders included.",
                unit="whole USDT",
                source=cite.RTS6_17_4,
            ),
        ),
        Tightens.SMALLER,
    ]
    max_gross_exposure_usdt: Annotated[
        int,
        Field(
            ge=1,
            le=10_000_000_000,
            description=audited(
                "Largest sum of absolute position values over all symbols, resting orders included.",
                unit="whole USDT",
                source=cite.RTS6_15_4,
            ),
        ),
        Tightens.SMALLER,
    ]
    max_leverage_bps: Annotated[
        int,
        Field(
            ge=100,
            le=1_250_000,
            description=audited(
                "Largest gross exposure as a share of equity.", unit="basis points of equity, 10000 = 1×", source=cite.RTS6_15_4
            ),
        ),
        Tightens.SMALLER,
    ] = 30_000
    max_drawdown_bps: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description=audited(
                "Fall of equity (wallet + unrealised) from its persisted peak at which the emergency stop trips.",
                unit="basis points of peak equity, 100 = 1 %",
                source=f"{cite.RTS6_12}; house",
            ),
        ),
        Tightens.SMALLER,
    ] = 1_000
    warn_drawdown_bps: Annotated[
        int,
        Field(
            ge=0,
            le=9_999,
            description=audited("Fall of equity from its peak at which a warning is raised.", unit="basis points of peak equity"),
        ),
        Tightens.SMALLER,
    ] = 500
    on_drawdown: Annotated[
        StopAction,
        Field(
            strict=False,
            description=audited(
                "What the stop does that a drawdown breach trips: HaltEntries < CancelOrders < Flatten.",
                unit="action",
                source=cite.RTS6_12,
            ),
        ),
        Tightens.STRONGER,
    ] = StopAction.FLATTEN
    stop_cooldown_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=86_400,
            description=audited("Shortest time from a trip to its release, whoever approves.", unit="seconds", source=cite.RTS6_15_3),
        ),
        Tightens.LARGER,
    ] = 300
    flatten_deadline_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=3_600,
            description=audited("Time within which a Flatten must be flat, else it is escalated and goes on.", unit="seconds"),
        ),
        Tightens.SMALLER,
    ] = 60
    price_collar_bps: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description=audited(
                "Largest distance of an order's price from the mark price; market orders are priced from the book.",
                unit="basis points of the mark price",
                source=cite.RTS6_15_1A,
            ),
        ),
        Tightens.SMALLER,
    ] = 500
    max_orders_per_second: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description=audited(
                "New orders in any second; cancels and closes are exempt.", unit="orders per second", source=cite.RTS6_15_1D
            ),
        ),
        Tightens.SMALLER,
    ] = 10
    max_intents_per_minute: Annotated[
        int,
        Field(
            ge=1,
            le=6_000,
            description=audited("Trade intents accepted in any minute.", unit="intents per minute", source=cite.RTS6_15_3),
        ),
        Tightens.SMALLER,
    ] = 10
    max_data_age_seconds: Annotated[
        int,
        Field(
            ge=1, le=300, description=audited("Oldest market price an order may be valued with.", unit="seconds", source=cite.SEC_15C3_5)
        ),
        Tightens.SMALLER,
    ] = 5
    max_balance_age_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=3_600,
            description=audited("Oldest account balance with which an entry may be judged.", unit="seconds", source=cite.RTS6_15_4),
        ),
        Tightens.SMALLER,
    ] = 300
    lease_seconds: Annotated[
        int,
        Field(
            ge=5,
            le=3_600,
            description=audited("How long an engine may trade on a policy document without hearing from the operator.", unit="seconds"),
        ),
        Tightens.SMALLER,
    ] = 60
    on_lease_expiry: Annotated[
        OnLeaseExpiry,
        Field(
            strict=False,
            description=audited("What the engine does when the lease runs out: ReduceOnly < ExitOnly < Halted.", unit="gate"),
        ),
        Tightens.STRONGER,
    ] = OnLeaseExpiry.REDUCE_ONLY
