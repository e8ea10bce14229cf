"""What comes back over a real socket: refusals, pages of proxies, half answers, redirects."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from quantum_engine.clock import SystemClock
from quantum_engine.domain import OrderIntent, Side
from quantum_engine.errors import EngineError, PermanentError, RetryableError, ThrottledError, UnknownOutcomeError
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Credentials, Endpoint
from quantum_engine.exchanges.port import AccountRefusedError, DuplicateOrderIdError, VenueRefusedError

INTENT = OrderIntent("i", "BTCUSDT", Side.BUY, Decimal(1))


class Socket:
    """Answers the venue's time, and every other request with ``answer`` as it stands; "" hangs up."""

    def __init__(self) -> None:
        self.answer, self.asked = b"", []  # type: ignore[var-annotated]
        self.speaks, self.heard = asyncio.Event(), asyncio.Event()
        """Not speaking: every answer but the time is held back."""
        self.speaks.set()
        self._server: asyncio.Server | None = None

    async def open(self) -> "Socket":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target = head.split(" ")[:2]
            if target == "/fapi/v1/time":
                writer.write(said(200, b'{"serverTime":1800000000000}'))
            else:
                self.asked.append(f"{method} {target.partition('?')[0]}")
                self.heard.set()
                await self.speaks.wait()
                writer.write(self.answer)
            await writer.drain()
        finally:
            writer.close()


def said(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest_asyncio.fixture
async def socket() -> AsyncIterator[Socket]:
    opened = await Socket().open()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def client(socket: Socket) -> AsyncIterator[BinanceFutures]:
    found = BinanceFutures(Endpoint(socket.url, "ws://nowhere", answer_timeout_seconds=2.0), Credentials("key", "secret"), SystemClock())
    yield found
    await found.close()


PAGE = b"<html><title>503 Service Unavailable</title></html>"
ACCEPTED = b'{"symbol":"BTCUSDT","orderId":1,"clientOrderId":"c","side":"BUY","status":"NEW","origQty":"1","executedQty":"0"}'


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (said(400, b'{"code":-2019,"msg":"Margin is insufficient."}'), VenueRefusedError),
        (said(400, b'{"code":-4116,"msg":"ClientOrderId is duplicated."}'), DuplicateOrderIdError),
        (said(400, b'{"code":-1015,"msg":"Too many new orders"}'), ThrottledError),
        (said(429, b'{"code":-1003,"msg":"Too many requests"}', "Retry-After: 1"), ThrottledError),
        (said(403, PAGE), ThrottledError),
        (said(503, b'{"msg":"Service Unavailable."}'), RetryableError),
        (said(503, b'{"code":-1008,"msg":"Request throttled"}'), RetryableError),
        (said(503, PAGE), UnknownOutcomeError),
        (said(503, b'{"code":-1008,"msg":"Requ'), UnknownOutcomeError),
        (said(502, PAGE), UnknownOutcomeError),
        (said(504, b""), UnknownOutcomeError),
        (said(408, b""), UnknownOutcomeError),
        (said(400, PAGE), UnknownOutcomeError),
        (said(200, PAGE), UnknownOutcomeError),
        (said(200, ACCEPTED[:40]), UnknownOutcomeError),
        (said(200, ACCEPTED[:40], length=len(ACCEPTED)), UnknownOutcomeError),
        (said(400, b'{"code":-2019,', length=80), UnknownOutcomeError),
        (said(302, b"", "Location: /fapi/v1/elsewhere"), UnknownOutcomeError),
        (said(307, b"", "Location: /fapi/v1/elsewhere"), UnknownOutcomeError),
        (b"", UnknownOutcomeError),
        (b"nonsense\r\n\r\n", UnknownOutcomeError),
    ],
)
async def test_an_order_is_taken_for_not_done_only_on_the_venues_own_word(
    socket: Socket, client: BinanceFutures, answer: bytes, error: type[EngineError]
) -> None:
    """And no answer, a redirect least of all, makes the client send it twice."""
    socket.answer = answer
    with pytest.raises(error) as raised:
        await client.place(INTENT, "c")
    assert isinstance(raised.value, UnknownOutcomeError) == issubclass(error, UnknownOutcomeError)
    assert socket.asked == ["POST /fapi/v1/order"]


@pytest.mark.parametrize(
    ("code", "check"), [(-1022, "secret or private key"), (-2014, "apiKey in the account file"), (-2015, "allows this IP address")]
)
async def test_an_account_that_cannot_trade_is_said_to_be_one_with_what_to_check(
    socket: Socket, client: BinanceFutures, code: int, check: str
) -> None:
    socket.answer = said(401, b'{"code":%d,"msg":"as the venue says it"}' % code)
    with pytest.raises(AccountRefusedError, match="the account cannot trade: as the venue says it") as raised:
        await client.place(INTENT, "c")
    assert isinstance(raised.value, PermanentError)
    assert check in str(raised.value)
    assert raised.value.code == code


async def test_nobody_listening_is_surely_not_done(socket: Socket, client: BinanceFutures) -> None:
    await client.transport.sync_clock()
    await socket.close()
    with pytest.raises(RetryableError, match="Cannot connect"):
        await client.place(INTENT, "c")


async def test_a_request_that_never_got_a_connection_was_surely_not_done() -> None:
    """No byte was let out, so nothing has to be asked about."""
    slow = BinanceFutures(
        Endpoint("http://venue.invalid", "ws://nowhere", connect_timeout_seconds=0.05), Credentials("k", "s"), SystemClock()
    )
    slow.transport._synced = True

    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    slow.transport.session.connector._resolve_host = hang  # type: ignore[union-attr,assignment,method-assign]
    try:
        with pytest.raises(RetryableError) as raised:
            await slow.place(INTENT, "c")
        assert not isinstance(raised.value, UnknownOutcomeError)
    finally:
        await slow.close()


async def test_an_order_without_an_answer_is_unknown_after_its_time(socket: Socket) -> None:
    hurried = BinanceFutures(Endpoint(socket.url, "ws://nowhere", answer_timeout_seconds=0.2), Credentials("k", "s"), SystemClock())
    socket.speaks.clear()
    try:
        with pytest.raises(UnknownOutcomeError, match=r"no answer within 0\.2 s"):
            await hurried.place(INTENT, "c")
        socket.speaks.set()
        socket.answer = said(200, ACCEPTED)
        assert (await hurried.place(INTENT, "c")).client_order_id == "c"
    finally:
        socket.speaks.set()
        await hurried.close()


async def test_a_cancelled_order_ends_its_task_and_is_not_taken_for_one_without_an_answer(socket: Socket, client: BinanceFutures) -> None:
    """Shutdown cancels stages; one that took it for a slow venue would go on trading."""
    socket.speaks.clear()
    sending = asyncio.create_task(client.place(INTENT, "c"))
    await asyncio.wait_for(socket.heard.wait(), 5)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    socket.speaks.set()
