"""Mark prices and book tops from two sockets, as one sequence of quotes.

In    symbols
Out   quotes for ever, the newest per symbol when the reader is slow
Flow  venue (/market, /public) -> HERE -> market stage
Why   a reader that falls behind must see the newest price, not a queue of old ones
"""

import asyncio
from collections.abc import AsyncIterator
from random import random

import aiohttp
import msgspec

from quantum_engine.clock import Clock
from quantum_engine.domain import Quote
from quantum_engine.exchanges.binance_futures import wire
from quantum_engine.exchanges.binance_futures.backoff import Backoff
from quantum_engine.exchanges.binance_futures.quotes import QuoteBoard
from quantum_engine.exchanges.binance_futures.transport import Transport

_unwrap = msgspec.json.Decoder(wire.Wrapped).decode
_head = msgspec.json.Decoder(wire.Head).decode
_mark = msgspec.json.Decoder(wire.MarkPrice).decode
_book = msgspec.json.Decoder(wire.BookTicker).decode


class MarketStream:
    """Reconnects by itself."""

    def __init__(self, transport: Transport, clock: Clock, symbols: frozenset[str]) -> None:
        self._transport, self._clock = transport, clock
        self._symbols = sorted(symbols)
        self._board = QuoteBoard()
        self._arrived = asyncio.Event()

    async def quotes(self) -> AsyncIterator[Quote]:
        tasks = [
            asyncio.create_task(self._follow("market", "@markPrice@1s", self._transport.endpoint.silence_seconds)),
            asyncio.create_task(self._follow("public", "@bookTicker", None)),
        ]
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                for quote in self._board.take():
                    yield quote
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, route: str, suffix: str, silence_seconds: float | None) -> None:
        streams = "/".join(f"{symbol.lower()}{suffix}" for symbol in self._symbols)
        url = f"{self._transport.endpoint.stream_url}/{route}/stream?streams={streams}"
        backoff = Backoff(random)
        while True:
            try:
                async with self._transport.session.ws_connect(url, heartbeat=15.0, max_msg_size=0) as socket:
                    await self._read(socket, silence_seconds, backoff)
            except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError):
                pass
            finally:
                if route == "public":
                    self._board.forget_book()
            await asyncio.sleep(backoff.next_seconds())

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, silence_seconds: float | None, backoff: Backoff) -> None:
        while True:
            message = await socket.receive(timeout=silence_seconds)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            backoff.succeeded()
            self._see(message.data)

    def _see(self, text: str) -> None:
        data = _unwrap(text).data
        match _head(data).e:
            case "markPriceUpdate":
                mark = _mark(data)
                self._board.mark(mark.s, mark.p, self._clock.monotonic())
            case "bookTicker":
                book = _book(data)
                self._board.book(book.s, book.b, book.a, self._clock.monotonic())
            case _:
                return
        self._arrived.set()
