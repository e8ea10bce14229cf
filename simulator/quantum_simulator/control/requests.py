"""Bodies of the control API, and what they mean.  Pure.

In    JSON in camelCase
Out   checked values; a wrong field, type or range is refused with a sentence (HTTP 400)
Flow  control.server -> HERE
Why   ``GET /control`` prints these as a JSON schema, so the documentation cannot drift from the code
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from quantum_simulator.faults import Fault, FaultKind

Symbol = Annotated[str, Meta(description="a symbol, or 'all'")]
DecimalText = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="a decimal number as a string")]
PositiveText = Annotated[str, Meta(pattern=r"^(?=.*[1-9])[0-9]+(\.[0-9]+)?$", description="a decimal number above 0 as a string")]
Positive = Annotated[int, Meta(ge=1)]


class Strict(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    pass


class ShockOrder(Strict):
    """The index moves by ``bps`` over ``seconds``; with ``recoverSeconds`` it comes back over that time afterwards."""

    bps: Annotated[int, Meta(gt=-10_000, le=100_000)]
    symbol: Symbol = "all"
    seconds: Annotated[float, Meta(gt=0, le=86_400)] = 5.0
    recover_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 0.0


class DriftOrder(Strict):
    """A trend added to the walk until it is changed; 0 ends it."""

    bps_per_minute: Annotated[float, Meta(ge=-5_000, le=5_000)]
    symbol: Symbol = "all"


class PriceOrder(Strict):
    """Jump to ``price`` (or stay, when absent); ``hold`` stops walk and drift until the next order."""

    symbol: Symbol
    price: DecimalText | None = None
    hold: bool = True


class DepthOrder(Strict):
    """Scale the synthetic book: 1 is calm, 0 is empty; ``gapBps`` moves its first levels away from the index, as in a crash."""

    scale: Annotated[float, Meta(ge=0, le=1_000)]
    gap_bps: Annotated[float, Meta(ge=0, le=9_000)] = 0.0
    symbol: Symbol = "all"


class MarkOrder(Strict):
    """The mark price stands so far above (below) the index, around which the book stands, until it is changed; 0 ends it."""

    bps: Annotated[float, Meta(ge=-9_000, le=10_000)]
    symbol: Symbol = "all"


class FundingOrder(Strict):
    """The rate that longs pay shorts (negative: the reverse) at every funding time from now on."""

    rate: DecimalText
    symbol: Symbol = "all"


class DepositOrder(Strict):
    """A transfer into the account, or out of it when negative."""

    account: str
    amount_usdt: DecimalText


class AdlOrder(Strict):
    """Auto-deleverage a position: whole, or ``quantity`` of it; at ``price``, or at mark."""

    account: str
    symbol: str
    position_side: Literal["BOTH", "LONG", "SHORT"] = "BOTH"
    quantity: PositiveText | None = None
    price: PositiveText | None = None


class StepOrder(Strict):
    """Let a hand-stepped venue live through ``ms`` milliseconds, tick by tick."""

    ms: Annotated[int, Meta(ge=1, le=86_400_000)]


class FaultOrder(Strict):
    """One fault. Without ``count`` and ``forMs`` it lasts until ``DELETE /control/faults``."""

    kind: FaultKind
    account: str = ""
    path: str = ""
    method: str = ""
    event: Annotated[str, Meta(description="stream faults: only events of this type, as ORDER_TRADE_UPDATE")] = ""
    count: Positive | None = None
    for_ms: Positive | None = None
    delay_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    code: Annotated[int, Meta(lt=0)] = -1000
    message: str = "An unknown error occurred while processing the request."
    http_status: Annotated[int, Meta(ge=400, le=599)] = 400
    retry_after_seconds: Positive = 1
    exempt_reduce_only: bool = False

    def as_fault(self, now_ms: int) -> Fault:
        return Fault(
            kind=self.kind,
            account=self.account,
            path=self.path,
            method=self.method.upper(),
            event=self.event,
            left=self.count,
            until_ms=None if self.for_ms is None else now_ms + self.for_ms,
            delay_ms=self.delay_ms,
            code=self.code,
            message=self.message,
            http_status=self.http_status,
            retry_after_seconds=self.retry_after_seconds,
            exempt_reduce_only=self.exempt_reduce_only,
        )


ORDERS: tuple[type[Strict], ...] = (
    ShockOrder,
    DriftOrder,
    PriceOrder,
    DepthOrder,
    MarkOrder,
    FundingOrder,
    DepositOrder,
    AdlOrder,
    StepOrder,
    FaultOrder,
)
