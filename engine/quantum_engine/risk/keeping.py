"""Keeps the peak and the day's start in journal and mirror.

In    the record as it is now
Out   rows on disk and in the mirror; the record that a restart finds
Flow  service -> HERE -> journal, mirror
Why   they reach the disk at most a second after they rose, not with every tick: what a crash can forget is one second of *rise*, which
      makes a limit stricter by nothing and looser by at most that rise.  When it matters (trip, transfer, release, new day) it is at once
"""

import asyncio
from dataclasses import replace
from typing import Final

from quantum_engine.clock import Clock
from quantum_engine.errors import CorruptStateError, JournalUnavailableError
from quantum_engine.journal import Journal, Put, Table
from quantum_engine.logs import logger
from quantum_engine.risk.day import DAY_MS, DayState
from quantum_engine.risk.ports import PeakMirror
from quantum_engine.risk.record import Record, decode, encode
from quantum_engine.waiting import happens

KEY: Final = "equity"
KEEP_SECONDS: Final = 1.0
LAST_EQUITY_SECONDS: Final = 5.0
"""How old the last known equity on disk may be: it is what a day begins with that begins while the engine is away."""
_log = logger("risk")


class RecordKeeper:
    """One row."""

    def __init__(self, journal: Journal, mirror: PeakMirror, clock: Clock) -> None:
        self._journal, self._mirror, self._clock = journal, mirror, clock
        self._kept: Record | None = None
        self._kept_at = float("-inf")
        self._begun_anew = True
        """No journal knew a peak, and the mirror has not been asked yet: whatever it knows still counts."""
        self._now = asyncio.Event()

    async def restore(self) -> Record | None:
        row = (await self._journal.load(Table.PEAK)).get(KEY)
        if row is None:
            return None
        self._kept = decode(row)
        self._begun_anew = self._kept.begun_anew
        self._mirror.keep_peak(row)
        return self._kept

    def met_mirror(self, row: bytes | None) -> Record | None:
        """What the mirror knew, if it still counts: only for a journal that began anew since."""
        if not self._begun_anew:
            return None
        self._begun_anew, self._kept = False, None
        self.soon()
        try:
            found = None if row is None else decode(row)
        except CorruptStateError as error:
            _log.error("mirrored_peak_unreadable", error=str(error))
            return None
        return found and self._without_a_day_to_come(found)

    def _without_a_day_to_come(self, found: Record) -> Record:
        """After such a day no new one would begin, and the loss would be measured from its start for ever.  Tomorrow: clocks differ."""
        if found.day.number is None or found.day.number <= self._clock.wall_ms() // DAY_MS + 1:
            return found
        _log.error("mirrored_day_not_believed", number=found.day.number)
        return replace(found, day=DayState())

    def soon(self) -> None:
        """Do not wait for the second to pass."""
        self._now.set()

    async def pause(self) -> None:
        await happens(self._now, KEEP_SECONDS)

    async def keep(self, record: Record) -> None:
        """Write what changed.  The newest equity alone is worth a write only now and then."""
        self._now.clear()
        if not self._is_news(record):
            return
        was_anew = self._begun_anew
        record = Record(record.peak_usdt, record.day, record.transfers, was_anew)
        row = encode(record, self._clock.wall_ms())
        try:
            await self._journal.commit(Put(Table.PEAK, KEY, row))
        except JournalUnavailableError:
            return
        self._kept = record if was_anew == self._begun_anew else None
        self._kept_at = self._clock.monotonic()
        self._mirror.keep_peak(row)

    def _is_news(self, record: Record) -> bool:
        kept = self._kept
        if kept is None:
            return record.peak_usdt is not None or record.day.number is not None
        if (record.peak_usdt, _start(record.day), record.transfers) != (kept.peak_usdt, _start(kept.day), kept.transfers):
            return True
        return record.day != kept.day and self._clock.monotonic() - self._kept_at >= LAST_EQUITY_SECONDS


def _start(day: DayState) -> object:
    return day.number, day.start_usdt
