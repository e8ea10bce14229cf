"""Wires one engine: the only place where stages meet.

In    Settings
Out   a running engine, until SIGTERM
Flow  __main__ -> HERE -> stages

Order at start: journal -> latches -> breaker -> document -> control surface; the exchange comes after, because a stopped engine must be
reachable, and must be stopped, before it can trade.
"""

import asyncio
import random
import signal
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

from quantum_api.engine_status import Acknowledgement, DocumentRefused, Latch, RunningStrategy
from quantum_api.trading_policy import StopAction
from quantum_engine import logs, metrics
from quantum_engine.adapters.guarded_journal import GuardedJournal
from quantum_engine.adapters.halt_requests import HaltFile, HaltRequests
from quantum_engine.adapters.key_file import KeyFile
from quantum_engine.adapters.redis_mirror import RedisMirror, Remembered
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.clock import random_id
from quantum_engine.control import desk, routes, view
from quantum_engine.control.board import StatusBoard
from quantum_engine.control.intents import IntentDesk
from quantum_engine.control.ports import Finding, Snapshot
from quantum_engine.control.service import ControlServer
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.pull import StopPuller
from quantum_engine.emergency.service import LatchKeeper, StopWorker
from quantum_engine.errors import RetryableError
from quantum_engine.healing.service import Supervisor
from quantum_engine.ordered_faults import MachineClock
from quantum_engine.permission import Permission
from quantum_engine.policy.accept import Channel
from quantum_engine.policy.service import PolicyStore, Refused
from quantum_engine.risk.service import Risk
from quantum_engine.settings import Settings
from quantum_engine.telling import Telling
from quantum_engine.trading import NoExchange, Trading

CONTROL: Final = "control"
HALT_STORED_SECONDS: Final = 2.0
_BEAT_SECONDS: Final = 0.5
_HALT_POLL_SECONDS: Final = 0.1
_MIRROR_AT_START_SECONDS: Final = 1.0
_log = logs.logger("node")


class Node:
    """One engine process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._instance = uuid.uuid4().hex
        self._clock = MachineClock()
        self._stopping = asyncio.Event()
        self._permission = Permission()
        self._file = SqliteJournal(settings.journal_path)
        self._telling = Telling(settings, self._file, self._clock)
        self._journal = GuardedJournal(self._telling.journal, self._permission)
        self._keys = KeyFile(settings.jwks_file, self._clock)
        self._book = LatchBook(self._permission, self._clock)
        self._keeper = LatchKeeper(self._book, self._journal, self._clock)
        self._puller = StopPuller(settings.pod_name, self._book, self._clock, random_id)
        self._policy = PolicyStore(settings.engine, self._journal, self._keys, self._book, self._permission, self._clock, _boot_id())
        self._mirror = RedisMirror(settings.redis_url, settings.engine, self._book.rows) if settings.redis_url else None
        self._halts = HaltRequests(settings.journal_path)
        limits = lambda: self._policy.limits  # noqa: E731
        self._risk = Risk(self._journal, self._permission, self._clock, limits, self._puller, self._mirror or _NoMirror())
        self._trading = self._trading_of(settings) if settings.has_exchange else None
        self._worker = self._trading.worker if self._trading else self._worker_without_exchange()
        self._board = StatusBoard(settings.engine, self._instance, self._permission, self._snapshot, self._clock)
        self._supervisor = Supervisor(self._permission, self._clock, random.random)
        self._server = ControlServer(routes.build(self._desks()), settings.listen_host, settings.control_port)

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        logs.configure(self._settings.log_level, engine=self._settings.engine, instance=self._instance)
        self._catch_signals()
        self._keys.reread()
        self._wire()
        await self._restore()
        self._board.publish()
        self._start_stages()
        await self._stopping.wait()
        await self._shut_down()

    async def _restore(self) -> None:
        await self._file.open()
        await self._telling.restore()
        await self._keeper.restore()
        await self._risk.restore()
        await self._policy.restore()
        for request in self._halts.pending():
            self._take_halt(request)
        if self._mirror:
            with suppress(TimeoutError):
                async with asyncio.timeout(_MIRROR_AT_START_SECONDS):
                    await self._meet_mirror(self._mirror)

    def _wire(self) -> None:
        """Who hears of whom.  Every change ends at the status board."""
        self._policy.on_change(self._risk.limits_may_have_changed)
        self._book.on_clear(lambda latch: self._risk.released(latch.trigger))
        self._permission.on_change(self._board.touch)
        self._policy.on_change(self._board.touch)
        self._book.on_change(self._board.touch)
        if self._mirror:
            self._book.on_change(self._mirror.keep_latches)
        self._risk.on_change(self._board.touch)
        self._telling.listen(self._trading, self._policy)

    def _start_stages(self) -> None:
        start = self._supervisor.start
        start(CONTROL, self._server.run, is_vital=True)
        start("journal", self._journal.run, is_vital=True)
        start("latches", self._keeper.run, is_vital=True)
        start("policy", self._policy.run, is_vital=True)
        start("risk", self._risk.run, is_vital=True)
        start("beat", self._beat)
        start("halt-requests", self._watch_halts, is_vital=True)
        if (mirror := self._mirror) is not None:
            start("mirror", lambda: mirror.run(self._take_remembered))
            start("mirror-document", lambda: self._policy.follow(mirror))
        self._telling.start(self._supervisor, self._journal, self._permission)
        start("emergency", self._worker.run, is_vital=True)
        if self._trading:
            self._trading.start(self._supervisor, self._board.touch)

    def _trading_of(self, settings: Settings) -> Trading:
        return Trading(settings, self._journal, self._permission, self._policy, self._risk, self._book, self._keeper, self._clock)

    def _worker_without_exchange(self) -> StopWorker:
        absent = NoExchange()
        return StopWorker(self._book, self._keeper, absent, absent.submit, lambda: self._policy.limits, self._clock, random_id)

    async def _meet_mirror(self, mirror: RedisMirror) -> None:
        """Before anything may open: what an engine that lost its disk left in Redis."""
        try:
            self._take_remembered(await mirror.remembered())
            mirror.met = True
            token = await mirror.document()
        except RetryableError as error:
            _log.warning("mirror_not_met_at_start", error=str(error))
            return
        if token is not None:
            await self._policy.offer(token, Channel.MIRROR)

    def _take_remembered(self, remembered: Remembered) -> None:
        """Tightens only: latches are united, the peak counts if the journal knew none."""
        self._book.import_mirrored(remembered.latches)
        self._risk.remember(remembered.peak)

    def _take_halt(self, request: HaltFile) -> str:
        """The id of the latch that the file asks for."""
        asked = self._halts.again(request) if self._book.was_cleared(request.id) else request
        if not self._book.was_cleared(asked.id):
            self._puller.pull_by_hand(asked.reason, asked.action, asked.id, asked.by)
        return asked.id

    async def _watch_halts(self) -> None:
        """A request's file goes once its latch is on disk.  None waits for that here: a stop is not held up by the disk of another."""
        while True:
            for request in self._halts.pending():
                latch_id = self._take_halt(request)
                latch = self._book.get(latch_id)
                if self._book.was_cleared(latch_id) or (latch is not None and latch.gate_closed_at_ms is not None):
                    self._halts.done(request)
            await asyncio.sleep(_HALT_POLL_SECONDS)

    async def _shut_down(self) -> None:
        """Well under two seconds: nothing that matters is only in memory.  Who asks is answered to the end."""
        _log.info("engine_stopping")
        self._board.close()
        await self._supervisor.stop(but={CONTROL})
        await self._server.stop()
        await self._supervisor.stop()
        if self._trading:
            await self._trading.close()
        if self._mirror:
            await self._mirror.close()
        await self._telling.close(self._journal)
        await self._journal.close()
        _log.info("engine_stopped")

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)

    async def _beat(self) -> None:
        """Measure how late the event loop is, and let the status show what nobody announced."""
        while True:
            due = self._clock.monotonic() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            metrics.LOOP_LAG_SECONDS.set(max(0.0, self._clock.monotonic() - due))
            metrics.RESTRICTIONS.set(len(self._permission.restrictions))
            if self._trading:
                self._trading.exchange.measure()
            self._board.publish()

    def _desks(self) -> routes.Desks:
        return routes.Desks(
            board=self._board,
            policy=self._put_policy,
            halt=self._halt,
            halt_token=lambda: _token(self._settings.halt_token_file),
            intents=IntentDesk(
                self._trading.router if self._trading else None, lambda: _token(self._settings.intents_token_file), random_id
            ),
            live=self._live,
            ready=self._ready,
        )

    async def _put_policy(self, token: bytes) -> Acknowledgement | DocumentRefused:
        with self._board.held():
            outcome = await self._policy.offer(token, Channel.PUSH)
        if isinstance(outcome, Refused):
            return desk.refusal(outcome.reason, outcome.message, outcome.held)
        return desk.acknowledgement(self._settings.engine, outcome, self._permission, self._board)

    async def _halt(self, reason: str, action: StopAction, by: str) -> Latch:
        latch = self._puller.pull_by_hand(reason, action, by=by)
        await self._keeper.stored(latch.id, HALT_STORED_SECONDS)
        return self._book.get(latch.id) or latch

    def _snapshot(self) -> Snapshot:
        held, refused = self._policy.held, self._policy.last_refusal
        strategy, trading = self._policy.strategy, self._trading
        return Snapshot(
            policy=desk.held_policy(held, lease_valid=self._policy.lease_valid) if held else None,
            last_refusal=desk.refusal(refused.reason, refused.message, refused.held) if refused else None,
            emergency=self._book.state,
            latches=self._book.latches,
            drawdown=view.drawdown(self._risk.state),
            strategy=RunningStrategy(mode=strategy.mode, applied_at_ms=held.applied_at_ms) if strategy and held else None,
            positions=trading.held() if trading else (),
            open_orders=len(trading.positions.open_orders) if trading else 0,
            reconciled=trading.positions.reconciled if trading else False,
            dependencies=self._dependencies(),
            crashes=tuple(self._supervisor.history),
            refusals=dict(trading.execution.refusals) if trading else {},
        )

    def _dependencies(self) -> dict[str, str]:
        known = {"journal": "up" if self._journal.writable else "down the last write failed"} | self._telling.dependency
        if self._mirror:
            known["redis"] = "up" if self._mirror.up else f"down {self._mirror.problem}"
        if self._trading:
            known["exchange"] = self._trading.dependency
            known["deadman"] = f"down {problem}" if (problem := self._trading.deadman.problem) else "up"
        return known

    def _live(self) -> list[Finding]:
        return [
            Finding("event-loop", ok=True, detail="it answered this request", needed=True),
            Finding("journal-writer", ok=self._file.alive, detail="the thread that writes the journal", needed=True),
        ]

    def _ready(self) -> list[Finding]:
        given_up, crashes = self._supervisor.given_up, self._supervisor.history
        stages = f"given up: {given_up}" if given_up else "all run"
        return [
            Finding("control", ok=self._server.up, detail="listening", needed=True),
            Finding("journal", ok=self._journal.writable, detail="whether the last write succeeded", needed=True),
            Finding("exchange-client", ok=True, detail="constructed" if self._trading else "no exchange is configured", needed=True),
            Finding("keys", ok=not self._keys.problem, detail=self._keys.problem or "the JWKS file was read", needed=False),
            Finding("stages", ok=not given_up, detail=stages, needed=False),
            Finding("crashes", ok=not crashes, detail="; ".join(view.crash(each) for each in crashes) or "none", needed=False),
            Finding("policy", ok=self._policy.lease_valid, detail="whether a document is held and its lease runs", needed=False),
            Finding("gate", ok=True, detail=self._permission.gate, needed=False),
        ]


class _NoMirror:
    def keep_peak(self, row: bytes) -> None:
        """There is no mirror."""


def _boot_id() -> str:
    """Linux: the same for every process until the machine boots again.  Empty elsewhere."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _token(path: Path | None) -> bytes | None:
    try:
        return path.read_bytes().strip() if path else None
    except OSError as error:
        _log.error("token_unreadable", error=str(error))
        return None
