"""Carries out one probe or hook: an HTTP request, a TCP connection, a command inside the container.

In    the action as the pod spells it, the container's address, pid and environment
Out   whether it succeeded, and what to tell when not
Flow  container -> HERE -> its program
Why   probes and lifecycle hooks share their three forms
"""

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from quantum_cluster.node.fields import Object
from quantum_cluster.process import Child

_ANY_CERTIFICATE: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ANY_CERTIFICATE.check_hostname = False
_ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE  # as a kubelet: a probe asks whether somebody answers, not who


@dataclass(frozen=True)
class Target:
    """A running container, seen from the node."""

    ip: str
    pid: int
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    cwd: str


async def perform(action: Object, target: Target, session: aiohttp.ClientSession, timeout_seconds: float) -> str | None:
    """None when it succeeded, else why not."""
    try:
        async with asyncio.timeout(timeout_seconds):
            if "httpGet" in action:
                return await _http(action["httpGet"], target, session)
            if "tcpSocket" in action:
                return await _tcp(action["tcpSocket"], target)
            if "exec" in action:
                return await _command(action["exec"]["command"], target)
            if "sleep" in action:
                await asyncio.sleep(action["sleep"]["seconds"])
                return None
            return f"{', '.join(action)} is not supported by this node"
    except TimeoutError:
        return f"no answer within {timeout_seconds:g} s"


def inside(target_pid: int, cwd: str, command: Sequence[str]) -> list[str]:
    """The command line that runs a command in a container's mount namespace."""
    user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
    nsenter, env = shutil.which("nsenter") or "nsenter", shutil.which("env") or "env"
    return [nsenter, "-t", str(target_pid), *user, "-m", "-u", "--", env, "-C", cwd, *command]


async def _http(action: Object, target: Target, session: aiohttp.ClientSession) -> str | None:
    scheme = action.get("scheme", "HTTP").lower()
    url = f"{scheme}://{action.get('host') or target.ip}:{_port(action['port'], target)}{action.get('path', '/')}"
    headers = {each["name"]: each["value"] for each in action.get("httpHeaders", [])}
    try:
        async with session.get(url, headers=headers, ssl=_ANY_CERTIFICATE, allow_redirects=False) as response:
            return None if 200 <= response.status < 400 else f"HTTP probe failed with statuscode: {response.status}"
    except (aiohttp.ClientError, OSError) as error:
        return f"GET {url}: {error}"


async def _tcp(action: Object, target: Target) -> str | None:
    host, port = action.get("host") or target.ip, _port(action["port"], target)
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        return f"connect to {host}:{port}: {error}"
    writer.close()
    return None


async def _command(command: Sequence[str], target: Target) -> str | None:
    popen = subprocess.Popen(  # noqa: ASYNC220 — vfork returns within a millisecond
        inside(target.pid, target.cwd, command), env=dict(target.environment), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    child = Child(popen)
    try:
        code = await asyncio.shield(child.exited)
    except asyncio.CancelledError:
        child.send(signal.SIGKILL)
        raise
    return None if code == 0 else f"{' '.join(command)} exited with {code}"


def _port(port: int | str, target: Target) -> int:
    return target.ports[port] if isinstance(port, str) and port in target.ports else int(port)
