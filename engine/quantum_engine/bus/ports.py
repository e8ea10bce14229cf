"""What the bus needs of the engine's file and of Redis."""

import asyncio
from collections.abc import Mapping
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
