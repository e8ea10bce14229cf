"""Speaks one `kubectl exec`: a command inside a container, its streams over a WebSocket.

In    an upgrade request, the container's pid and environment
Out   the command's output and exit status
Flow  API server (which passes the WebSocket through, KEP-4006) -> HERE -> nsenter
Why   the protocol is five channels in the first byte of each message; terminals are left out
"""

import asyncio
import json
import os
import signal
import subprocess
from typing import IO, Final

from aiohttp import WSMsgType, web

from quantum_cluster.node.actions import Target, inside
from quantum_cluster.process import Child

_PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _CLOSE = 0, 1, 2, 3, 255
_CHUNK_BYTES: Final = 1 << 15


class ExecSession:
    """Lives as long as the command or the connection."""

    def __init__(self, request: web.Request, target: Target, pid: int) -> None:
        self._request = request
        self._target = target
        self._pid = pid
        self._socket = web.WebSocketResponse(protocols=_PROTOCOLS)

    async def run(self) -> web.StreamResponse:
        command = self._request.query.getall("command", [])
        if self._request.headers.get("Upgrade", "").lower() != "websocket":
            raise web.HTTPBadRequest(text="this node speaks exec over WebSockets only: use kubectl 1.31 or newer")
        await self._socket.prepare(self._request)
        popen = subprocess.Popen(  # noqa: ASYNC220 — vfork returns within a millisecond
            inside(self._pid, self._target.cwd, command), env=dict(self._target.environment), start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        assert popen.stdin is not None
        assert popen.stdout is not None
        assert popen.stderr is not None
        child = Child(popen)
        stdout, stderr = popen.stdout.fileno(), popen.stderr.fileno()
        feeding = asyncio.create_task(self._feed(popen.stdin, child))
        if self._request.query.get("input") != "1":
            popen.stdin.close()
        try:
            await asyncio.gather(self._drain(stdout, _STDOUT), self._drain(stderr, _STDERR))
            await self._say_exit(await asyncio.shield(child.exited))
        finally:
            child.send(signal.SIGKILL)
            feeding.cancel()
            for stream in (popen.stdin, popen.stdout, popen.stderr):
                stream.close()
        await self._socket.close()
        return self._socket

    async def _drain(self, descriptor: int, channel: int) -> None:
        while chunk := await asyncio.to_thread(os.read, descriptor, _CHUNK_BYTES):
            await self._socket.send_bytes(bytes([channel]) + chunk)

    async def _feed(self, stdin: IO[bytes], child: Child) -> None:
        """Client to command; a client that leaves takes the command with it."""
        async for message in self._socket:
            if message.type != WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == _STDIN:
                await asyncio.to_thread(stdin.write, data)
            elif channel == _CLOSE and data[:1] == bytes([_STDIN]):
                stdin.close()
        child.send(signal.SIGKILL)

    async def _say_exit(self, code: int) -> None:
        status: dict[str, object] = {"metadata": {}, "status": "Success"}
        if code != 0:
            causes = [{"reason": "ExitCode", "message": str(code if code > 0 else 128 - code)}]
            status = {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
            status["message"] = f"command terminated with non-zero exit code: {code}"
        await self._socket.send_bytes(bytes([_ERROR]) + json.dumps(status).encode())
