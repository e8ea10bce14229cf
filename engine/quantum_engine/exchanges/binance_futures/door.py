"""A connector that asks once more, with the connection in its hand, whether the request may still leave.

Why   getting a connection may take seconds (pool exhausted, name resolution, handshake), and a stop may close the gate meanwhile
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from aiohttp.connector import Connection

from quantum_engine.errors import RetryableError

MAY_LEAVE: Final[ContextVar[Callable[[], bool] | None]] = ContextVar("may_leave", default=None)
"""Of the request that this task is making."""


class LateDoor(aiohttp.TCPConnector):
    """Nothing is written to a connection before this returns it."""

    async def connect(self, *args: Any, **more: Any) -> Connection:
        connection = await super().connect(*args, **more)
        may_leave = MAY_LEAVE.get()
        if may_leave is not None and not may_leave():
            connection.release()
            raise RetryableError("not sent: what permitted it was withdrawn while it waited for a connection")
        return connection
