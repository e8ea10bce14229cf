"""One engine, one venue, one Redis, one disk, and what may happen to them.

In    calls of the steps of a history
Out   Evidence
Flow  steps -> HERE -> engine_life, people, venue_side; settling
Why   everything is real but the passing of time: wire, signatures, fsync, Redis, and the stages as node.py wires them
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.live.engine.rig import ENGINE
from tests.live.laws.engine_life import Life
from tests.live.laws.evidence import Evidence, Told
from tests.live.laws.people import People
from tests.live.laws.redis import Redis
from tests.live.laws.venue_side import KEY, SECRET, SYMBOLS, VenueSide
from tests.live.laws.virtual_time import WorldLoop
from tests.live.laws.watch import LatchWatch

from quantum_engine.domain import OrderIntent
from quantum_engine.settings import Settings
from quantum_engine.verdicts import Accepted

START_SECONDS = 20.0


class World:
    """Lives from ``start`` to ``end`` on one loop."""

    def __init__(self, loop: WorldLoop, folder: Path, redis: Redis) -> None:
        self.clock, self.redis, self._folder = loop.clock, redis, folder
        self.side = VenueSide(loop)
        self.evidence = Evidence(arrivals=self.side.arrivals)
        self.watch = LatchWatch(self.evidence)
        self.people = People(self.clock, lambda: self.side.now, self.evidence, self.watch)
        self._is_disk_full = False
        self._lives: list[Life] = []

    @property
    def life(self) -> Life:
        """The newest process."""
        return self._lives[-1]

    @property
    def running(self) -> Life | None:
        return self._lives[-1] if self._lives else None

    @property
    def journal_path(self) -> Path:
        return self._folder / "journal" / "journal.db"

    async def start(self) -> None:
        await self.side.start()
        (self._folder / "jwks.json").write_text(self.people.pen.jwks)
        (self._folder / "account.json").write_text(json.dumps({"apiKey": KEY, "apiSecret": SECRET}))
        await self._boot()
        await self.push()
        assert await self.until(self._is_open, START_SECONDS), f"the engine did not open: {self.life.status.gate_reasons}"

    async def end(self) -> None:
        if self.running is not None:
            await self.life.crash()
        await self.side.stop()

    async def crash(self) -> None:
        await self.life.crash()
        await self._boot()

    async def restart(self) -> None:
        await self.life.stop()
        await self._boot()

    async def after_step(self) -> None:
        """What a watcher sees between two steps; a process that died at a crash point is started again."""
        if self.life.is_dead:
            await self.crash()
        self.people.note_lease()
        self.watch.look(self.life, self.journal_path)

    async def _boot(self) -> None:
        self._lives.append(Life(self._settings(), self.clock))
        self.life.trading.positions.on_change(lambda: self._note_belief(self.life))
        await self.life.start()
        self.life.journal.set_full(self._is_disk_full)
        self.watch.look(self.life, self.journal_path)

    def _note_belief(self, life: Life) -> None:
        """Before the first comparison an engine knows only what happened since, and says so; of a silent stream it cannot know."""
        if life.trading.positions.reconciled and not self.side.was_silent:
            self.evidence.believed.update((view.symbol, view.quantity) for view in life.trading.positions.positions.values())

    def _settings(self) -> Settings:
        return Settings(
            pod_namespace="trading",
            pod_name=ENGINE.partition("/")[2],
            control_host="127.0.0.1",
            journal_path=self.journal_path,
            jwks_file=self._folder / "jwks.json",
            redis_url=self.redis.url,
            rest_url=self.side.venue.base_url,
            stream_url=self.side.venue.stream_url,
            account_file=self._folder / "account.json",
        )

    async def push(self, seconds: float = 1.0) -> None:
        await self.people.push(self.life, seconds)

    async def submit(self, *intents: OrderIntent, seconds: float) -> None:
        """All at once; after ``seconds`` those that still wait for their outcome go on waiting."""
        tasks = set()
        for intent in intents:
            self.evidence.sent.setdefault(intent.id, set()).add((intent.symbol, intent.side.value, intent.quantity))
            task = self.life.submit(intent)
            task.add_done_callback(lambda done, name=intent.id: self._told(name, done))
            tasks.add(task)
        await asyncio.wait(tasks, timeout=seconds)

    def _told(self, intent: str, task: "asyncio.Task[Any]") -> None:
        verdict = None if task.cancelled() or task.exception() is not None else task.result()
        if isinstance(verdict, Accepted) and verdict.certain:
            self.evidence.told.append(Told(intent, verdict.client_order_id, True))

    def set_disk_full(self, is_full: bool) -> None:
        self._is_disk_full = is_full
        self.life.journal.set_full(is_full)

    def cure(self) -> None:
        """Everything that was broken works again."""
        self.side.cure()
        if not self.redis.is_up:
            self.redis.start()
        self.set_disk_full(False)

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in time."""
        deadline = self.clock.monotonic() + seconds
        while not holds():
            if self.clock.monotonic() > deadline:
                return False
            await asyncio.sleep(0.1)
        return True

    def _is_open(self) -> bool:
        return self.life.status.gate is self.people.gate and all(self.life.trading.market.quote(symbol) for symbol in SYMBOLS)
