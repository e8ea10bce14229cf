"""A venue that only answers, as fast as Python can: `python -m benchmarks.stub_venue` prints its port and serves until its input ends.

In a process of its own, so that the client's CPU time is the client's alone.
"""

import asyncio
import sys
from typing import Final

ORDER: Final = (
    b'{"orderId":20072994037,"symbol":"BTCUSDT","status":"NEW","clientOrderId":"qt-0123456789abcdef0123456789abcdef","price":"30005.0",'
    b'"origQty":"0.010","executedQty":"0.000","cumQty":"0.000","timeInForce":"GTC","type":"LIMIT","reduceOnly":false,'
    b'"closePosition":false,"side":"BUY","positionSide":"BOTH","stopPrice":"0.00","workingType":"CONTRACT_PRICE","priceProtect":false,'
    b'"origType":"LIMIT","priceMatch":"NONE","selfTradePreventionMode":"EXPIRE_MAKER","goodTillDate":0,"updateTime":1629182711600}'
)
TIME: Final = b'{"serverTime":%d}'
HEADERS: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-MBX-USED-WEIGHT-1M: 7\r\nX-MBX-ORDER-COUNT-10S: 3\r\n"
    b"X-MBX-ORDER-COUNT-1M: 9\r\nContent-Length: %d\r\n\r\n"
)
ORDER_ANSWER: Final = HEADERS % len(ORDER) + ORDER


class Answering(asyncio.Protocol):
    """One connection; each request ends with an empty line, or with a body as long as it says."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._text = b""

    def data_received(self, data: bytes) -> None:
        self._text += data
        while (end := self._text.find(b"\r\n\r\n")) >= 0:
            head = self._text[:end].lower()
            length = 0
            if (at := head.find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._text) < end + 4 + length:
                return
            self._text = self._text[end + 4 + length :]
            self._transport.write(answer(head))


def answer(head: bytes) -> bytes:
    if head.startswith(b"post /fapi/v1/order"):
        return ORDER_ANSWER
    import time

    body = TIME % (time.time_ns() // 1_000_000) if b"/time" in head.split(b" ")[1] else b"{}"
    return HEADERS % len(body) + body


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
