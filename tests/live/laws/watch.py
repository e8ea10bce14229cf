"""Watches the stops: that none clears by itself, that the gate is as tight as they ask, that their work gets done.

In    the engine's status and disk between two steps; what was acknowledged and what people released
Out   sentences for the evidence
Flow  world -> HERE -> evidence
"""

from collections.abc import Iterable
from pathlib import Path

from tests.live.laws.engine_life import Life, on_disk
from tests.live.laws.evidence import Evidence

from quantum_api.engine_status import Latch
from quantum_api.gate import Gate
from quantum_api.trading_policy import StopAction
from quantum_engine.journal import Table
from quantum_simulator.venue import Venue


def gate_of(action: StopAction) -> Gate:
    """What a stop promises of the gate; written out here, not asked of the engine."""
    return Gate.REDUCE_ONLY if action is StopAction.HALT_ENTRIES else Gate.EXIT_ONLY


class LatchWatch:
    """By latch id."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._held: set[str] = set()
        self._may_clear: set[str] = set()

    def must_hold(self, latch_id: str) -> None:
        self._held.add(latch_id)

    def may_clear(self, released: Iterable[str]) -> None:
        """A document on its way releases them."""
        self._may_clear |= set(released)

    def acknowledged(self, released: frozenset[str]) -> None:
        """That document is in force: these may clear, and no others."""
        self._may_clear = set(released)

    def look(self, life: Life, journal_path: Path) -> None:
        """Whoever is on disk, or was acknowledged, is latched until it is released."""
        status = life.status
        there = {latch.id: latch for latch in status.latches}
        self._held |= on_disk(journal_path, Table.LATCH).keys()
        for latch_id in sorted(self._held - there.keys()):
            if latch_id not in self._may_clear:
                self._evidence.noted.append(f"latch {latch_id} cleared, and nobody had released it")
            self._held.discard(latch_id)
        for latch in there.values():
            if not latch.symbols and status.gate.restriction < gate_of(latch.action).restriction:
                self._evidence.noted.append(f"latch {latch.id} {latch.action} is in force and the gate is {status.gate}")

    def not_flat(self, life: Life, venue: Venue) -> list[str]:
        """What the venue still shows in the scope of a stop that should be done."""
        account = venue.accounts["alpha"]
        found = []
        for latch in life.status.latches:
            for symbol in venue.floor.books:
                if latch.symbols and symbol not in latch.symbols:
                    continue
                if latch.action.strength >= 1 and (account.open_in(symbol) or account.open_algos(symbol)):
                    found.append(f"stop {latch.id} {latch.action} left orders of {symbol}; {_says(latch)}")
                if latch.action.strength >= 2 and account.amount(symbol):
                    found.append(f"stop {latch.id} left {account.amount(symbol)} {symbol}; {_says(latch)}")
        return found


def _says(latch: Latch) -> str:
    return f"it says {latch.message!r}, cooldown until {latch.cooldown_until_ms}"
