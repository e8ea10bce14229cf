"""Runs a cluster in the background: starts the supervisor, waits for it, ends it and whatever it left.

In    a cluster name
Out   a detached process that holds an EmbeddedCluster; its record; its end
Flow  command line -> HERE -> EmbeddedCluster
Why   one lock per name makes `up` and `down` exclusive; a pid counts only together with its start time
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quantum_cluster.cleanup import end_remains
from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.paths import StateDir
from quantum_cluster.process import ProcessRecord, signal_recorded, start_ticks
from quantum_cluster.tools import ensure_tools

_UP_WITHIN_SECONDS: Final = 120.0
_DOWN_WITHIN_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.05


class UpError(Exception):
    """The cluster did not come up; the message shows where to look."""


@dataclass(frozen=True)
class Standing:
    """What is known about a cluster from its record."""

    supervisor: ProcessRecord | None
    alive: bool
    record: dict[str, Any]

    @property
    def usable(self) -> bool:
        return self.alive and bool(self.record.get("usable"))


def standing(state: StateDir) -> Standing:
    path = _supervisor_path(state)
    supervisor = ProcessRecord(**json.loads(path.read_text())) if path.exists() else None
    alive = supervisor is not None and start_ticks(supervisor.pid) == supervisor.start_ticks
    record = json.loads(state.record.read_text()) if state.record.exists() else {}
    return Standing(supervisor, alive, record)


def up(name: str, durable: bool, say: Callable[[str], None]) -> bool:
    """Start it and wait until it is usable; False when it already runs."""
    state = StateDir.named(name)
    state.root.parent.mkdir(parents=True, exist_ok=True)
    ensure_tools(say)
    with _exclusive(state):
        before = standing(state)
        if before.alive:
            _await_usable(state, None)
            return False
        for what in end_remains(state):
            say(f"ended a remain of an earlier run: {what}")
        _mark_unusable(state)
        process = _spawn_supervisor(name, durable, state)
        ProcessRecord(_supervisor_path(state).stem, process.pid, start_ticks(process.pid) or 0).write(state.root.parent)
        _await_usable(state, process)
        for what, seconds in standing(state).record["laps_seconds"].items():
            say(f"{seconds:6.2f} s  {what}")
    return True


def down(name: str, keep_data: bool, say: Callable[[str], None]) -> bool:
    """End everything this name started; False when there was nothing."""
    state = StateDir.named(name)
    if not state.root.exists() and not _supervisor_path(state).exists():
        return False
    with _exclusive(state):
        now = standing(state)
        if now.supervisor and signal_recorded(now.supervisor, signal.SIGTERM) and not _gone(now.supervisor, _DOWN_WITHIN_SECONDS):
            say("the supervisor does not end by itself: killing it")
            signal_recorded(now.supervisor, signal.SIGKILL)
            _gone(now.supervisor, _DOWN_WITHIN_SECONDS)
        for what in end_remains(state):
            say(f"ended {what}, which had outlived its supervisor")
        _supervisor_path(state).unlink(missing_ok=True)
        if not keep_data:
            shutil.rmtree(state.root, ignore_errors=True)
            state.supervisor_log.unlink(missing_ok=True)
    return True


async def supervise(name: str, durable: bool) -> None:
    """What the background process does: hold the cluster until told to end.  State is removed by ``down``, which knows whether to."""
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    async with EmbeddedCluster(name, durable=durable, keep_data=True):
        await ending.wait()


def _supervisor_path(state: StateDir) -> Path:
    return state.root.with_name(f"{state.root.name}.supervisor.json")


def _spawn_supervisor(name: str, durable: bool, state: StateDir) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "quantum_cluster", "supervise", "--name", name, "--durable" if durable else "--no-durable"]
    with state.supervisor_log.open("ab") as log:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")


def _await_usable(state: StateDir, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + _UP_WITHIN_SECONDS
    while not standing(state).usable:
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            tail = state.supervisor_log.read_text(errors="replace")[-3000:]
            raise UpError(f"cluster {state.root.name} did not come up; {state.supervisor_log} ends:\n{tail}")
        time.sleep(_POLL_SECONDS)


def _mark_unusable(state: StateDir) -> None:
    if state.record.exists():
        state.write_record(json.loads(state.record.read_text()) | {"usable": False})


def _gone(record: ProcessRecord, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while start_ticks(record.pid) == record.start_ticks:
        if time.monotonic() > deadline:
            return False
        with contextlib.suppress(ChildProcessError):
            os.waitpid(record.pid, os.WNOHANG)
        time.sleep(_POLL_SECONDS)
    return True


@contextlib.contextmanager
def _exclusive(state: StateDir) -> Iterator[None]:
    """One `up` or `down` per name at a time.  The lock is close-on-exec, so the supervisor does not inherit it."""
    with state.lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
