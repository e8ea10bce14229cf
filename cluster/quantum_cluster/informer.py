"""Keeps a local copy of one kind of objects, through every outage of the API server.

In    a list path, a client
Out   the objects by namespace and name; a call per change
Flow  API server -> HERE -> node
Why   a broken watch resumes where it stopped; only a resourceVersion that is gone makes it list again
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from quantum_cluster.kube_client import UNREACHABLE, ApiError, KubeClient, Object

log = logging.getLogger("quantum_cluster.informer")

OnChange = Callable[[str, Object], None]
_FIRST_DELAY_SECONDS: Final = 0.05
_LAST_DELAY_SECONDS: Final = 1.0
_PAGE: Final = "500"


def key_of(item: Object) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


class Informer:
    """``on_change(kind, object)`` is called with ADDED, MODIFIED or DELETED after ``items`` has changed."""

    def __init__(self, client: KubeClient, path: str, on_change: OnChange, **selectors: str) -> None:
        self.items: dict[str, Object] = {}
        self.synced = asyncio.Event()
        self._client = client
        self._path = path
        self._on_change = on_change
        self._selectors = selectors
        self._version: str | None = None
        self._delay_seconds = _FIRST_DELAY_SECONDS

    async def run(self) -> None:
        while True:
            try:
                if self._version is None:
                    await self._list()
                await self._watch()
            except ApiError as error:
                log.info("%s: %s", self._path, error)
                self._version = None if error.status == 410 else self._version
                await self._pause()
            except UNREACHABLE as error:
                log.info("%s: %r", self._path, error)
                await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(self._delay_seconds)
        self._delay_seconds = min(_LAST_DELAY_SECONDS, self._delay_seconds * 2)

    async def _list(self) -> None:
        page = await self._client.get(self._path, limit=_PAGE, **self._selectors)
        items = list(page["items"])
        while page["metadata"].get("continue"):
            page = await self._client.get(self._path, limit=_PAGE, **{"continue": page["metadata"]["continue"]}, **self._selectors)
            items += page["items"]
        self._version = page["metadata"]["resourceVersion"]
        present = {key_of(item) for item in items}
        for gone in [key for key in self.items if key not in present]:
            self._apply("DELETED", self.items[gone])
        for item in items:
            self._apply("MODIFIED" if key_of(item) in self.items else "ADDED", item)
        self.synced.set()

    async def _watch(self) -> None:
        params = {**self._selectors, "resourceVersion": self._version or ""}
        async for kind, item in self._client.watch(self._path, params):
            if kind == "ERROR":
                raise ApiError(item.get("code", 500), item.get("reason", ""), item.get("message", ""))
            self._delay_seconds = _FIRST_DELAY_SECONDS
            self._version = item["metadata"]["resourceVersion"]
            if kind != "BOOKMARK":
                self._apply(kind, item)

    def _apply(self, kind: str, item: Object) -> None:
        if kind == "DELETED":
            self.items.pop(key_of(item), None)
        else:
            self.items[key_of(item)] = item
        self._on_change(kind, item)
