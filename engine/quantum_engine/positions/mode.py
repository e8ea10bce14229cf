"""Whether the account is in hedge mode, asked rarely, and what that forbids.

In    the exchange's word; doubts (an order was refused for its position side)
Out   the mode; source "position-mode" restricts to EXIT_ONLY while the account is in hedge mode
Flow  service -> HERE -> book, permission
Why   the engine trades one-way: in hedge mode its reduce-only orders are refused, and a sale that was meant to shrink would open a short.
      Its emergency stop gets out of both sides all the same
"""

from typing import Final

from quantum_api.gate import Gate
from quantum_engine.clock import Clock
from quantum_engine.exchanges.port import Exchange
from quantum_engine.permission import Permission, Restriction

SOURCE: Final = "position-mode"
ASK_AGAIN_SECONDS: Final = 300.0
"""While the account is in hedge mode: somebody is expected to switch it back."""
HOW_TO_SWITCH: Final = (
    "the account is in hedge mode and this engine trades one-way: cancel its orders, close both sides of every symbol, then switch "
    "(POST /fapi/v1/positionSide/dual with dualSidePosition=false)"
)


class Mode:
    """The account's position mode."""

    def __init__(self, exchange: Exchange, permission: Permission, clock: Clock) -> None:
        self._exchange, self._permission, self._clock = exchange, permission, clock
        self._is_hedged: bool | None = None
        self._asked_at = float("-inf")

    def doubt(self) -> None:
        """Ask again before the next comparison counts."""
        self._asked_at = float("-inf")

    async def known(self) -> bool:
        """Whether it is hedge mode.  Raises what the exchange port raises when it has to be asked and cannot be."""
        if self._is_hedged is None or self._clock.monotonic() - self._asked_at >= self._good_for_seconds:
            self._is_hedged = await self._exchange.is_hedged()
            self._asked_at = self._clock.monotonic()
            if self._is_hedged:
                self._permission.restrict(Restriction(SOURCE, Gate.EXIT_ONLY, HOW_TO_SWITCH))
            else:
                self._permission.lift(SOURCE)
        return self._is_hedged

    @property
    def _good_for_seconds(self) -> float:
        return ASK_AGAIN_SECONDS if self._is_hedged else float("inf")
