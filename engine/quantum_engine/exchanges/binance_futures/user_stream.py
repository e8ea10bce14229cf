"""Order and account events of the account, and whether we can see them.

In    a listen key, kept alive
Out   OrderUpdate, TradeSeen, AccountUpdate between StreamUp and StreamDown, for ever
Flow  venue (/private) -> HERE -> positions stage
Why   a reconnect replays nothing, so each gap must be visible to whoever keeps the books
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from random import random
from typing import Final

import aiohttp
import msgspec

from quantum_engine.errors import EngineError, ThrottledError
from quantum_engine.exchanges.binance_futures import translate, wire
from quantum_engine.exchanges.binance_futures.backoff import Backoff
from quantum_engine.exchanges.binance_futures.once import SeenOnce
from quantum_engine.exchanges.binance_futures.transport import Transport
from quantum_engine.exchanges.port import StreamDown, StreamUp, UserEvent

LISTEN_KEY_PATH: Final = "/fapi/v1/listenKey"
LEAST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 60.0
LISTEN_KEY_EXPIRED: Final = "listenKeyExpired"
_head = msgspec.json.Decoder(wire.Head).decode
_order = msgspec.json.Decoder(wire.OrderTradeUpdate).decode
_lite = msgspec.json.Decoder(wire.TradeLite).decode
_account = msgspec.json.Decoder(wire.AccountUpdate).decode
_algo = msgspec.json.Decoder(wire.AlgoUpdate).decode
_key = msgspec.json.Decoder(wire.ListenKey).decode


class UserStream:
    """One listen key, one socket at a time."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._once = SeenOnce()

    async def events(self) -> AsyncIterator[UserEvent]:
        backoff = Backoff(random)
        while True:
            reason = "closed by the exchange"
            try:
                key = _key(await self._transport.public("POST", LISTEN_KEY_PATH, {})).listen_key
                url = f"{self._transport.endpoint.stream_url}/private/ws?listenKey={key}"
                async with self._transport.session.ws_connect(url, heartbeat=15.0, max_msg_size=0) as socket:
                    keeper = asyncio.create_task(self._keep_alive(socket))
                    try:
                        backoff.succeeded()
                        yield StreamUp()
                        async for message in socket:
                            kind = _head(message.data).e if message.type is aiohttp.WSMsgType.TEXT else LISTEN_KEY_EXPIRED
                            if kind == LISTEN_KEY_EXPIRED:
                                break
                            event = self._event(kind, message.data)
                            if event is not None:
                                yield event
                    finally:
                        keeper.cancel()
                        await asyncio.gather(keeper, return_exceptions=True)
            except (EngineError, aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError) as error:
                reason = str(error) or type(error).__name__
            yield StreamDown(reason)
            await asyncio.sleep(backoff.next_seconds())

    async def _keep_alive(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """A key that can no longer be extended ends the connection, and the next one asks for a new key."""
        while True:
            await asyncio.sleep(self._transport.endpoint.keep_alive_seconds)
            try:
                await self._extend()
            except EngineError:
                with suppress(aiohttp.ClientError, OSError):
                    await socket.close()
                return

    async def _extend(self) -> None:
        """A key lives for twice the time between two calls: one that is throttled comes later, and costs no connection."""
        while True:
            try:
                await self._transport.public("PUT", LISTEN_KEY_PATH, {})
            except ThrottledError as error:
                await asyncio.sleep(min(max(error.retry_after_seconds, LEAST_WAIT_SECONDS), LONGEST_WAIT_SECONDS))
            else:
                return

    def _event(self, kind: str, text: str) -> UserEvent | None:
        match kind:
            case "ORDER_TRADE_UPDATE":
                return self._once.order_update(translate.order_update(_order(text)))
            case "TRADE_LITE":
                return self._once.trade_lite(translate.trade_lite(_lite(text)))
            case "ACCOUNT_UPDATE":
                return translate.account_update(_account(text))
            case "ALGO_UPDATE":
                return translate.algo_update(_algo(text))
            case _:
                return None
