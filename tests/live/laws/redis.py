"""One real Redis for all histories of a run, emptied between them."""

import socket

from tests.live.engine.rig import RedisServer


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
