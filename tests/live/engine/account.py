"""The engine's own account, as a person with its key sees it at the venue."""

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from quantum_simulator.venue import Venue

KEY, SECRET = "key-alpha", "secret-alpha"


class AccountAtVenue:
    """Signed calls and the venue's levers."""

    def __init__(self, venue: Venue, session: aiohttp.ClientSession) -> None:
        self._venue = venue
        self._session = session

    async def call(self, method: str, path: str, **params: object) -> Any:
        query = urlencode({**params, "timestamp": time.time_ns() // 1_000_000})
        signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"{self._venue.base_url}{path}?{query}&signature={signature}"
        async with self._session.request(method, url, headers={"X-MBX-APIKEY": KEY}) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return body

    async def lever(self, verb: str, room: str, /, **body: object) -> Any:
        async with self._session.request(verb, f"{self._venue.control_url}/control/{room}", json=body or None) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def buy(self, symbol: str, quantity: str) -> None:
        await self.call("POST", "/fapi/v1/order", symbol=symbol, side="BUY", type="MARKET", quantity=quantity)

    async def rest_take_profit(self, symbol: str, quantity: str, price: str) -> None:
        """A resting reduce-only order: what makes a closing order fail with -4118 until it is cancelled."""
        await self.call(
            "POST", "/fapi/v1/order", symbol=symbol, side="SELL", type="LIMIT", timeInForce="GTC", quantity=quantity, price=price,
            reduceOnly="true",
        )  # fmt: skip

    async def rest_stop_loss(self, symbol: str, trigger: str) -> None:
        """A conditional order: on an endpoint of its own, not covered by "cancel all open orders"."""
        await self.call(
            "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol=symbol, side="SELL", type="STOP_MARKET", triggerPrice=trigger,
            closePosition="true",
        )  # fmt: skip

    async def mark(self, symbol: str) -> float:
        async with self._session.get(f"{self._venue.base_url}/fapi/v1/premiumIndex", params={"symbol": symbol}) as answer:
            return float((await answer.json())["markPrice"])

    async def crash(self, symbol: str, bps: int) -> None:
        """The price jumps down and stays."""
        await self.lever("POST", "price", symbol=symbol, price=f"{await self.mark(symbol) * (1 - bps / 10_000):.1f}", hold=True)

    async def exposure(self) -> tuple[int, int]:
        """(open orders, positions) as the venue itself says."""
        regular = await self.call("GET", "/fapi/v1/openOrders")
        algo = await self.call("GET", "/fapi/v1/openAlgoOrders")
        held = [each for each in await self.call("GET", "/fapi/v3/positionRisk") if float(each["positionAmt"])]
        return len(regular) + len(algo), len(held)
