"""Halt requests as files beside the journal: a stop that needs no network and outlives a hung or dead process.

In    `quantum-engine halt` in the pod writes one file per request
Out   the requests found; a request's file goes once its latch is on disk
Flow  person in the pod -> file -> HERE -> emergency
Why   a file is there before the engine answers, is found by the engine within 200 ms, and is found at the next start as well
"""

import hashlib
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from quantum_api.model import ApiModel
from quantum_api.trading_policy import StopAction
from quantum_engine.journal import Table
from quantum_engine.logs import logger

_SUFFIX: Final = ".halt"
_ID: Final = r"^[a-z0-9][a-z0-9.-]{0,62}$"
_log = logger("halt")


class HaltFile(ApiModel):
    """One request.  Its id is the latch's."""

    id: Annotated[str, Field(pattern=_ID)]
    action: Annotated[StopAction, Field(strict=False)]
    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    by: Annotated[str, Field(max_length=256)] = ""


@dataclass(frozen=True, slots=True)
class HaltRequests:
    """The requests beside one journal."""

    journal_path: Path

    def ask(self, request: HaltFile) -> Path:
        """Put a request on disk: whole or not at all.  Raises OSError when the disk refuses."""
        folder = self.journal_path.parent
        target, draft = folder / f"{request.id}{_SUFFIX}", folder / f".{request.id}.draft"
        with draft.open("wb") as file:
            file.write(request.model_dump_json(by_alias=True).encode())
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return target

    def pending(self) -> list[HaltFile]:
        """Every request that waits.  One that cannot be read still stops: its name is a request."""
        names = sorted(entry.name for entry in os.scandir(self.journal_path.parent) if entry.name.endswith(_SUFFIX))
        return [_read(self.journal_path.parent / name) for name in names]

    def again(self, request: HaltFile) -> HaltFile:
        """The request under another id, for a name that was used before and released: whoever writes ``stop.halt`` again means it.

        The id follows the file's time: looked at again it is the same stop, and a file that could not be removed asks no second time.
        """
        try:
            written_ns = os.stat(self.journal_path.parent / f"{request.id}{_SUFFIX}").st_mtime_ns
        except OSError:
            return request
        mark = hashlib.sha256(str(written_ns).encode()).hexdigest()[:8]
        return request.model_copy(update={"id": f"{request.id[:54].rstrip('-.')}-{mark}"})

    def confirmed(self, request: HaltFile) -> bool:
        """Whether the engine has the latch on disk, read from the journal itself: no network, no engine needed for the answer."""
        try:
            with closing(sqlite3.connect(f"file:{self.journal_path}?mode=ro", uri=True, timeout=0.2)) as journal:
                found = journal.execute("SELECT 1 FROM rows WHERE room = ? AND key = ?", (Table.LATCH.value, request.id)).fetchone()
        except sqlite3.Error:
            return False
        return found is not None

    def done(self, request: HaltFile) -> None:
        """Its latch is on disk."""
        try:
            (self.journal_path.parent / f"{request.id}{_SUFFIX}").unlink(missing_ok=True)
        except OSError as error:
            _log.error("halt_request_stays", request=request.id, error=str(error))


def _read(path: Path) -> HaltFile:
    path = _usable(path)
    name = path.name.removesuffix(_SUFFIX)
    try:
        return HaltFile.model_validate_json(path.read_bytes()).model_copy(update={"id": name})
    except (ValidationError, OSError) as error:
        _log.error("halt_request_unreadable", file=path.name, error=str(error))
        return HaltFile.model_construct(id=name, action=StopAction.FLATTEN, reason="halt request whose file cannot be read", by="")


def _usable(path: Path) -> Path:
    """A name that cannot be a latch's id (too long, not even text) gets another: it still stops."""
    name = path.name.removesuffix(_SUFFIX)
    if re.fullmatch(_ID, name):
        return path
    renamed = path.with_name(f"unnamed-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}{_SUFFIX}")
    try:
        path.rename(renamed)
    except OSError as error:
        _log.error("halt_request_keeps_its_name", file=repr(path.name), error=str(error))
    return renamed
