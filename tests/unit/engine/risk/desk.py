"""The risk stage with the real latch book and outbox, a journal in memory, and a clock that a test turns."""

import asyncio
import itertools
import json
from decimal import Decimal
from typing import Any

from tests.unit.engine.execution.desk import MemoryJournal

from quantum_api.engine_status import Latch
from quantum_api.trading_policy import Limits
from quantum_engine.clock import ManualClock
from quantum_engine.domain import EquityLost, EquityRead, Transferred
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.latches import Sight, progressed
from quantum_engine.emergency.pull import StopPuller
from quantum_engine.emergency.service import LatchKeeper
from quantum_engine.journal import Publish, Table, Write
from quantum_engine.permission import Permission
from quantum_engine.risk.service import Risk
from quantum_engine.risk.snapshot import Senses


def policy(**changes: Any) -> Limits:
    base = {"instruments": ["BTCUSDT"], "max_order_notional_usdt": 1, "max_position_notional_usdt": 1, "max_gross_exposure_usdt": 1}
    return Limits(**(base | {"stop_cooldown_seconds": 0} | changes))


class NoMirror:
    row: bytes | None = None

    def keep_peak(self, row: bytes) -> None:
        self.row = row


class Together(MemoryJournal):
    """Remembers which writes came in one transaction."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[tuple[Write, ...]] = []

    async def commit(self, *writes: Write) -> None:
        await super().commit(*writes)
        self.commits.append(writes)


class Desk:
    """One account; ``restart`` is a new process on the same journal."""

    def __init__(self, **changes: Any) -> None:
        self.clock, self.journal, self.mirror = ManualClock(), Together(), NoMirror()
        self.limits: Limits | None = policy(**changes)
        self.senses = Senses()
        self.ids = (f"{number:04d}" for number in itertools.count())
        self.start()

    def start(self) -> None:
        self.permission = Permission()
        for source in ("policy", "reconciliation"):
            self.permission.lift(source)
        self.book = LatchBook(self.permission, self.clock)
        self.keeper = LatchKeeper(self.book, self.journal, self.clock)
        self.puller = StopPuller("engine-0", self.book, self.clock, lambda: next(self.ids))
        self.risk = Risk(self.journal, self.permission, self.clock, lambda: self.limits, self.puller, self.mirror)
        self.risk.sense_by(lambda: self.senses)
        self.book.on_clear(lambda latch: self.risk.released(latch.trigger))

    async def restart(self) -> None:
        self.start()
        await self.keeper.restore()
        await self.risk.restore()

    async def live(self) -> None:
        """What is owed reaches the disk."""
        running = [asyncio.create_task(run()) for run in (self.risk.run, self.keeper.run)]
        for _ in range(20):
            await asyncio.sleep(0)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def read(self, *equities: int | str) -> None:
        for equity in equities:
            self.risk.handle(EquityRead(Decimal(equity), self.clock.wall_ms(), self.clock.monotonic()))

    def lose(self) -> None:
        self.risk.handle(EquityLost("gone", self.clock.monotonic()))

    def transfer(self, amount: int) -> None:
        self.risk.handle(Transferred(Decimal(amount), self.clock.wall_ms()))

    def release(self, *latches: Latch) -> None:
        """Its work is done and people approved."""
        for latch in latches:
            stamped = latch.model_copy(update={"gate_closed_at_ms": self.clock.wall_ms()})
            self.book.update(progressed(stamped, Sight(0, 0), self.clock.wall_ms(), 0))
        self.book.release([latch.id for latch in latches])

    @property
    def triggers(self) -> list[str]:
        return [latch.trigger for latch in self.book.latches]

    @property
    def kept(self) -> dict[str, Any]:
        """The day, as it is on disk."""
        found: dict[str, Any] = json.loads(self.journal.rows[Table.PEAK]["equity"])["day"]
        return found

    @property
    def told(self) -> list[Publish]:
        return [write for commit in self.journal.commits for write in commit if isinstance(write, Publish)]
