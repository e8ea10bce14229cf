"""Copies bytes between a client and one of several targets.

In    accepted connections, the targets as they are now
Out   a connection to the next target that accepts; bytes both ways, half-closes included
Flow  service proxy -> HERE -> pod
Why   protocols instead of streams: one copy less on the way of every order
"""

import asyncio

Address = tuple[str, int]


class _Side(asyncio.Protocol):
    """One end; what it receives goes to the other end, or waits until there is one."""

    def __init__(self) -> None:
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def join(self, other: "_Side") -> None:
        self.other, other.other = other, self
        for data in self._early:
            self.data_received(data)
        if self._ended:
            self.eof_received()

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        elif self.other.transport:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """A half-close is passed on; when both directions have ended, so has the connection."""
        self._ended = True
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.write_eof()
            return not self.other._ended
        return self.other is None

    def pause_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other and self.other.transport:
            self.other.transport.abort() if exc else self.other.transport.close()


class _Accepted(_Side):
    def __init__(self, relay: "Relay") -> None:
        super().__init__()
        self._relay = relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._relay.connect(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._relay.forget(self)


class Relay:
    """Round robin over ``targets``; a target that refuses is passed over."""

    def __init__(self, targets: list[Address]) -> None:
        self.targets = targets
        self._turn = 0
        self._connecting: set[asyncio.Task[None]] = set()
        self._open: set[_Side] = set()

    def accept(self) -> asyncio.Protocol:
        return _Accepted(self)

    @property
    def busy(self) -> bool:
        return bool(self._open)

    def forget(self, accepted: _Side) -> None:
        self._open.discard(accepted)

    def abort(self) -> None:
        """End every connection: the node stops."""
        for task in self._connecting:
            task.cancel()
        for side in list(self._open):
            for each in (side, side.other):
                if each and each.transport:
                    each.transport.abort()

    def connect(self, accepted: _Side) -> None:
        self._open.add(accepted)
        task = asyncio.get_running_loop().create_task(self._connect(accepted))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, accepted: _Side) -> None:
        targets = list(self.targets)
        self._turn += 1
        for offset in range(len(targets)):
            host, port = targets[(self._turn + offset) % len(targets)]
            try:
                _, side = await asyncio.get_running_loop().create_connection(_Side, host, port)
            except OSError:
                continue
            accepted.join(side)
            if accepted.transport and accepted.transport.is_closing() and side.transport:
                side.transport.close()
            return
        if accepted.transport:
            accepted.transport.abort()
