"""A venue that does nothing but say when a request's first byte arrived; `python -m benchmarks.wire_stub` runs it as a process of its own.

The monotonic clock is the same for every process of a Linux machine, so its stamps can be subtracted from another process's.
"""

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs, urlsplit

SYMBOL = "BTCUSDT"
_FILTERS = [
    {"filterType": "PRICE_FILTER", "tickSize": "0.1", "minPrice": "0.1", "maxPrice": "1000000"},
    {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "100"},
    {"filterType": "MARKET_LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "10"},
    {"filterType": "MIN_NOTIONAL", "notional": "20"},
]
_LIMITS = [
    {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": 1_000_000}
    for kind, interval, number in (("REQUEST_WEIGHT", "MINUTE", 1), ("ORDERS", "SECOND", 10), ("ORDERS", "MINUTE", 1))
]
"""So wide that the client's own mirror of them holds nothing back."""


class Stub(asyncio.Protocol):
    """One connection; requests without a body, one at a time."""

    arrivals: dict[str, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        arrived = time.monotonic_ns()
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        method, target, _ = self._received.split(b"\r\n", 1)[0].decode().split(" ")
        self._received = b""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = json.dumps(self._answer(method, url.path, query, arrived)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)

    def _answer(self, method: str, path: str, query: dict[str, str], arrived: int) -> object:
        if path == "/fapi/v1/time":
            return {"serverTime": time.time_ns() // 1_000_000}
        if path == "/fapi/v1/exchangeInfo":
            return {"symbols": [{"symbol": SYMBOL, "status": "TRADING", "filters": _FILTERS}], "rateLimits": _LIMITS}
        if path == "/arrivals":
            return self.arrivals
        if method == "POST" and path == "/fapi/v1/order":
            self.arrivals[query["newClientOrderId"]] = arrived
            return _order(query)
        return {}


def _order(query: dict[str, str]) -> dict[str, object]:
    return {
        "orderId": len(Stub.arrivals), "symbol": query["symbol"], "status": "FILLED",
        "clientOrderId": query["newClientOrderId"], "price": "0",
        "origQty": query["quantity"], "executedQty": query["quantity"], "side": query["side"], "type": query["type"], "reduceOnly": False,
        "closePosition": False, "updateTime": time.time_ns() // 1_000_000, "timeInForce": "GTC", "positionSide": "BOTH",
        "stopPrice": "0", "workingType": "CONTRACT_PRICE", "avgPrice": "0", "cumQty": query["quantity"], "time": 0,
    }  # fmt: skip


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
