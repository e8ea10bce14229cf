"""What the bus needs of the engine's file and of Redis."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from quantum_engine.journal import Journal, Table, Write


class Disk(Journal, Protocol):
    """The engine's file itself."""

    def submit(self, *writes: Write) -> "asyncio.Future[None]":
        """Hand a commit in, now; the future is its outcome, whoever still waits for it.  Commits are done in the order of this call."""
        ...

    async def load_page(self, table: Table, after: str, count: int) -> Mapping[str, bytes]:
        """At most ``count`` rows whose key is above ``after``, in the order of their keys."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the stream holds."""

    accepted: bool
    """False: it holds less than it had confirmed, so it forgot; nothing was added."""
    through: int
    """Highest number of this epoch in the stream; 0 = none, -1 = this Redis never heard of the epoch."""


@dataclass(frozen=True, slots=True)
class Tended:
    """The stream after what nobody needs any more was cut off."""

    groups: frozenset[str]
    acknowledged_through: int
    """Number of this epoch up to which every group has acknowledged; without groups, up to which the stream goes."""
    length: int


class Link(Protocol):
    """The engine's stream in Redis.  Every method raises RetryableError when Redis did not answer: it may or may not have been done."""

    async def add(self, epoch: str, confirmed: int, entries: Sequence[tuple[int, bytes]]) -> Answer:
        """Append what is not there yet.  Idempotent: numbers that are already in the stream are passed over.

        ``confirmed``: what Redis is known to hold; -1 = nothing is known.  A Redis that forgets even an empty stream is noticed.
        """
        ...

    async def tend(self, epoch: str, confirmed: int) -> Tended | None:
        """Cut off what every group has acknowledged, and no more; None, and nothing is cut, when less is there than confirmed."""
        ...

    async def enlist(self) -> None:
        """Name this engine among those that have a stream."""
        ...

    async def create_groups(self, groups: Iterable[str]) -> None:
        """So that a Redis that forgot them does not take the stream for read."""
        ...

    async def close(self) -> None: ...
