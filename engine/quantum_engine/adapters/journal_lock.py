"""One process per journal: who holds the lock may write it.

In    the journal's path
Out   a lock that ends with its process, however that ends
Why   two writers would give two events one number; and tools that read or fill the outbox must find the engine stopped
"""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from quantum_engine.errors import PermanentError

_PAUSE_SECONDS: Final = 0.05


class JournalLock:
    """A context; raises PermanentError when another process holds the lock for longer than ``patience_seconds``."""

    def __init__(self, journal_path: Path, patience_seconds: float = 5.0) -> None:
        self._path = journal_path.with_name(journal_path.name + ".lock")
        self._patience_seconds = patience_seconds
        self._descriptor = -1

    def __enter__(self) -> "JournalLock":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self._patience_seconds
        while not self._taken():
            if time.monotonic() >= deadline:
                os.close(self._descriptor)
                raise PermanentError(f"an engine runs on the journal {self._path.stem}: stop it first")
            time.sleep(_PAUSE_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._descriptor)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
