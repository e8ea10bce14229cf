"""A drawdown is measured from the highest peak that any store still knows, whatever was lost in between."""

import asyncio
import json
from collections.abc import Collection, Mapping
from decimal import Decimal

from tests.unit.engine.execution.desk import MemoryJournal

from quantum_api.trading_policy import StopAction
from quantum_engine.clock import ManualClock
from quantum_engine.domain import EquityRead
from quantum_engine.journal import Table
from quantum_engine.permission import Permission
from quantum_engine.risk.service import Risk

IN_REDIS = json.dumps({"peakUsdt": "10000", "asOfMs": 1}).encode()


class Stops:
    def is_latched(self, trigger: str) -> bool:
        return False

    def covers(self, triggers: Collection[str], action: StopAction) -> bool:
        return False

    def pull(self, trigger: str, reason: str, action: StopAction, measured: str, limit: str, numbers: Mapping[str, str | int]) -> None:
        """The breaker's own state is looked at."""


class Redis:
    row: bytes | None = None

    def keep_peak(self, row: bytes) -> None:
        self.row = row


async def started(journal: MemoryJournal) -> Risk:
    clock = ManualClock()
    risk = Risk(journal, Permission(), clock, lambda: None, Stops(), Redis())
    await risk.restore()
    return risk


async def lived(risk: Risk, equity: int) -> None:
    """Read an equity and write the peak down, as a running engine does."""
    risk.handle(EquityRead(Decimal(equity), 1, 1_000.0))
    running = asyncio.create_task(risk.run())
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_disk_lost_while_redis_was_down_does_not_forget_the_peak_by_a_second_restart() -> None:
    journal = MemoryJournal()
    await lived(await started(journal), 8_000)
    again = await started(journal)
    again.remember(IN_REDIS)
    await lived(again, 8_000)
    assert again.state.peak_usdt == 10_000
    assert again.state.breached


async def test_a_peak_that_a_release_or_a_withdrawal_lowered_is_not_raised_again_by_an_old_mirror() -> None:
    journal = MemoryJournal()
    first = await started(journal)
    first.remember(None)
    await lived(first, 8_000)
    again = await started(journal)
    again.remember(IN_REDIS)
    assert again.state.peak_usdt == 8_000


async def test_a_lost_disk_does_not_begin_the_day_anew() -> None:
    """The day's start rides in the same row as the peak, to the mirror too."""
    journal, day = MemoryJournal(), 1 // 86_400_000
    first = await started(journal)
    await lived(first, 8_000)
    mirrored = {"peakUsdt": "8000", "day": {"number": day, "startUsdt": "8800", "lastUsdt": "8700"}}
    first.remember(json.dumps(mirrored).encode())
    assert first.measures.day.start_usdt == 8_800
    await lived(first, 8_000)
    assert (await started(journal)).measures.day.start_usdt == 8_800


async def test_a_row_of_an_engine_that_knew_no_day_is_read() -> None:
    journal = MemoryJournal()
    journal.rows[Table.PEAK]["equity"] = json.dumps({"peakUsdt": "10000", "asOfMs": 1, "begunAnew": False}).encode()
    risk = await started(journal)
    assert (risk.state.peak_usdt, risk.measures.day.start_usdt) == (10_000, None)


async def test_what_the_mirror_added_is_written_down_once_and_for_all() -> None:
    journal = MemoryJournal()
    first = await started(journal)
    await lived(first, 9_999)
    first.remember(IN_REDIS)
    await lived(first, 9_999)
    third = await started(journal)
    assert third.state.peak_usdt == 10_000
    third.remember(json.dumps({"peakUsdt": "20000"}).encode())
    assert third.state.peak_usdt == 10_000
