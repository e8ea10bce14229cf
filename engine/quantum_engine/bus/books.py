"""What the bus knows of itself, in memory and in one row of the journal.

Why   a number above ``forgotten_through`` that has no row was never an event, or was dropped on purpose; one below it was in Redis.  So an
      entry can say which numbers before it nobody needs to look for, after any restart of either side
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from quantum_engine.bus.grace import Grace
from quantum_engine.bus.spool import Bounds, Spool
from quantum_engine.errors import CorruptStateError
from quantum_engine.journal import Put, Table

KEY: Final = "outbox"


class Remembered(msgspec.Struct, frozen=True):
    """The row in Table.META."""

    epoch: str
    forgotten_through: int = 0
    """Highest number that was removed because Redis had it."""
    groups: tuple[str, ...] = ()
    """Consumer groups last seen; recreated in a Redis that forgot them."""

    @property
    def put(self) -> Put:
        return Put(Table.META, KEY, msgspec.json.encode(self))


def remembered(row: bytes) -> Remembered:
    try:
        return msgspec.json.decode(row, type=Remembered)
    except msgspec.MsgspecError as error:
        raise CorruptStateError(f"the journal's row of the event bus cannot be read: {error}") from error


@dataclass
class Books:
    """Shared by the sender and the keeper."""

    bounds: Bounds
    kept: Remembered = field(default_factory=lambda: Remembered(""))
    spool: Spool = field(init=False)
    grace: Grace = field(default_factory=Grace)
    highest_restored: int = 0
    """Highest number on disk when the process began."""
    confirmed: int | None = None
    """Redis holds everything up to here; -1 = it has forgotten all, None = not asked yet in this process."""
    acknowledged_through: int = 0
    owes_names: bool = False
    """Redis has yet to be told of this engine and of its groups."""
    dropped: int = 0
    """Telemetry events that were never sent, since the start."""
    has_rows: asyncio.Event = field(default_factory=asyncio.Event)
    """The sender has something to look at."""
    problem: str = "not asked yet"
    """Empty while Redis answers."""

    def __post_init__(self) -> None:
        self.spool = Spool(self.bounds)

    @property
    def known(self) -> int:
        """``confirmed``, where nothing known is -1."""
        return -1 if self.confirmed is None else self.confirmed

    @property
    def heard(self) -> int:
        """Number up to which Redis has heard; 0 = nothing."""
        return max(0, self.known)

    def with_groups(self, groups: Iterable[str]) -> Remembered:
        return msgspec.structs.replace(self.kept, groups=tuple(sorted(groups)))
