"""Brings a pod's status to the API server, the newest only, through every outage.

In    the status as it is now
Out   patches of pods/status; at the end the pod's deletion
Flow  pod worker -> HERE -> API server
Why   a slow or absent API server must never hold a pod up, and never see an old status after a new one
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from quantum_cluster.kube_client import STRATEGIC, UNREACHABLE, ApiError, KubeClient, Object

log = logging.getLogger("quantum_cluster.status")
_GONE: Final = {404, 409}
_FIRST_DELAY_SECONDS, _LAST_DELAY_SECONDS = 0.05, 1.0


class StatusWriter:
    """``mark`` says that something changed; ``compute`` is asked when it is written."""

    def __init__(self, client: KubeClient, pod: Object, compute: Callable[[], Object]) -> None:
        meta = pod["metadata"]
        self._client = client
        self._uid = meta["uid"]
        self._path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        self._compute = compute
        self._dirty = asyncio.Event()
        self._sent: Object = {}

    def mark(self) -> None:
        self._dirty.set()

    async def run(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write the status as it is now, unless it was the last one written."""
        status = self._compute()
        if status != self._sent and await self._insist("PATCH", f"{self._path}/status", self._patch):
            self._sent = status

    async def delete(self) -> None:
        """Tell the API server that the pod's processes are gone: its name is free."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
        await self._insist("DELETE", self._path, lambda: options)

    def _patch(self) -> Object:
        """Computed anew at every try; the uid keeps it off a newer pod of the same name."""
        return {"metadata": {"uid": self._uid}, "status": self._compute()}

    async def _insist(self, method: str, path: str, body: Callable[[], Object]) -> bool:
        delay_seconds = _FIRST_DELAY_SECONDS
        while True:
            try:
                await self._client.request(method, path, body(), STRATEGIC if method == "PATCH" else "application/json")
            except ApiError as error:
                if error.status in _GONE:
                    return False
                log.warning("%s %s: %s", method, path, error)
            except UNREACHABLE as error:
                log.info("%s %s: %r", method, path, error)
            else:
                return True
            await asyncio.sleep(delay_seconds)
            delay_seconds = min(_LAST_DELAY_SECONDS, delay_seconds * 2)
