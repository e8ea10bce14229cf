"""Asks for the transfers that the user stream may not have told.

In    from when on the numbers may lack some (risk knows: it keeps them over restarts)
Out   each transfer found, told before the equity that holds it
Flow  service -> HERE -> exchange -> risk
Why   a reconnect replays nothing, and an engine that was away has heard nothing: a withdrawal would look like a loss, a deposit hide one

Weight 30, once for each time that the stream came up.
"""

from collections.abc import Callable
from typing import Final, Protocol

from quantum_engine.domain import EquityEvent
from quantum_engine.exchanges.port import Exchange

DOUBT_MS: Final = 5_000
"""Asked from a little earlier on: what was told before counts once (risk/transfers.py)."""


class KnownTransfers(Protocol):
    """Who keeps the numbers that a transfer moves."""

    @property
    def transfers_known_to_ms(self) -> int | None: ...

    def transfers_asked_to(self, known_to_ms: int) -> None: ...


class TransferRecovery:
    """Of one account."""

    def __init__(self, exchange: Exchange, tell: Callable[[EquityEvent], None]) -> None:
        self._exchange, self._tell = exchange, tell
        self._known: KnownTransfers | None = None
        self._is_due = True

    def known_by(self, known: KnownTransfers) -> None:
        self._known = known

    def lost(self) -> None:
        """The stream was away."""
        self._is_due = True

    async def close_gap(self) -> None:
        """Before the balance is asked for.  Raises what the exchange port raises, and is due still."""
        if not self._is_due or self._known is None:
            return
        asked_ms, since_ms = self._exchange.venue_ms(), self._known.transfers_known_to_ms
        for transfer in [] if since_ms is None else await self._exchange.transfers(since_ms - DOUBT_MS):
            self._tell(transfer)
        self._known.transfers_asked_to(asked_ms)
        self._is_due = False
