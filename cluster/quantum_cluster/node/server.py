"""Answers what the API server asks a kubelet: container logs and exec.

In    requests from the API server, with its client certificate
Out   log files' content, followed if asked; a command's streams over a WebSocket
Flow  `kubectl logs`, `kubectl exec` -> API server -> HERE -> files, processes
Why   people debug with kubectl; attach, port-forward and SPDY clients are left out
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from quantum_cluster.node.container import Container
from quantum_cluster.node.exec_session import ExecSession
from quantum_cluster.node.pod_worker import PodWorker
from quantum_cluster.pki import Credential

_CHUNK_BYTES: Final = 1 << 16
_FOLLOW_POLL_SECONDS: Final = 0.1

FindWorker = Callable[[str], PodWorker | None]


class KubeletServer:
    """Serves while its context is open."""

    def __init__(self, host: str, port: int, authority: Path, credential: Credential, find: FindWorker) -> None:
        self._host, self._port = host, port
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(credential.cert, credential.key)
        self._find = find
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "KubeletServer":
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        app.router.add_route("*", "/exec/{namespace}/{pod}/{container}", self._exec)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port, ssl_context=self._context).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    def _container(self, request: web.Request) -> Container:
        worker = self._find(f"{request.match_info['namespace']}/{request.match_info['pod']}")
        for container in worker.every_container if worker else []:
            if container.spec["name"] == request.match_info["container"]:
                return container
        raise web.HTTPNotFound(text="no such container on this node")

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        container, query = self._container(request), request.query
        path = container.log
        if query.get("previous") == "true":
            path = path.with_name(f"{container.view.restart_count - 1}.log")
        if not path.exists():
            raise web.HTTPBadRequest(text=f"container {container.spec['name']} has no such log")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await _send_log(response, path, query.get("tailLines"), lambda: query.get("follow") == "true" and container.pid is not None)
        return response

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        if container.pid is None or container.target is None:
            raise web.HTTPBadRequest(text=f"container {container.spec['name']} does not run")
        return await ExecSession(request, container.target, container.pid).run()


async def _send_log(response: web.StreamResponse, path: Path, tail_lines: str | None, goes_on: Callable[[], bool]) -> None:
    with path.open("rb") as log:
        if tail_lines is not None:
            log.seek(_tail_offset(log.read(), int(tail_lines)))
        while True:
            follow = goes_on()
            while chunk := log.read(_CHUNK_BYTES):
                await response.write(chunk)
            if not follow:
                return
            await asyncio.sleep(_FOLLOW_POLL_SECONDS)


def _tail_offset(content: bytes, lines: int) -> int:
    """Where the last so many lines begin."""
    if lines <= 0:
        return len(content)
    offset = len(content) - (1 if content.endswith(b"\n") else 0)
    for _ in range(lines):
        offset = content.rfind(b"\n", 0, offset)
        if offset < 0:
            return 0
    return offset + 1
