"""What a consumer needs: a feed to read from, an inbox to apply to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from quantum_api.bus_envelope import Envelope


class FeedUnavailableError(Exception):
    """Redis did not answer; nothing is known to have happened.  Try again."""


class InboxUnavailableError(Exception):
    """Effects cannot be stored now, whichever event it is.  Try again."""


class MarksMovedError(Exception):
    """Another consumer of the group has applied meanwhile; nothing was stored.  Read the mark again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as delivered."""

    source: str
    id: str
    data: bytes
    deliveries: int = 1
    """How often the group was given it, this time included."""


class Feed(Protocol):
    """One consumer's view of the streams, as a member of its group.  Every method may raise FeedUnavailableError."""

    async def read(self) -> list[Entry]:
        """What this consumer left unacknowledged, what another abandoned, else what is new; waits a little when there is nothing."""
        ...

    async def page(self, source: str, after: str, before: str, count: int) -> list[Entry]:
        """At most ``count`` entries of the stream itself between two ids, both excluded; ``after`` empty = from the oldest."""
        ...

    async def acknowledge(self, source: str, ids: Sequence[str]) -> None: ...

    async def bury(self, entry: Entry, reason: str) -> None:
        """Into the group's dead letters and acknowledged, as one."""
        ...


class Inbox(Protocol):
    """Where effects go.  Effect and mark are one transaction: that is what makes "once" exact."""

    async def mark(self, source: str) -> bytes | None: ...

    async def apply(self, source: str, events: Sequence[Envelope], before: bytes | None, after: bytes) -> None:
        """All or nothing.

        Raises MarksMovedError when the stored mark is not ``before``, InboxUnavailableError to be asked again.  Any other exception is an
        event's own fault: it is tried alone a few times, then buried.
        """
        ...
