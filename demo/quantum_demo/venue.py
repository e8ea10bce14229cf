"""Reads and orders the simulated venue through its control API: the demo's independent witness."""

from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import aiohttp

from quantum_demo.kubectl import Kubectl
from quantum_demo.timeline import StepFailedError

CONTROL_PORT = 8081


class VenueControl:
    """The control port of the simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    async def find(cls, kubectl: Kubectl) -> "VenueControl":
        """The simulator's pod, by its label."""
        pods = (await kubectl.get("pods", "-l", "app.kubernetes.io/component=simulator"))["items"]
        if not pods or not pods[0]["status"].get("podIP"):
            raise StepFailedError("no simulator pod is running; was the chart installed with simulator.enabled=true?")
        return cls(f"http://{pods[0]['status']['podIP']}:{CONTROL_PORT}")

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()

    async def account(self, name: str) -> dict[str, Any]:
        """Wallet, equity, positions and open orders of one account."""
        answer: dict[str, Any] = await self._call("GET", f"/control/accounts/{name}")
        return answer

    async def drift(self, bps_per_minute: int) -> None:
        """Pull the whole market one way."""
        await self._call("POST", "/control/drift", {"symbol": "all", "bpsPerMinute": bps_per_minute})

    async def shock(self, bps: int, seconds: float) -> None:
        """Move the whole market by ``bps`` over ``seconds``."""
        await self._call("POST", "/control/shock", {"symbol": "all", "bps": bps, "seconds": seconds})

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        if self._session is None:
            raise RuntimeError("use 'async with VenueControl(...)'")
        async with self._session.request(method, self.url + path, json=body) as response:
            if response.status >= 400:
                raise StepFailedError(f"venue {method} {path}: {response.status} {await response.text()}")
            return await response.json()


def is_flat(account: dict[str, Any]) -> bool:
    """No position and no order, conditional ones included."""
    return bool(account["isFlat"]) and account["openOrderCount"] == 0 and account["openAlgoOrderCount"] == 0


def long_exposure_usdt(account: dict[str, Any]) -> Decimal:
    """Long minus short value at mark."""
    return sum((Decimal(p["amount"]) * Decimal(p["markPrice"]) for p in account["positions"]), Decimal(0))


def describe(account: dict[str, Any]) -> str:
    """One account in one line."""
    held = ", ".join(f"{p['symbol']} {p['amount']}" for p in account["positions"]) or "flat"
    orders = account["openOrderCount"] + account["openAlgoOrderCount"]
    return f"equity {Decimal(account['equityUsdt']):.2f} USDT, {held}, {orders} open orders"
