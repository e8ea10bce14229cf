"""The weight that all engines behind one address share: what the client needs of whoever keeps count.  Pure.

Implementation: adapters/redis_rate.py.
"""

from enum import StrEnum
from typing import Protocol


class Lane(StrEnum):
    """Two counts that never mix: entries and reads cannot use up what exits need."""

    ENTRY = "entry"
    """Also every read that no exit depends on."""
    EXIT = "exit"


class SharedRoom(Protocol):
    """Leases parts of a window's weight."""

    async def lease(self, lane: Lane, window: int, wanted: int, used: int, room: int) -> int | None:
        """At most ``wanted`` of the ``room`` in this window that nobody has leased, given that at least ``used`` is gone; None when it
        cannot be asked now.  Answers soon, either way."""
        ...

    async def close(self) -> None: ...
