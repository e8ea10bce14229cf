"""The connector's part of the way out: how long a connection may take, and whether the request may still leave.

Why   getting a connection may take seconds (pool exhausted, name resolution, handshake), and a stop may close the gate meanwhile; and a
      request that has not come past here was surely not done
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from aiohttp.connector import Connection

from quantum_engine.errors import RetryableError

MOST_CONNECTIONS: Final = 64


class Passage:
    """Of one request through the door."""

    __slots__ = ("is_through", "may_leave")

    def __init__(self, may_leave: Callable[[], bool] | None) -> None:
        self.may_leave = may_leave
        self.is_through = False
        """From here on bytes may have left."""


PASSAGE: Final[ContextVar[Passage | None]] = ContextVar("passage", default=None)
"""Of the request that this task is making."""


class LateDoor(aiohttp.TCPConnector):
    """Nothing is written to a connection before ``connect`` returns it; it asks with the connection in its hand."""

    def __init__(self, connect_seconds: float) -> None:
        super().__init__(limit=MOST_CONNECTIONS, keepalive_timeout=60)
        self._connect_seconds = connect_seconds

    async def connect(self, *args: Any, **more: Any) -> Connection:
        connection = await super().connect(*args, **more)
        passage = PASSAGE.get()
        if passage is not None:
            if passage.may_leave is not None and not passage.may_leave():
                connection.release()
                raise RetryableError("not sent: what permitted it was withdrawn while it waited for a connection")
            passage.is_through = True
        return connection

    async def _create_connection(self, *args: Any, **more: Any) -> Any:
        """Name resolution and handshake together; a connection that waits in the pool needs no timer."""
        async with asyncio.timeout(self._connect_seconds):
            return await super()._create_connection(*args, **more)
