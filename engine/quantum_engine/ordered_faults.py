"""Faults that a test may order by environment, to prove what survives.  Off unless asked for.

QT_ENGINE_CRASH_AT=<name>            SIGKILL this process at that point.  Names: after-trip-before-journal, after-latch-before-report,
                                     after-latch-before-flatten, after-intent-before-send, after-document-before-ack
QT_ENGINE_WALL_OFFSET_MS=<ms>        the wall clock of this process is off by so much, as after a clock that was set
"""

import os
import signal
from typing import Final

from quantum_engine.clock import SystemClock

_CRASH_AT: Final = os.environ.get("QT_ENGINE_CRASH_AT")
_WALL_OFFSET_MS: Final = int(os.environ.get("QT_ENGINE_WALL_OFFSET_MS", "0"))


def crash_point(name: str) -> None:
    """SIGKILL this process if ``name`` is the one ordered: no cleanup, no flush, as a power cut."""
    if name == _CRASH_AT:
        os.kill(os.getpid(), signal.SIGKILL)


class MachineClock(SystemClock):
    """The machine's clocks, the wall clock off by what was ordered."""

    def wall_ms(self) -> int:
        return super().wall_ms() + _WALL_OFFSET_MS
