"""How much trading is permitted right now, and why: the one place in memory that every order passes.  Pure, synchronous.

In    restrictions by source (policy, lease, stop, drawdown, data, reconciliation, journal)
Out   the most restrictive gate, whole-engine and per symbol, with its reasons
Flow  policy, risk, emergency, positions, journal -> HERE -> gate chain; control (status)
Why   tightening is a plain assignment, so nothing that awaits can stand between a breach and a closed gate

An engine starts HALTED: ``policy`` and ``reconciliation`` restrict until they say otherwise.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from quantum_api.gate import Gate, most_restrictive

_EVERYWHERE: Final = ""


@dataclass(frozen=True, slots=True)
class Restriction:
    """One reason.  ``symbols`` empty = the whole engine."""

    source: str
    gate: Gate
    detail: str
    symbols: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds for one symbol: the gate, and the reasons for it, strongest first."""

    gate: Gate
    restrictions: tuple[Restriction, ...]


class Permission:
    """Restrictions in force, one per source."""

    def __init__(self) -> None:
        self._restrictions: dict[str, Restriction] = {}
        self._listeners: list[Callable[[], None]] = []
        self.version = 0
        """Grows with each change: who remembers it knows whether what it found still holds."""
        self._in_force: dict[str, InForce] = {}
        """By symbol, worked out when first asked after a change.  Only symbols that a restriction names have a line of their own."""
        self._named: frozenset[str] = frozenset()
        self.restrict(Restriction("policy", Gate.HALTED, "no verified policy document"))
        self.restrict(Restriction("reconciliation", Gate.HALTED, "not yet compared with the exchange"))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each change; it must not raise or wait."""
        self._listeners.append(listener)

    def restrict(self, restriction: Restriction) -> None:
        """Set the restriction of its source, whether that tightens or loosens it."""
        if restriction.gate is Gate.ACTIVE:
            self.lift(restriction.source)
        elif self._restrictions.get(restriction.source) != restriction:
            self._restrictions[restriction.source] = restriction
            self._tell()

    def lift(self, source: str) -> None:
        """``source`` no longer restricts."""
        if self._restrictions.pop(source, None) is not None:
            self._tell()

    @property
    def gate(self) -> Gate:
        """Of the whole engine."""
        return self.in_force(_EVERYWHERE).gate

    def gate_for(self, symbol: str) -> Gate:
        """Of one symbol."""
        return self.in_force(symbol).gate

    @property
    def restrictions(self) -> tuple[Restriction, ...]:
        """Strongest first."""
        return _strongest_first(self._restrictions.values())

    def in_force(self, symbol: str) -> InForce:
        """What the gate chain asks for each order; the answer is kept until the next change."""
        if symbol not in self._named:
            symbol = _EVERYWHERE
        found = self._in_force.get(symbol)
        if found is None:
            reasons = _strongest_first(r for r in self._restrictions.values() if not r.symbols or symbol in r.symbols)
            found = self._in_force[symbol] = InForce(most_restrictive(Gate.ACTIVE, *(r.gate for r in reasons)), reasons)
        return found

    def _tell(self) -> None:
        self.version += 1
        self._in_force.clear()
        self._named = frozenset().union(*(r.symbols for r in self._restrictions.values()))
        for listener in self._listeners:
            listener()


def _strongest_first(restrictions: Iterable[Restriction]) -> tuple[Restriction, ...]:
    return tuple(sorted(restrictions, key=lambda r: (-r.gate.restriction, r.source)))
