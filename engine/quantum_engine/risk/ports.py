"""What the risk stage needs of others."""

from typing import Protocol

from quantum_api.trading_policy import StopAction


class Stops(Protocol):
    """The emergency stage, as far as a breach reaches into it."""

    def is_latched(self, trigger: str) -> bool: ...

    def pull(self, trigger: str, reason: str, action: StopAction, measured: str, limit: str) -> None:
        """The gate is closed when this returns."""
        ...


class PeakMirror(Protocol):
    """The copy of the peak outside the engine (Redis); best effort."""

    def keep_peak(self, row: bytes) -> None: ...
