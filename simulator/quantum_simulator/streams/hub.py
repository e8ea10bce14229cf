"""Who listens to what, and the sending.

In    connections with their subscriptions; messages per stream name or account
Out   JSON text on sockets, in order per connection
Flow  publisher -> HERE -> sockets
Why   a queue and a writer per connection: a slow listener delays nobody and is cut when its queue is full
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from aiohttp import WSCloseCode, web

QUEUE_MESSAGES = 20_000
encode = msgspec.json.Encoder().encode


class Connection:
    """One socket with its route, subscriptions and writer."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, route: str, is_combined: bool, account: str = ""
    ) -> None:
        self.socket = socket
        self._transport = transport
        self.route = route
        self.is_combined = is_combined
        self.account = account
        self.streams: set[str] = set()
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE_MESSAGES)
        self._writer = asyncio.create_task(self._write())

    def send(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self.cut()

    def end(self) -> None:
        """Send what is queued, then close."""
        self._queue.put_nowait(None)

    async def _write(self) -> None:
        try:
            while (text := await self._queue.get()) is not None:
                await self.socket.send_str(text)
            await self.socket.close(code=WSCloseCode.GOING_AWAY)
        except ConnectionError:
            return

    def cut(self) -> None:
        """Close without a farewell, as a broken network would."""
        self._writer.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def finish(self) -> None:
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)


def _type_of(message: Any) -> str:
    """The event type; several marks at once are a list of the same type."""
    first = next(iter(message), {}) if isinstance(message, list) else message
    return str(first.get("e", ""))


class Hub:
    """Connections by stream name and by account."""

    def __init__(self, is_silent: Callable[[str, str, str], bool]) -> None:
        self._is_silent = is_silent
        self._by_stream: defaultdict[str, set[Connection]] = defaultdict(set)
        self._by_account: defaultdict[str, set[Connection]] = defaultdict(set)
        self.connections: set[Connection] = set()
        self.on_first_listener: Callable[[str], None] = lambda _: None

    def add(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.attach(connection, connection.account)

    def attach(self, connection: Connection, account: str) -> None:
        """The connection is told of this account, and of no other any more."""
        self._by_account[connection.account].discard(connection)
        connection.account = account
        if account:
            self._by_account[account].add(connection)

    def remove(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._by_account[connection.account].discard(connection)
        self.unsubscribe(connection, list(connection.streams))

    def subscribe(self, connection: Connection, streams: Iterable[str]) -> None:
        for stream in streams:
            if stream not in self._by_stream:
                self.on_first_listener(stream)
            connection.streams.add(stream)
            self._by_stream[stream].add(connection)

    def unsubscribe(self, connection: Connection, streams: Iterable[str]) -> None:
        for stream in streams:
            connection.streams.discard(stream)
            self._by_stream[stream].discard(connection)
            if not self._by_stream[stream]:
                del self._by_stream[stream]

    def streams(self) -> list[str]:
        return list(self._by_stream)

    def has_listener(self, account: str) -> bool:
        return bool(self._by_account.get(account))

    def to_stream(self, stream: str, route: str, message: Any) -> None:
        """Deliver on the route where the stream lives; a listener on another route hears nothing, as on Binance."""
        listeners = [each for each in self._by_stream.get(stream, ()) if each.route == route]
        if listeners and not self._is_silent("", f"/{route}", _type_of(message)):
            self._deliver(listeners, stream, message)

    def to_account(self, account: str, key: str, message: Any) -> None:
        listeners = self._by_account.get(account)
        if listeners and not self._is_silent(account, "/private", _type_of(message)):
            self._deliver(listeners, key, message)

    def _deliver(self, listeners: Iterable[Connection], stream: str, message: Any) -> None:
        bare = encode(message).decode()
        for connection in tuple(listeners):
            connection.send(f'{{"stream":"{stream}","data":{bare}}}' if connection.is_combined else bare)

    def of_account(self, account: str) -> list[Connection]:
        return list(self._by_account.get(account, ()))

    def cut(self, account: str, path: str) -> int:
        """Break the connections of an account (or all) on routes under ``path``."""
        hit = [each for each in self.connections if account in {"", each.account} and f"/{each.route}".startswith(path)]
        for connection in hit:
            connection.cut()
        return len(hit)
