"""Named places where a test may have the process killed, to prove what survives.  Off unless QT_ENGINE_CRASH_AT names one.

The names in use: after-trip-before-journal, after-latch-before-report, after-latch-before-flatten, after-intent-before-send,
after-document-before-ack.
"""

import os
import signal
from typing import Final

_CRASH_AT: Final = os.environ.get("QT_ENGINE_CRASH_AT")


def crash_point(name: str) -> None:
    """SIGKILL this process if ``name`` is the one ordered: no cleanup, no flush, as a power cut."""
    if name == _CRASH_AT:
        os.kill(os.getpid(), signal.SIGKILL)
