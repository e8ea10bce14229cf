"""An engine's control surface in the test's own process: it verifies, fences and acknowledges with the contract's own code.

It keeps no journal and trades nothing.  What the operator sees of an engine (acknowledgement, refusal, latch, release, drawdown) is real.
"""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from aiohttp import web

from quantum_api import names
from quantum_api.engine_status import (
    Acknowledgement,
    DocumentRefused,
    Drawdown,
    EmergencyState,
    EngineStatus,
    HeldPolicy,
    Latch,
    LatchOrigin,
)
from quantum_api.gate import Gate
from quantum_api.policy_document import Jwks, Rejected, Verified, verify
from quantum_api.refusals import DocumentRefusal
from quantum_api.trading_policy import StopAction


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class FakeEngine:
    """One engine.  ``jwks`` is set by the test once the operator has published it."""

    id: str
    jwks: Jwks | None = None
    instance: str = field(default_factory=lambda: uuid4().hex)
    version: int = 1
    held: Verified | None = None
    applied_at_ms: int = 0
    latches: list[Latch] = field(default_factory=list)
    drawdown: Drawdown = field(default_factory=lambda: Drawdown(equity_usdt="1000", peak_usdt="1000", drawdown_bps=0))
    history: list[Verified] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    deaf: bool = False
    """Answers every push with an error, so nothing gets through."""

    def __post_init__(self) -> None:
        self.grew = asyncio.Event()

    @property
    def gate(self) -> Gate:
        return self.held.document.gate if self.held else Gate.HALTED

    def touch(self) -> None:
        self.version += 1
        self.grew.set()
        self.grew = asyncio.Event()

    def restart(self, *, keep: bool = True) -> None:
        """A new process; ``keep`` = with its journal."""
        self.instance, self.version = uuid4().hex, 0
        if not keep:
            self.held, self.latches = None, []
        self.touch()

    def trip(self, id_: str, trigger: str = "Drawdown", action: StopAction = StopAction.FLATTEN) -> Latch:
        latch = Latch(
            id=id_, action=action, origin=LatchOrigin.ENGINE, trigger=trigger, reason="equity fell", measured="1200 bps", limit="1000 bps",
            tripped_at_ms=now_ms(), gate_closed_at_ms=now_ms(),
        )  # fmt: skip
        self.latches.append(latch)
        self.touch()
        return latch

    def finish_latches(self) -> None:
        done = {"orders_cancelled_at_ms": now_ms(), "positions_flat_at_ms": now_ms()}
        self.latches = [latch.model_copy(update=done) for latch in self.latches]
        self.touch()

    def take(self, token: bytes) -> tuple[int, Acknowledgement | DocumentRefused]:
        verdict = verify(token, self.jwks or Jwks({}), self.id)
        if isinstance(verdict, Rejected):
            self.refused.append(verdict.reason)
            return 422, DocumentRefused(reason=verdict.reason, message=verdict.message)
        document, held = verdict.document, self.held.document if self.held else None
        if held and (
            not document.seen.covers(held.seen) or (held.seen.covers(document.seen) and document.issued_at_ms < held.issued_at_ms)
        ):
            self.refused.append(DocumentRefusal.STALE_EPOCH)
            return 409, DocumentRefused(reason=DocumentRefusal.STALE_EPOCH, message="a component goes back", held_epoch=held.epoch)
        self.held, self.applied_at_ms = verdict, now_ms()
        self.history.append(verdict)
        self._latch(verdict)
        self.touch()
        return 200, Acknowledgement(
            engine=self.id, instance=self.instance, epoch=document.epoch, digest=verdict.digest, gate=self.gate,
            applied_at_ms=self.applied_at_ms, status_version=self.version,
        )  # fmt: skip

    def _latch(self, verdict: Verified) -> None:
        known = {latch.id for latch in self.latches}
        for stop in verdict.document.stops:
            if stop.id not in known:
                self.latches.append(
                    Latch(
                        id=stop.id,
                        action=stop.action,
                        symbols=stop.symbols,
                        origin=LatchOrigin.OBJECT,
                        trigger="Object",
                        reason=stop.reason,
                        tripped_at_ms=now_ms(),
                        gate_closed_at_ms=now_ms(),
                    )
                )
        self.latches = [latch for latch in self.latches if latch.id not in verdict.document.released]

    def status(self) -> EngineStatus:
        return EngineStatus(
            engine=self.id, instance=self.instance, version=self.version, started_at_ms=0, as_of_ms=now_ms(), gate=self.gate,
            policy=self._held_policy(), emergency=EmergencyState.TRIPPED if self.latches else EmergencyState.ARMED,
            latches=self.latches, drawdown=self.drawdown, reconciled=True,
        )  # fmt: skip

    def _held_policy(self) -> HeldPolicy | None:
        if self.held is None:
            return None
        document = self.held.document
        return HeldPolicy(
            epoch=document.epoch, seen=document.seen, digest=self.held.digest, key_id=self.held.key_id,
            issued_at_ms=document.issued_at_ms, expires_at_ms=document.expires_at_ms, applied_at_ms=self.applied_at_ms,
            lease_valid=now_ms() < document.expires_at_ms, sources=document.sources, released=document.released,
        )  # fmt: skip


class FakeServer:
    """One or many engines behind one process.  An engine is found by the port it is asked on."""

    def __init__(self) -> None:
        self.engines: dict[int, FakeEngine] = {}
        self._runners: dict[int, web.AppRunner] = {}

    async def start(self, engine: FakeEngine, host: str = "127.0.0.1", port: int = 0, key: int | None = None) -> int:
        app = web.Application()
        app.router.add_put(names.POLICY_PATH, partial(self._put, engine))
        app.router.add_get(names.STATUS_PATH, partial(self._get, engine))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, host, port, backlog=1024).start()
        bound = runner.addresses[0][1]
        named = bound if key is None else key
        self.engines[named], self._runners[named] = engine, runner
        return bound

    async def stop(self, port: int) -> None:
        await self._runners.pop(port).cleanup()
        self.engines.pop(port)

    async def close(self) -> None:
        for port in list(self._runners):
            await self.stop(port)

    async def _put(self, engine: FakeEngine, request: web.Request) -> web.Response:
        if engine.deaf:
            return web.Response(status=503)
        status, answer = engine.take(await request.read())
        return web.Response(status=status, body=answer.model_dump_json(by_alias=True), content_type="application/json")

    async def _get(self, engine: FakeEngine, request: web.Request) -> web.Response:
        since, wait = int(request.query.get("since", 0)), float(request.query.get("wait", 0))
        deadline = time.monotonic() + wait
        while request.query.get("instance", engine.instance) == engine.instance and engine.version <= since:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(engine.grew.wait(), left)
            except TimeoutError:
                break
        return web.Response(body=engine.status().model_dump_json(by_alias=True), content_type="application/json")


Document = dict[str, Any]
