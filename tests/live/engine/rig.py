"""A real engine process on loopback, the operator's pen to sign documents with, and a real Redis."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.redis_server import free_port

from quantum_api import policy_document as pd
from quantum_api.gate import Gate
from quantum_api.trading_policy import Limits

ENGINE = "trading/engine-0"
HALT_TOKEN = "a-token-for-tests"
DEADLINE_SECONDS = 15.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def limits(**changes: Any) -> Limits:
    base = {
        "instruments": ["BTCUSDT", "ETHUSDT"],
        "max_order_notional_usdt": 20_000,
        "max_position_notional_usdt": 50_000,
        "max_gross_exposure_usdt": 100_000,
        "max_leverage_bps": 100_000,
        "stop_cooldown_seconds": 0,
    }
    return Limits(**(base | changes))


class Pen:
    """Signs documents as an operator does."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.key_id = pd.key_id(self._key.public_key())

    @property
    def jwks(self) -> str:
        return json.dumps({"keys": [pd.jwk_of(self._key.public_key())]})

    def document(
        self, seen: int, *, engine: str = ENGINE, lease_seconds: int = 60, issued_at_ms: int | None = None, **changes: Any
    ) -> bytes:
        issued = issued_at_ms or now_ms()
        fields: dict[str, Any] = {
            "engine": engine,
            "epoch": seen,
            "seen": pd.Seen(trading_policies=seen, strategy_modes=seen, emergency_stops=seen, engine=seen),
            "issued_at_ms": issued,
            "expires_at_ms": issued + lease_seconds * 1000,
            "lease_seconds": lease_seconds,
            "gate": Gate.ACTIVE,
            "limits": limits(),
            "strategy": None,
        }
        return pd.sign(pd.PolicyDocument(**(fields | changes)), self._key, self.key_id)


@dataclass
class EngineRig:
    """One engine process that a test starts, kills and starts again on the same disk."""

    folder: Path
    pen: Pen
    session: aiohttp.ClientSession
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    lines: list[str] = field(default_factory=list)
    _reader: threading.Thread = field(default_factory=threading.Thread)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        mine = {
            "POD_NAMESPACE": "trading",
            "POD_NAME": "engine-0",
            "QT_ENGINE_CONTROL_HOST": "127.0.0.1",
            "QT_ENGINE_CONTROL_PORT": str(self.port),
            "QT_ENGINE_JOURNAL_PATH": str(self.folder / "journal" / "journal.db"),
            "QT_ENGINE_JWKS_FILE": str(self.folder / "jwks.json"),
            "QT_ENGINE_HALT_TOKEN_FILE": str(self.folder / "token"),
        }
        return os.environ | mine | self.env

    async def start(self, **env: str) -> None:
        """Returns when the engine is ready."""
        (self.folder / "jwks.json").write_text(self.pen.jwks)
        (self.folder / "token").write_text(HALT_TOKEN)
        (self.folder / "journal").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "quantum_engine", "run"]
        self.process = self._spawn(command, self.environment | env)
        await self.until(self._is_ready, "the engine is ready")

    def _spawn(self, command: list[str], env: dict[str, str]) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._drain, args=(process,), daemon=True)
        self._reader.start()
        return process

    def _drain(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self.lines.append(line.decode(errors="replace"))

    async def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "".join(self.lines[-40:])
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.get(f"{self.base_url}/readyz") as answer:
                return answer.status == 200
        return False

    async def died(self) -> int:
        """Wait for the process to end by itself."""
        assert self.process is not None
        process = self.process
        await self.until(lambda: _now(process.poll() is not None), "the engine died")
        self._close()
        return int(process.returncode)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def terminate(self) -> float:
        """SIGTERM; how long the end took, in seconds."""
        began = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - began

    def _end(self, number: int) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(number)
            self.process.wait(10)
            self._close()

    def _close(self) -> None:
        self._reader.join(5)
        self.process = None

    async def put(self, token: bytes) -> tuple[int, dict[str, Any]]:
        async with self.session.put(f"{self.base_url}/v1/policy", data=token, headers={"Content-Type": "application/jose"}) as answer:
            return answer.status, await answer.json()

    async def status(self, since: int = 0, instance: str = "", wait: float = 0) -> dict[str, Any]:
        query: dict[str, str] = {"since": str(since), "wait": str(wait)} | ({"instance": instance} if instance else {})
        async with self.session.get(f"{self.base_url}/v1/status", params=query) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, Any] = await answer.json()
            return found

    async def halt(self, reason: str, token: str = HALT_TOKEN, **body: str) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(f"{self.base_url}/v1/halt", json={"reason": reason} | body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def until_status(
        self, holds: Callable[[dict[str, Any]], bool], promise: str, seconds: float = DEADLINE_SECONDS
    ) -> dict[str, Any]:
        """The first status for which ``holds``."""
        last: dict[str, Any] = {}

        async def look() -> bool:
            last.clear()
            last.update(await self.status())
            return holds(last)

        try:
            await self.until(look, promise, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the last status was {json.dumps(last, indent=1)}\n{''.join(self.lines[-15:])}") from error
        return last

    async def until(self, holds: Callable[[], Awaitable[bool]], promise: str, seconds: float = DEADLINE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not await holds():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {promise}"
            await asyncio.sleep(0.02)


async def _now(truth: bool) -> bool:
    return truth
