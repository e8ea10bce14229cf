"""How much trading is permitted, as one ordered word.  Pure.

In    any number of gates, each from one reason (policy, stop, drawdown, lease, data age, reconciliation)
Out   the most restrictive of them
Flow  policy document, breaker, emergency stop, lease -> HERE -> the engine's gate chain
"""

from enum import StrEnum


class Gate(StrEnum):
    """Weakest restriction first; comparison is by permissiveness, never by spelling."""

    ACTIVE = "ACTIVE"
    """Entries and exits."""
    REDUCE_ONLY = "REDUCE_ONLY"
    """Only orders that shrink a position."""
    EXIT_ONLY = "EXIT_ONLY"
    """Only the engine's own closing orders."""
    HALTED = "HALTED"
    """Cancels only."""

    @property
    def restriction(self) -> int:
        """0 for ACTIVE up to 3 for HALTED."""
        return _RESTRICTION[self]


_RESTRICTION = {gate: rank for rank, gate in enumerate(Gate)}


def most_restrictive(*gates: Gate) -> Gate:
    """The strongest of ``gates``; no gate at all is no permission at all."""
    return max(gates, key=lambda gate: gate.restriction, default=Gate.HALTED)
