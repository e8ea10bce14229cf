"""What the risk stage needs of others."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from quantum_api.trading_policy import StopAction
from quantum_engine.risk.snapshot import Senses


class Stops(Protocol):
    """The emergency stage, as far as a breach reaches into it."""

    def is_latched(self, trigger: str) -> bool: ...

    def covers(self, triggers: Collection[str], action: StopAction) -> bool:
        """Whether a stop of the whole engine, by one of ``triggers`` and at least as strong, is latched."""
        ...

    def pull(self, trigger: str, reason: str, action: StopAction, measured: str, limit: str, numbers: Mapping[str, str | int]) -> None:
        """The gate is closed when this returns; the event that tells it is committed with the latch."""
        ...


class PeakMirror(Protocol):
    """The copy of peak and day outside the engine (Redis); best effort."""

    def keep_peak(self, row: bytes) -> None: ...


Sensing = Callable[[], Senses]
"""Reads memory only, never waits, never raises."""
