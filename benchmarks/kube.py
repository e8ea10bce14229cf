"""A few plain calls to the API server, for timing: one session, one watch, no client library in between."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from benchmarks.bare_loop import watch

GROUP_PATH = "/apis/quantumtrader.io/v1alpha1/namespaces/{namespace}/{plural}"


class Calls:
    """Timed calls on one resource of one namespace."""

    def __init__(self, session: aiohttp.ClientSession, server: str, namespace: str, plural: str) -> None:
        self.session = session
        self.url = server + GROUP_PATH.format(namespace=namespace, plural=plural)

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._send("POST", self.url, json.dumps(body), "application/json")

    async def patch(self, name: str, body: Any, *, kind: str = "merge-patch", user: str | None = None) -> dict[str, Any]:
        headers = {"Impersonate-User": user, "Impersonate-Group": "risk-officers"} if user else {}
        return await self._send("PATCH", f"{self.url}/{name}", json.dumps(body), f"application/{kind}+json", headers)

    async def delete(self, name: str) -> None:
        await self._send("DELETE", f"{self.url}/{name}", "{}", "application/json")

    async def _send(self, method: str, url: str, body: str, media: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        async with self.session.request(method, url, data=body, headers={"Content-Type": media, **(headers or {})}) as answer:
            found: dict[str, Any] = await answer.json()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {url}: {found.get('message')}")
            return found


class Watched:
    """One object as a separate watcher sees it."""

    def __init__(self, calls: Calls, name: str) -> None:
        self._calls, self._name = calls, name
        self._news = asyncio.Event()
        self.seen: dict[str, Any] = {}
        self.at = 0.0

    async def run(self) -> None:
        async for obj in watch(self._calls.session, self._calls.url, self._name):
            self.seen, self.at = obj, time.perf_counter()
            self._news.set()

    async def until(self, holds: Callable[[dict[str, Any]], bool], within_seconds: float = 20) -> float:
        """``perf_counter`` at which the newest object that ``holds`` arrived."""
        async with asyncio.timeout(within_seconds):
            while not (self.seen and holds(self.seen)):
                self._news.clear()
                await self._news.wait()
        return self.at


def has_condition(obj: dict[str, Any], kind: str, status: str = "True") -> bool:
    """Whether the condition stands at ``status``, for the object's own generation."""
    found = [c for c in obj.get("status", {}).get("conditions", []) if c["type"] == kind]
    return bool(found) and found[0]["status"] == status and found[0]["observedGeneration"] == obj["metadata"]["generation"]


def session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    """A session without a total timeout, for watches."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=aiohttp.ClientTimeout(total=None))
