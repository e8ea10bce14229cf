"""One real Redis for all histories of a run, emptied between them, and waited for in real time."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from redis.asyncio.connection import AbstractConnection
from tests.live.laws.virtual_time import WorldClock
from tests.redis_server import RedisServer


class Redis(RedisServer):
    """Knows whether it runs."""

    @property
    def is_up(self) -> bool:
        return self._process is not None

    def empty(self) -> None:
        if not self.is_up:
            self.start()
        with socket.create_connection(("127.0.0.1", self.port), 2.0) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(16).startswith(b"+OK")


@contextmanager
def waited_for(clock: WorldClock) -> Iterator[None]:
    """While anybody waits for Redis the time does not jump: its answers come from another process."""

    def counted(method: Any) -> Any:
        async def call(*args: Any, **more: Any) -> Any:
            clock.outside += 1
            try:
                return await method(*args, **more)
            finally:
                clock.outside -= 1

        return call

    names = ("connect", "send_packed_command", "read_response")
    with patch.multiple(AbstractConnection, **{name: counted(getattr(AbstractConnection, name)) for name in names}):
        yield
