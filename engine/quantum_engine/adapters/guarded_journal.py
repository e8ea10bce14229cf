"""A journal whose failure tightens the gate in the same moment.

In    commits, and the journal that may fail
Out   the commit's own result; restriction "journal" while the last write failed, lifted by a write that succeeds
Flow  stages -> HERE -> SqliteJournal; permission
Why   an engine that cannot remember must not open (DESIGN 6)
"""

import asyncio
from typing import Final

from quantum_api.gate import Gate
from quantum_engine import metrics
from quantum_engine.errors import CorruptStateError, JournalUnavailableError
from quantum_engine.journal import Journal, Put, Table, Write
from quantum_engine.logs import logger
from quantum_engine.permission import Permission, Restriction

SOURCE: Final = "journal"
_PROBE_SECONDS: Final = 0.5
_log = logger("journal")


class GuardedJournal:
    """Implements quantum_engine.journal.Journal over another one."""

    def __init__(self, inner: Journal, permission: Permission) -> None:
        self._inner = inner
        self._permission = permission
        self._broken = False
        self._failed = asyncio.Event()

    @property
    def writable(self) -> bool:
        """Whether the last write succeeded."""
        return not self._failed.is_set() and not self._broken

    async def commit(self, *writes: Write) -> None:
        try:
            await self._inner.commit(*writes)
        except JournalUnavailableError as error:
            self._fail(Gate.REDUCE_ONLY, str(error))
            raise
        except CorruptStateError as error:
            self._broken = True
            self._fail(Gate.HALTED, str(error))
            raise
        self._recover()

    async def load(self, table: Table) -> dict[str, bytes]:
        return await self._inner.load(table)

    async def close(self) -> None:
        await self._inner.close()

    async def run(self) -> None:
        """While writes fail, try a small one twice a second until it succeeds."""
        while True:
            await self._failed.wait()
            await asyncio.sleep(_PROBE_SECONDS)
            try:
                await self.commit(Put(Table.META, "probe", b"1"))
            except JournalUnavailableError as error:
                _log.warning("journal_still_unavailable", error=str(error))

    def _fail(self, gate: Gate, detail: str) -> None:
        metrics.JOURNAL_FAILURES.inc()
        if not self._failed.is_set():
            _log.error("journal_failed", error=detail, gate=gate)
        self._failed.set()
        self._permission.restrict(Restriction(SOURCE, gate, detail))

    def _recover(self) -> None:
        if self._failed.is_set() and not self._broken:
            self._failed.clear()
            self._permission.lift(SOURCE)
            _log.info("journal_recovered")
