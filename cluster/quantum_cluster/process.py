"""Starts, records, watches and ends local processes without ever hitting a recycled pid.

In    argument lists; signals to send; records left by an earlier supervisor
Out   exits as futures; a record per process (pid and start time) on disk
Flow  control plane, node -> HERE -> operating system; `down` reads the records back
Why   a pid alone is no identity: pid plus start time is, and a pidfd stays bound to the process it was opened for
"""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

CLUSTER_ID_VARIABLE: Final = "QUANTUM_CLUSTER_ID"
CONTAINER_ID_VARIABLE: Final = "QUANTUM_CLUSTER_CONTAINER"


@dataclass(frozen=True)
class ProcessRecord:
    """Who this process is, for somebody who finds only the record."""

    name: str
    pid: int
    start_ticks: int
    labels: dict[str, str] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        partial = directory / f".{self.name}.partial"
        partial.write_text(json.dumps(asdict(self)))
        partial.replace(directory / f"{self.name}.json")


def read_records(directory: Path) -> list[ProcessRecord]:
    return [ProcessRecord(**json.loads(path.read_text())) for path in sorted(directory.glob("*.json"))]


def start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat, counted after the command name, which may hold spaces and brackets (proc(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


@contextmanager
def _pidfd(pid: int) -> Iterator[int | None]:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def signal_recorded(record: ProcessRecord, number: signal.Signals) -> bool:
    """Signal the recorded process; False when it is gone, even if its pid lives on as another."""
    with _pidfd(record.pid) as descriptor:
        if descriptor is None or start_ticks(record.pid) != record.start_ticks:
            return False
        return _send(descriptor, number)


def signal_marked(variable: str, value: str, number: signal.Signals) -> list[int]:
    """Signal every process whose environment bears the mark: children that left their parent's session too."""
    mark = f"{variable}={value}".encode()
    hit = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with _pidfd(int(entry)) as descriptor:
            if descriptor is not None and mark in _environment(entry) and _send(descriptor, number):
                hit.append(int(entry))
    return hit


def _environment(pid: str) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _send(descriptor: int, number: signal.Signals) -> bool:
    try:
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    return True


class Child:
    """A process that this one started; its exit is a future."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._descriptor = os.pidfd_open(popen.pid)
        self._loop = asyncio.get_running_loop()
        self.pid = popen.pid
        self.start_ticks = start_ticks(popen.pid) or 0
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._loop.add_reader(self._descriptor, self._on_exit)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.exited.set_result(self._popen.wait())

    def send(self, number: signal.Signals) -> None:
        if not self.exited.done():
            _send(self._descriptor, number)

    async def end(self, grace_seconds: float) -> int:
        """SIGTERM, then SIGKILL when the grace is over.  A frozen process is thawed, so that it can hear."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        try:
            return await asyncio.wait_for(asyncio.shield(self.exited), grace_seconds)
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await asyncio.shield(self.exited)


def spawn(argv: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path | None = None) -> Child:
    """Start a process in its own session, its output appended to a file."""
    with closing(os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")) as output:
        popen = subprocess.Popen(
            list(argv), env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    return Child(popen)
