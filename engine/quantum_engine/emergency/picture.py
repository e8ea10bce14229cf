"""What one look at the exchange showed, and what it did not.  Pure data.

In    answers, or failures, of three questions: regular orders, conditional orders, positions; of some symbols or of all
Out   what to work on, and what is proven
Flow  looking -> HERE -> plan, latches (through Sight)
Why   a service that does not answer hides nothing of what the others show: work goes on with half of the picture, proof does not
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from quantum_engine.domain import OrderView, PositionView


class Part(StrEnum):
    """One question to the exchange; its own service may fail alone."""

    REGULAR = "regular orders"
    ALGO = "conditional orders"
    POSITIONS = "positions"


ORDERS = (Part.REGULAR, Part.ALGO)


@dataclass(frozen=True, slots=True)
class Picture:
    """``scope`` None = every symbol was asked about (positions always are)."""

    orders: tuple[OrderView, ...] = ()
    positions: tuple[PositionView, ...] = ()
    scope: frozenset[str] | None = None
    unseen: Mapping[Part, str] = field(default_factory=dict)
    """What could not be asked, with the exchange's own sentence."""
    throttled_seconds: float = 0.0
    """Above 0 when the exchange asked for patience."""

    @property
    def hides_orders(self) -> bool:
        """Whether a service that keeps orders did not answer."""
        return any(part in self.unseen for part in ORDERS)

    @property
    def shows_all_orders(self) -> bool:
        return self.scope is None and not self.hides_orders

    @property
    def shows_all_positions(self) -> bool:
        return Part.POSITIONS not in self.unseen

    @property
    def is_blind(self) -> bool:
        return len(self.unseen) == len(Part)

    @property
    def problem(self) -> str:
        """One sentence a failure, the parts that share it together."""
        by_sentence: dict[str, list[str]] = {}
        for part, sentence in self.unseen.items():
            by_sentence.setdefault(sentence, []).append(part.value)
        return "; ".join(f"the exchange cannot be asked for {', '.join(parts)}: {said}" for said, parts in by_sentence.items())

    def completed(self, orders: Iterable[OrderView], positions: Iterable[PositionView]) -> "Picture":
        """What was not seen, as the engine's own books have it: to work on, not to prove by."""
        own = [order for order in orders if (Part.ALGO if order.is_algo else Part.REGULAR) in self.unseen]
        held = self.positions if self.shows_all_positions else tuple(positions)
        return replace(self, orders=(*self.orders, *own), positions=held)
