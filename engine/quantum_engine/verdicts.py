"""What becomes of an order intent, as values that stages share.  Pure.

``Refused`` is the engine's own "no", ``Declined`` the exchange's: in both nothing is live.  ``Accepted`` means that an order is, or may be,
live: with ``certain`` False the exchange has not yet said, and execution goes on asking.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quantum_api.refusals import Refusal
from quantum_engine.domain import OrderView


@dataclass(frozen=True, slots=True)
class Allowed:
    """The gate found no reason against the intent."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The first check of the gate that said no, with the numbers it compared."""

    refusal: Refusal
    numbers: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join((self.refusal.value, *(f"{name}={value}" for name, value in self.numbers.items())))


@dataclass(frozen=True, slots=True)
class Declined:
    """The exchange refused; ``code`` is its own, 0 when it could not be asked and surely nothing was done."""

    client_order_id: str
    code: int
    message: str
    retry_after_seconds: float = 0.0
    """Above 0 when the exchange asked for patience."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The exchange has the order (``certain``), or may have it."""

    client_order_id: str
    order: OrderView | None
    certain: bool = True


Verdict = Accepted | Refused | Declined
