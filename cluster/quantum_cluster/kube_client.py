"""Speaks to the API server: plain requests and watches over one TLS session.

In    the server's address, a client certificate
Out   JSON objects as dictionaries; refusals as ApiError
Flow  node, EmbeddedCluster -> HERE -> kube-apiserver
Why   a node needs a dozen calls on untyped objects; a generated client takes longer to import than the node to start
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from quantum_cluster.pki import Credential

Object = dict[str, Any]

MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

# What a request can die of while the API server is away; callers retry on these.
UNREACHABLE: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


class ApiError(Exception):
    """The API server answered with a failure."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


def client_context(authority: Path, credential: Credential) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority))
    context.load_cert_chain(credential.cert, credential.key)
    return context


class KubeClient:
    """One session with the API server.  Use as an async context manager."""

    def __init__(self, server: str, context: ssl.SSLContext, request_timeout_seconds: float = 10.0) -> None:
        self.server = server
        self._context = context
        self._timeout = aiohttp.ClientTimeout(total=request_timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "KubeClient":
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._context, limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("KubeClient is used outside its context")
        return self._session

    async def request(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json", **params: str
    ) -> Object:
        data = None if body is None else json.dumps(body)
        async with self.session.request(
            method, self.server + path, data=data, params=params, headers={"Content-Type": content_type}, timeout=self._timeout
        ) as response:
            return await _answer(response)

    async def get(self, path: str, **params: str) -> Object:
        return await self.request("GET", path, None, "application/json", **params)

    async def create(self, path: str, body: Object) -> Object:
        return await self.request("POST", path, body)

    async def patch(self, path: str, body: Object, content_type: str = MERGE, **params: str) -> Object:
        return await self.request("PATCH", path, body, content_type, **params)

    async def delete(self, path: str, body: Object | None = None) -> Object:
        return await self.request("DELETE", path, body)

    async def text(self, path: str) -> str:
        async with self.session.get(self.server + path, timeout=aiohttp.ClientTimeout(total=2.0)) as response:
            response.raise_for_status()
            return await response.text()

    async def watch(self, path: str, params: Mapping[str, str]) -> AsyncIterator[tuple[str, Object]]:
        """Events until the server ends the watch; the caller reconnects."""
        query = {**params, "watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": "600"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
        async with self.session.get(self.server + path, params=query, timeout=timeout, read_bufsize=1 << 22) as response:
            if response.status >= 400:
                await _answer(response)
            async for line in response.content:
                event = json.loads(line)
                yield event["type"], event["object"]


async def _answer(response: aiohttp.ClientResponse) -> Object:
    text = await response.text()
    try:
        document: Object = json.loads(text)
    except ValueError:
        raise ApiError(response.status, "NotJson", text[:500]) from None
    if response.status >= 400:
        raise ApiError(response.status, document.get("reason", ""), document.get("message", text[:500]))
    return document
